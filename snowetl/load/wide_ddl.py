"""DDL of a table of events with a column for each model, in the SQL of warehouses for wide rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from snowetl.ddl import bigquery, clickhouse, databricks, duckdb, snowflake
from snowetl.ddl.models import Version
from snowetl.load.evolution import canonical

if TYPE_CHECKING:
    import pyarrow as pa


class WideDialect(NamedTuple):
    """``add_column`` takes schema, table, column and type.

    ``typed`` columns hold the versions of a model that go together; the others have columns of their own. Those of
    JSON hold all.
    """

    create_events: Callable[[str, str], str]
    add_column: Callable[[str, str, str, pa.DataType], str]
    typed: bool = True


WIDE_DIALECTS: Mapping[str, WideDialect] = {
    "snowflake": WideDialect(snowflake.create_events, snowflake.add_column_for, typed=False),
    "duckdb": WideDialect(
        duckdb.create_events, lambda schema, table, name, type_: duckdb.add_column(schema, table, [name], type_)
    ),
    "databricks": WideDialect(
        databricks.create_events, lambda schema, table, name, type_: databricks.add_column(schema, table, [name], type_)
    ),
    "clickhouse": WideDialect(clickhouse.create_events, clickhouse.add_column),
    "bigquery": WideDialect(bigquery.create_events, bigquery.add_column),
}


def statements(dialect: str, schema: str, models: Sequence[Sequence[Version]]) -> Iterator[str]:
    """The table of events, and for each model its columns: as event of its own, and as entity."""
    from snowetl.transform.arrow import arrow_schema
    from snowetl.transform.columns import family_columns
    from snowetl.transform.schemas import Version as Published

    sql = WIDE_DIALECTS[dialect]
    yield sql.create_events(schema, "events")
    for model in models:
        published = [Published(*version) for version in model]
        for is_event in (True, False):
            columns = family_columns(is_event, [version.key for version in published], published)
            fields = arrow_schema([column.field for column in columns])
            for field in fields if sql.typed else list(fields)[:1]:
                yield sql.add_column(schema, "events", field.name, canonical(field.type))
