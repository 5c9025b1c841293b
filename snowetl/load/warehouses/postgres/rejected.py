"""Tables ``rejected_rows`` and ``rejected_values``: what a load put aside, why, and what to load it again with."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from snowetl.jvm import jsontext
from snowetl.load import rows
from snowetl.load.manifest import row_of
from snowetl.load.plan import Aside, Copy, Rejected
from snowetl.load.report import TableLoad
from snowetl.load.run import Model, TransformedRun

_BATCH = 2_000


class RejectedRow(NamedTuple):
    """One row. ``columns`` are the names of its cells, as a JSON list; ``""`` for a cell no column takes."""

    base: str
    table: str
    reason: str
    line: str
    model: Model
    columns: str | None


class RejectedRows:
    """Writes to the tables, and reads rows back for another try."""

    def __init__(self, connection: Any, schema: str) -> None:
        self._connection = connection
        self._table = f"{schema}.rejected_rows"
        self._values = f"{schema}.rejected_values"

    def keep(self, row: RejectedRow) -> None:
        self._connection.execute(
            f"INSERT INTO {self._table} (base, table_name, reason, line, model, columns, rejected_tstamp) "
            "VALUES (%s, %s, %s, %s, %s, %s, now() AT TIME ZONE 'UTC')",
            [row.base, row.table, row.reason, row.line, row.model.to_json(), row.columns],
        )

    def keep_value(self, copy: Copy, row: Mapping[str, str | None], column: str, reason: str, value: str) -> None:
        """One value whose row is in the table without it."""
        is_event = "event_id" in row and "root_id" not in row
        id_, time = ("event_id", "collector_tstamp") if is_event else ("root_id", "root_tstamp")
        key = copy.key.uri
        if "schema_version" in row:
            key = f"iglu:{copy.key.vendor}/{copy.key.name}/jsonschema/{row['schema_version']}"
        self._connection.execute(
            f"INSERT INTO {self._values} (root_id, root_tstamp, schema_key, column_name, reason, value) "
            "VALUES (%s, %s, %s, %s, %s, %s)",
            [row.get(id_), row.get(time), key, column, reason, jsontext.dumps(value)],
        )

    def put_aside(self, aside: Aside, run: TransformedRun) -> TableLoad:
        """All rows of a model that has no table."""
        loaded = TableLoad(self._table)
        for folder in aside.folders:
            named = None if folder.columns is None else json.dumps([column.name for column in folder.columns])
            head = (row_of(run).base, aside.model.name, aside.reason)
            tail = (aside.model.to_json(), named)
            with self._connection.cursor() as cursor:
                statement = (
                    f"COPY {self._table} (base, table_name, reason, line, model, columns, rejected_tstamp) FROM STDIN"
                )
                stamp = self._connection.execute("SELECT now() AT TIME ZONE 'UTC'").fetchone()[0]
                with cursor.copy(statement) as out:
                    for chunk in rows.read_chunks(folder.files):
                        for line in chunk.replace(b"\x00", b"").decode("utf-8", "replace").split("\n")[:-1]:
                            out.write_row((*head, line, *tail, stamp))
                loaded.rejected += cursor.rowcount
        return loaded

    def groups(self) -> list[Rejected]:
        """What waits: by run, model, and columns of the rows. Rows of earlier releases do not say what they are."""
        found = self._connection.execute(
            f"SELECT base, model, columns, count(*) FROM {self._table} WHERE model IS NOT NULL "
            "GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
        ).fetchall()
        return [
            Rejected(base, Model(*json.loads(model)), None if columns is None else tuple(json.loads(columns)), count)
            for base, model, columns, count in found
        ]

    def lines(self, rejected: Rejected) -> Iterator[bytes]:
        """The rows that wait, in chunks as files have them."""
        with self._connection.cursor("snowetl_rejected") as cursor:
            cursor.itersize = _BATCH
            cursor.execute(f"SELECT line FROM {self._table} WHERE {_GROUP}", _group(rejected))
            while found := cursor.fetchmany(_BATCH):
                yield "".join(f"{line}\n" for (line,) in found).encode()

    def forget(self, rejected: Rejected) -> None:
        """Delete what waited; what this transaction put aside anew stays."""
        self._connection.execute(f"DELETE FROM {self._table} WHERE {_GROUP}", _group(rejected))


_GROUP = (
    "base = %s AND model = %s AND columns IS NOT DISTINCT FROM %s "
    "AND rejected_tstamp IS DISTINCT FROM (now() AT TIME ZONE 'UTC')"
)


def _group(rejected: Rejected) -> list[str | None]:
    columns = None if rejected.columns is None else json.dumps(list(rejected.columns))
    return [rejected.base, rejected.model.to_json(), columns]
