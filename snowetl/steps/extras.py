"""The optional packages that settings ask for, looked for before any work starts."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

from snowetl.errors import UsageError
from snowetl.settings import Location, Settings

MODULES = {
    "hdfs": ("hdfs_native",),
    "parquet": ("pyarrow",),
    "postgres": ("psycopg",),
}
"""Extra of the package (``pip install 'snowetl[…]'``) -> the modules it brings."""


def check_extras(settings: Settings) -> None:
    """Raises :class:`UsageError` that names every extra the settings need and this installation lacks."""
    missing: dict[str, str] = {}
    for extra, modules, reason in _needed(settings):
        if not all(map(_is_there, modules)):
            missing.setdefault(extra, reason)
    if missing:
        reasons = " and ".join(missing.values())
        verb = "need" if len(missing) > 1 else "needs"
        raise UsageError(f"{reasons} {verb} more packages. Run: pip install 'snowetl[{','.join(sorted(missing))}]'")


def _is_there(module: str) -> bool:
    """Whether a module, or one within a package (``snowflake.connector``), can be imported."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # not even the package
        return False


def _needed(settings: Settings) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """(extra, its modules, the option that asks for it)."""
    given = {each.name: getattr(settings, each.name) for each in settings.options()}
    if given.get("transformation") == "widerow-parquet":
        yield "parquet", MODULES["parquet"], "--transformation widerow-parquet"
    if given.get("output_format") == "parquet":
        yield "parquet", MODULES["parquet"], "--output-format parquet"
    if str(given.get("duplicate_storage")).startswith(("postgres://", "postgresql://")):
        yield "postgres", MODULES["postgres"], "--duplicate-storage postgresql://…"
    if given.get("warehouse") is not None and "database" in given:  # a verb that only names the kind reaches none
        yield from _of_warehouse(given["warehouse"], given["database"])
    if given.get("master") not in (None, "none"):
        from snowetl.workers.spark_session import MODULES as SPARK

        yield "spark", SPARK, f"--master {given['master']}"
    for each in settings.options():
        if isinstance(each.kind, Location):
            values = given[each.name] if each.multiple else (given[each.name],)
            if any(str(value).lower().startswith("hdfs:") for value in values):
                yield "hdfs", MODULES["hdfs"], f"{each.flag} hdfs://…"


def _of_warehouse(name: str, database: str | None) -> Iterator[tuple[str, tuple[str, ...], str]]:
    from snowetl.load.warehouses import warehouse_class

    kind = warehouse_class(name).capabilities
    if kind.extra and kind.embedded and database is None:
        yield kind.extra, (*kind.modules, *kind.embedded_modules), f"--warehouse {name} without --database"
    elif kind.extra:
        yield kind.extra, kind.modules, f"--warehouse {name}"
