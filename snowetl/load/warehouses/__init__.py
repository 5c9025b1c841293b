"""The kinds of warehouses: one file each, found by name in :data:`WAREHOUSES`.

Another package adds one by an entry point of the group ``snowetl.warehouses`` whose value is its class.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from snowetl.errors import ConfigError
from snowetl.load.warehouse import Warehouse

GROUP = "snowetl.warehouses"
WAREHOUSES: Mapping[str, str] = {
    "postgres": "snowetl.load.warehouses.postgres:PostgresWarehouse",
    "redshift": "snowetl.load.warehouses.redshift:RedshiftWarehouse",
}
"""Class of each kind, as ``module:name``: a driver is imported only where it is used."""


def names() -> list[str]:
    """What ``--warehouse`` takes."""
    return sorted({*WAREHOUSES, *(point.name for point in entry_points(group=GROUP))})


def warehouse_class(name: str) -> type[Warehouse]:
    """The kind of warehouse called ``name``. Raises ``ConfigError`` listing those there are."""
    if name in WAREHOUSES:
        module, _, attribute = WAREHOUSES[name].partition(":")
        found: type[Warehouse] = getattr(import_module(module), attribute)
        return found
    for point in entry_points(group=GROUP):
        if point.name == name:
            return _loaded(point)
    raise ConfigError(f"--warehouse {name} is unknown; there are {', '.join(names())}")


def _loaded(point: EntryPoint) -> type[Warehouse]:
    try:
        loaded: type[Warehouse] = point.load()
    except Exception as error:
        raise ConfigError(f"--warehouse {point.name}: {point.value} cannot be imported ({error})") from error
    return loaded
