"""The process that Spark forks its Python workers from, on this machine: ``python -m snowetl.workers.spark_daemon``.

It is pyspark's own, but for where it comes from. Spark has Python look into zip files of pyspark and py4j first; their
modules are compiled whenever a daemon starts (half a second), and each task reads the zip files' directories again.
Where the same packages are installed, these serve. And numpy, which pyspark would load for statistics that nobody asks
of it here, is left to those who import it: a third of the start, and 12 MiB of each worker.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

MODULE = "snowetl.workers.spark_daemon"


def main() -> None:
    leave_zips_out(sys.path)
    with hidden("numpy"):
        from pyspark.daemon import manager

    manager()  # type: ignore[no-untyped-call]


@contextmanager
def hidden(module: str) -> Iterator[None]:
    """Let imports of ``module`` fail, as if it were not installed, unless it is loaded already."""
    if module in sys.modules:
        yield
        return
    sys.modules[module] = None  # type: ignore[assignment]  # what the import system takes for "not there"
    try:
        yield
    finally:
        del sys.modules[module]


def leave_zips_out(path: list[str]) -> None:
    """Take the zip files of an installed pyspark out of the module search path ``path``, unless it is needed there."""
    packages = {entry: Path(entry).parents[2] for entry in path if _is_zip_of_package(entry)}
    if not packages:
        return
    found = list(path)
    path[:] = [entry for entry in found if entry not in packages]
    if not _are_installed(list(packages.values())):
        path[:] = found


def _is_zip_of_package(entry: str) -> bool:
    """Whether ``entry`` is ``…/pyspark/python/lib/NAME.zip`` within an installed package, not Spark's own folder."""
    return entry.endswith(".zip") and entry.count("/") > 3 and (Path(entry).parents[2] / "__init__.py").exists()


def _are_installed(packages: Sequence[Path]) -> bool:
    """Whether py4j is found, and pyspark in each of the folders ``packages``."""
    pyspark = find_spec("pyspark")
    if pyspark is None or pyspark.origin is None or find_spec("py4j") is None:
        return False
    home = Path(pyspark.origin).parent
    return all(package.exists() and package.samefile(home) for package in packages)


if __name__ == "__main__":
    main()
