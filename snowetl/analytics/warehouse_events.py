"""Events of a warehouse, read back for cubes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, cast

from snowetl.errors import ConfigError, NothingToDo
from snowetl.load.preflight import check_target
from snowetl.load.target import Target
from snowetl.load.warehouse import ReadingSession
from snowetl.load.warehouses import names, warehouse_class

if TYPE_CHECKING:
    import pyarrow as pa


class WarehouseEvents:
    """Columns of a table of events. Raises ``ConfigError`` for a warehouse that cannot be read back or reached."""

    def __init__(self, target: Target, table: str, columns: Sequence[str]) -> None:
        if not target.capabilities.reads_back:
            others = [name for name in names() if warehouse_class(name).capabilities.reads_back]
            raise ConfigError(
                f"{target.warehouse} is not read back by snowetl: let it count by itself, in SQL, or give the enriched "
                f"folder (--input-folder). These are: {', '.join(others)}"
            )
        check_target(target, lambda said: None)
        self._target = target
        self._table = table
        self._columns = columns

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Raises ``NothingToDo`` where the table is not there, ``ConfigError`` where it lacks columns; ``LoadError``,
        ``TargetError``."""
        with self._target.open() as warehouse, warehouse.session() as session:
            tables = session.tables()
            if self._table not in tables.comments:
                raise NothingToDo(f"{self._target} has no table {self._table}: `snowetl load` makes it")
            present = tables.columns.get(self._table, self._columns)
            lacking = [column for column in self._columns if column not in present]
            if lacking:
                raise ConfigError(
                    f"{self._table} of {self._target} lacks {', '.join(lacking)}: another loader made it; the next "
                    "`snowetl load` into it adds them"
                )
            yield from cast(ReadingSession, session).read(self._table, self._columns)
