"""What a cluster needs to run snowetl, as one folder: an archive of Python packages, the jobs, and what they are.

The packages are wheels for the cluster's Python and processor, chosen by pip, so that any machine can make the archive.
The interpreter is not in it: ``bin/python`` leads to the one that the cluster's nodes have. ``spark.archives=
….tar.gz#environment`` unpacks it beside each driver and executor, and ``./environment/bin/python`` runs them. The same
versions give the same bytes.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from isal import igzip

from snowetl.errors import SnowetlError, UsageError
from snowetl.jvm import jsontext
from snowetl.orchestrator.own_wheel import build_wheel
from snowetl.runs.scratch import scratch_folder
from snowetl.storage import filesystem
from snowetl.version import __version__

FORMAT = "snowetl-package/1"
ARCHIVE = "environment.tar.gz"
CONTENTS = "package.json"
"""Written last: a folder that has it has the rest."""
JOBS = ("enrich", "transform", "load", "run")
"""The verbs that ``spark-submit`` runs."""
EXTRA = "cluster"
"""The extra of this package that holds what every step needs, but for Spark, which the cluster has."""

_GLIBC = 34
"""Of Amazon Linux 2023: glibc 2.34, which EMR 7, emr-spark-8 and EMR Serverless have."""
_OLDEST_GLIBC = 17
_GLIBC_SYMBOL = re.compile(rb"GLIBC_2\.(\d+)")
_IMPORTED = (
    *("snowetl.cli.main", "pandas", "pyarrow.parquet", "psycopg", "redshift_connector", "hdfs_native", "pymysql"),
    *("quickjs", "pyhocon", "py4j", "boto3"),
)
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where the package is to run. ``interpreter`` is the path of Python on each node."""

    python: str
    platform: str
    interpreter: str

    @property
    def is_like_here(self) -> bool:
        """Whether this process could load the packages, too."""
        here = (f"{sys.version_info.major}.{sys.version_info.minor}", sys.platform, platform.machine())
        return here == (self.python, "linux", self.platform)


def job_source(verb: str) -> str:
    """The text of ``jobs/VERB.py``."""
    return (
        f'"""``spark-submit jobs/{verb}.py …``: ``snowetl {verb}`` on a cluster, with the same options."""\n\n'
        "from snowetl.cli.job import job\n\n"
        f'if __name__ == "__main__":\n    job("{verb}")\n'
    )


def make_package(
    folder: str, cluster: Cluster, add: Sequence[str] = (), say: Callable[[str], None] = lambda text: None
) -> dict[str, Any]:
    """Write the package into ``folder`` (a local one, ``s3://…``, ``hdfs://…``); returns what ``package.json`` says.

    ``add`` are further requirements: packages with adapters or enrichments of one's own. Raises ``UsageError`` where
    pip or a wheel is missing, ``StorageError``.
    """
    base = folder.rstrip("/")
    with scratch_folder() as work:
        site = work / "environment" / "lib" / f"python{cluster.python}" / "site-packages"
        say(f"fetching packages for Python {cluster.python} on {cluster.platform}")
        _install(_own_wheel(work, cluster), add, cluster, site)
        _check(site, cluster)
        _make_environment(work / "environment", cluster)
        say("packing them")
        archive = work / ARCHIVE
        _pack(work / "environment", archive)
        for verb in JOBS:
            (work / f"{verb}.py").write_text(job_source(verb), "utf-8")
        files = [archive, *(work / f"{verb}.py" for verb in JOBS)]
        contents = {
            "format": FORMAT,
            "snowetl": __version__,
            "build": "compiled" if any(site.glob("snowetl__mypyc.*")) else "pure Python",
            "python": cluster.python,
            "platform": cluster.platform,
            "interpreter": cluster.interpreter,
            "packages": _versions(site),
            "files": {file.name: {"bytes": file.stat().st_size, "sha256": _sha256(file)} for file in files},
        }
        say(f"writing to {base}")
        for file in files:
            _write(f"{base}/{file.name}", file)
        filesystem(base).put(f"{base}/{CONTENTS}", (jsontext.dumps(contents) + "\n").encode())
    return contents


# --- packages ---------------------------------------------------------------------------------------------------------


def _own_wheel(work: Path, cluster: Cluster) -> Path:
    """The wheel of snowetl: compiled, if what is compiled here runs there."""
    wheel = build_wheel(work / "wheel", compiled=cluster.is_like_here)
    return wheel if _newest_glibc(wheel) <= _GLIBC else build_wheel(work / "plain", compiled=False)


def _newest_glibc(wheel: Path) -> int:
    """The minor version of glibc 2 that the libraries of a wheel need, 0 if it has none."""
    with zipfile.ZipFile(wheel) as held:
        libraries = [held.read(name) for name in held.namelist() if name.endswith(".so")]
    return max((int(minor) for library in libraries for minor in _GLIBC_SYMBOL.findall(library)), default=0)


def _install(wheel: Path, add: Sequence[str], cluster: Cluster, site: Path) -> None:
    """Put the wheels of all that is needed into ``site``, whatever machine this is."""
    if importlib.util.find_spec("pip") is None:
        raise UsageError(f"{sys.executable} has no pip, which fetches the packages. Run: {sys.executable} -m ensurepip")
    command = [*_pip_install(cluster, site), f"{wheel}[{EXTRA}]", *add]
    result = subprocess.run(command, capture_output=True, text=True, env=_environment(), check=False)
    if result.returncode:
        raise UsageError(
            f"pip cannot fetch the packages for Python {cluster.python} on {cluster.platform}: "
            f"{_last_error(result.stderr)}"
        )


def _pip_install(cluster: Cluster, site: Path) -> list[str]:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    command += ["--target", str(site), "--only-binary", ":all:", "--implementation", "cp"]
    command += ["--python-version", cluster.python]
    for tag in _platforms(cluster.platform):
        command += ["--platform", tag]
    if cluster.is_like_here:
        command += ["--platform", f"linux_{cluster.platform}"]  # of the wheel that is built here
    return command


def _platforms(machine: str) -> Iterator[str]:
    """The platforms whose wheels run there, the newest first."""
    yield from (f"manylinux_2_{minor}_{machine}" for minor in range(_GLIBC, _OLDEST_GLIBC - 1, -1))
    yield f"manylinux2014_{machine}"


def _environment() -> dict[str, str]:
    """That of this process, without what would lead pip to other packages than its own."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PIP_TARGET")}


def _last_error(stderr: str) -> str:
    errors = [line.removeprefix("ERROR: ") for line in stderr.splitlines() if line.startswith("ERROR: ")]
    return errors[-1] if errors else stderr.strip().rpartition("\n")[2]


def _check(site: Path, cluster: Cluster) -> None:
    """Import what every step needs, where that can be done here. Raises ``SnowetlError``."""
    if not cluster.is_like_here:
        return
    code = f"import sys; sys.path.insert(0, {str(site)!r}); import {', '.join(_IMPORTED)}"
    result = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
    if result.returncode:
        raise SnowetlError(f"the packages cannot be imported: {result.stderr.strip().rpartition(chr(10))[2]}")


def _versions(site: Path) -> dict[str, str]:
    found = distributions(path=[str(site)])
    return dict(sorted((re.sub(r"[-_.]+", "-", each.metadata["Name"]).lower(), each.version) for each in found))


# --- the archive ------------------------------------------------------------------------------------------------------


def _make_environment(environment: Path, cluster: Cluster) -> None:
    """Turn a folder of packages into a virtual environment of the cluster's Python."""
    interpreter = Path(cluster.interpreter)
    site = environment / "lib" / f"python{cluster.python}" / "site-packages"
    shutil.rmtree(site / "bin", ignore_errors=True)  # scripts name the Python that installed them
    if cluster.is_like_here:  # nodes may not write beside the packages, and would compile them for each process
        compiled = ["-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "-s", str(environment), "."]
        subprocess.run([sys.executable, *compiled], cwd=site, capture_output=True, check=False)
    (environment / "bin").mkdir()
    for name in ("python", "python3", f"python{cluster.python}"):
        (environment / "bin" / name).symlink_to(interpreter)
    (environment / "pyvenv.cfg").write_text(
        f"home = {interpreter.parent}\ninclude-system-site-packages = false\nversion = {cluster.python}\n", "utf-8"
    )


def _pack(environment: Path, archive: Path) -> None:
    """Pack a folder so that equal content gives equal bytes."""
    with (
        archive.open("wb") as file,
        igzip.IGzipFile(filename="", fileobj=file, mode="wb", compresslevel=2, mtime=0) as packed,  # type: ignore[no-untyped-call]
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for path in sorted(environment.rglob("*")):
            tar.add(path, path.relative_to(environment).as_posix(), recursive=False, filter=_anonymous)


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Everybody may read it, and it says neither who made it nor when."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mtime = 0
    entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
    return entry


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(url: str, path: Path) -> None:
    files = filesystem(url)
    staged = files.stage(url)
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                staged.write(chunk)
        files.commit(staged.close())
    except BaseException:
        staged.abort()
        raise
