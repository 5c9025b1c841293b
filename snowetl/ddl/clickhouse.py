"""ClickHouse's names of types, and its statements about tables of wide rows. Pure.

Arrays and tuples cannot be null in ClickHouse: a null array is an empty one, a null tuple one of nulls.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from snowetl.ddl.atomic import EVENT_FIELDS

if TYPE_CHECKING:
    import pyarrow as pa

LOAD_ID = "load_id"
"""The last column of each table: the load that the row came with, as the manifest names it."""

RESERVED = {"null": "null_"}
"""Names that a field of a tuple cannot have, and what it has instead."""
TIME = "DateTime64(6, 'UTC')"
_TYPES = {
    "str": "String", "ts": TIME, "int": "Int32", "txn": "Int32", "float": "Float64", "dec": "Decimal(18, 2)",
    "bool": "Bool",
}  # fmt: skip
_NOT_NULL = frozenset(("collector_tstamp", "event_id", "v_collector", "v_etl"))
_FEW_VALUES = frozenset(
    (
        "app_id", "platform", "event", "name_tracker", "v_tracker", "v_collector", "v_etl", "geo_country", "geo_region",
        "geo_region_name", "geo_timezone", "ip_netspeed", "page_urlscheme", "page_urlhost", "refr_urlscheme",
        "refr_medium", "refr_source", "mkt_medium", "mkt_source", "mkt_network", "se_category", "se_action", "br_name",
        "br_family", "br_version", "br_type", "br_renderengine", "br_lang", "br_colordepth", "os_name", "os_family",
        "os_manufacturer", "os_timezone", "dvce_type", "doc_charset", "tr_currency", "ti_currency", "base_currency",
        "event_vendor", "event_name", "event_format", "event_version",
    )
)  # fmt: skip
"""Columns of texts that recur: they are kept as numbers of a dictionary."""
_PLAIN = {
    "string": "String", "bool": "Bool", "int32": "Int32", "int64": "Int64", "double": "Float64",
    "date32[day]": "Date32",
}  # fmt: skip


def create_events(schema: str, table: str) -> str:
    """The table of events, before any entity was met.

    The events of a run have one ``load_tstamp``, so they are in one partition, and come into the table in one step.
    """
    columns = [*_event_columns(), f"load_tstamp {TIME}", f"{LOAD_ID} LowCardinality(String)"]
    index = f"INDEX {LOAD_ID} {LOAD_ID} TYPE set(64) GRANULARITY 4"
    return (
        f"CREATE TABLE IF NOT EXISTS {qualified(schema, table)} (\n"
        + "".join(f"    {line},\n" for line in columns)
        + f"    {index}\n) ENGINE = MergeTree\nPARTITION BY toYYYYMM(load_tstamp)\n"
        "ORDER BY (toDate(collector_tstamp), event_name, collector_tstamp, event_id)\n"
        "SETTINGS allow_nullable_key = 1"
    )


def _event_columns() -> Iterator[str]:
    for field in EVENT_FIELDS:
        type_ = "Float64" if field.name == "se_value" else _TYPES[field.type]
        type_ = type_ if field.name in _NOT_NULL else f"Nullable({type_})"
        yield f"{field.name} " + (f"LowCardinality({type_})" if field.name in _FEW_VALUES else type_)


def create_manifest(schema: str) -> str:
    """The runs that are loaded. No two rows have one ``base``: see the loader's lock."""
    return f"""CREATE TABLE IF NOT EXISTS {qualified(schema, "manifest")} (
    base String,
    types String,
    shredding_started {TIME},
    shredding_completed {TIME},
    min_collector_tstamp Nullable({TIME}),
    max_collector_tstamp Nullable({TIME}),
    ingestion_tstamp {TIME},
    compression String,
    processor_artifact String,
    processor_version String,
    count_good Nullable(Int64),
    run_identity Nullable(String),
    {LOAD_ID} String
) ENGINE = MergeTree
ORDER BY base"""


def create_bad_rows(schema: str) -> str:
    """Bad rows; ``failure`` and ``payload`` are texts of JSON."""
    return f"""CREATE TABLE IF NOT EXISTS {qualified(schema, "bad_rows")} (
    base LowCardinality(String),
    type LowCardinality(String),
    schema LowCardinality(Nullable(String)),
    failure_tstamp Nullable({TIME}),
    processor LowCardinality(Nullable(String)),
    failure Nullable(String),
    payload Nullable(String),
    {LOAD_ID} LowCardinality(String)
) ENGINE = MergeTree
ORDER BY (type, base)"""


def add_column(schema: str, table: str, name: str, type_: pa.DataType) -> str:
    return f"ALTER TABLE {qualified(schema, table)} ADD COLUMN IF NOT EXISTS {quoted(name)} {sql_type(type_)}"


def grow_column(schema: str, table: str, name: str, type_: pa.DataType) -> str:
    """Give a column a type with more fields. The server rewrites what it holds in the background."""
    sql = f"ALTER TABLE {qualified(schema, table)} MODIFY COLUMN {quoted(name)} {sql_type(type_)}"
    return f"{sql} SETTINGS alter_sync = 0"


def sql_type(type_: pa.DataType) -> str:
    """Everything may be null but arrays and tuples. Times are in UTC."""
    import pyarrow.types as kind

    if kind.is_struct(type_):
        members = [f"{quoted(RESERVED.get(member.name, member.name))} {sql_type(member.type)}" for member in type_]
        return f"Tuple({', '.join(members)})"
    if kind.is_list(type_):
        return f"Array({sql_type(type_.value_type)})"
    if kind.is_decimal(type_):
        return f"Nullable(Decimal({type_.precision}, {type_.scale}))"
    if kind.is_timestamp(type_):
        return f"Nullable({TIME})"
    return f"Nullable({_PLAIN.get(str(type_), 'String')})"


def renamed(type_: pa.DataType, names: Mapping[str, str]) -> pa.DataType:
    """A type whose fields have other names."""
    import pyarrow as pa
    import pyarrow.types as kind

    if kind.is_struct(type_):
        members = [(names.get(member.name, member.name), member) for member in type_]
        return pa.struct([member.with_name(name).with_type(renamed(member.type, names)) for name, member in members])
    if kind.is_list(type_):
        return pa.list_(type_.value_field.with_type(renamed(type_.value_type, names)))
    return type_


def quoted(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def qualified(schema: str, table: str) -> str:
    return f"{quoted(schema)}.{quoted(table)}"


def text(value: str | None) -> str:
    """The literal of a text. What UTF-8 cannot hold is replaced."""
    if value is None:
        return "NULL"
    plain = value.encode("utf-8", "replace").decode()
    return "'" + plain.replace("\\", "\\\\").replace("'", "\\'") + "'"
