"""``transform_oracle/``: 2,871 enriched lines and 218 schema families, as RDB Loader 5.6.3 transforms them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from pathlib import Path
from typing import Any

from snowetl.ddl import flat, names, redshift
from snowetl.ddl import parquet as types
from snowetl.ddl.redshift_cells import cell
from snowetl.ddl.schema import Schema
from snowetl.ddl.tables import Table
from snowetl.iglu.client import IgluClient
from snowetl.iglu.config import Repository, ResolverConfig
from snowetl.jvm import instants, jsontext
from snowetl.jvm.json_number import JsonNumber
from snowetl.jvm.strings import to_utf8
from snowetl.model.badrow import BadRow, Origin
from snowetl.model.schema import SchemaKey, SchemaVer
from snowetl.transform import columns
from snowetl.transform.formats import Formats
from snowetl.transform.rows import SchemaType, ShreddedRow
from snowetl.transform.schemas import Failure, Schemas, self_key
from snowetl.transform.transformer import SHRED, WIDE_JSON, WIDE_PARQUET, Transformer
from tests.conformance.runner import Mismatch, Unsupported

FILES = "transform_oracle/*.jsonl.gz"
_ORIGIN = Origin("oracle-transformer", "5.6.3", 37_800_000)
_CLOCKS = ("attempts", "lastAttempt", "timestamp")
_COLUMNS = {"SelfDescribingEvent": "unstruct_event", "Context": "contexts"}
_REJECTED = "rejected_values"
_LAST_YEAR = re.compile(r"(^|\t)[+-]10{9}-")
_PROPERTIES = {"unstruct_event": "SELF_DESCRIBING_EVENT", "contexts": "CONTEXT", "derived_contexts": "CONTEXT"}


def run(case: dict[str, Any], vectors: Path) -> list[Mismatch] | Unsupported:
    source = _registries(vectors)
    if "tsv" in case:
        mismatches = _line(case, source)
        if _LAST_YEAR.search(case["tsv"]):
            return [mismatch._replace(field=f"year 10^9: {mismatch.field}") for mismatch in mismatches]
        return mismatches
    if "what" in case:
        return _batch(case, _shared_schemas(source))
    return _ddl(case, source)


@lru_cache(maxsize=1)
def _registries(vectors: Path) -> IgluClient:
    central, extra = vectors.parent / "iglu-central", vectors / "oracle" / "iglu-extra"
    repositories = (
        Repository("Iglu Central", 1, ("com.snowplowanalytics",), central.resolve().as_uri()),
        Repository("Oracle Extra", 2, (), extra.resolve().as_uri()),
    )
    return IgluClient(ResolverConfig(repositories, cache_size=5000), now=_ORIGIN.timestamp)


@lru_cache(maxsize=4)
def _transformer(kind: str, source: IgluClient, default: str = "TSV") -> Transformer:
    return Transformer(kind, source, _ORIGIN, Formats(default))


# --- lines ----------------------------------------------------------------------------------------------------------


def _line(case: dict[str, Any], source: IgluClient) -> list[Mismatch]:
    line, expected = case["tsv"], case["expect"]
    mismatches: list[Mismatch] = []
    for name, default in (("shred", "TSV"), ("shred_json", "JSON")):
        if name in expected:
            mismatches += _compare_shredded(name, expected[name], _transformer(SHRED, source, default).rows(line))
    wide = _transformer(WIDE_JSON, source).rows(line)
    mismatches += _compare_wide(expected["widerow_json"], wide)
    if "types" in expected and not isinstance(wide, BadRow):
        mismatches += _compare("types", _set(expected["types"] or []), _set(map(_type, wide.types)))
    if "validations" in expected:
        minimum = instants.parse(expected["validations"]["minimumTimestamp"].removesuffix("Z"))
        bad = Transformer(SHRED, source, _ORIGIN, minimum_timestamp=minimum).rows(line)
        if isinstance(bad, BadRow) and bad.type == "generic_error":
            mismatches += _compare_bad("validations", expected["validations"]["bad"], bad)
        else:
            mismatches.append(Mismatch("validations.outcome", "a generic_error", str(bad)))
    if "truncated" in expected:
        mismatches += _truncated(expected["truncated"], line, source)
    if "parquet" in expected:
        mismatches += _parquet(expected["parquet"], line, source)
    return mismatches


def _compare(field: str, expected: Any, got: Any) -> list[Mismatch]:
    return [] if expected == got else [Mismatch(field, expected, got)]


def _set(values: Any) -> list[str]:
    return sorted(json.dumps(value, sort_keys=True) for value in values)


def _type(type_: SchemaType) -> dict[str, str]:
    return {"schemaKey": type_.uri, "snowplowEntity": _PROPERTIES[type_.column], "shredProperty": type_.column}


def _compare_shredded(name: str, expected: dict[str, Any], got: Any) -> list[Mismatch]:
    if "exception" in expected:
        return [] if isinstance(got, BadRow) else [Mismatch(f"{name}.exception", "a bad row", "rows")]
    if isinstance(got, BadRow):
        if "rows" in expected and _is_out_of_years(got):
            return [Mismatch(f"{name}.outcome(year)", "rows", got.to_json())]
        return _compare_bad(name, expected.get("bad") or expected.get("bad_text"), got)
    if "rows" not in expected:
        return [Mismatch(f"{name}.outcome", "a bad row", "rows")]
    rows = [_row(row) for row in got.rows if row.table.name != _REJECTED]
    noted = [_noted(row.text.split("\t")[-1]) for row in got.rows if row.table.name == _REJECTED]
    mismatches = _compare(f"{name}.count", len(expected["rows"]), len(rows))
    mismatches += _compare(f"{name}.rejected_values", [], noted)
    for number, (wanted, row) in enumerate(zip(expected["rows"], rows, strict=False)):
        mismatches += [
            Mismatch(f"{name}[{number}].{_field(key, wanted[key], row[key], noted)}", wanted[key], row[key])
            for key in row
            if row[key] != wanted[key]
        ]
    return mismatches


def _noted(text: str) -> Any:
    try:
        return jsontext.loads_exact(text)
    except jsontext.JsonError:  # cut to the 65,535 bytes of its column
        return text


def _is_out_of_years(bad: BadRow) -> bool:
    failure = bad.to_dict()["data"]["failure"]
    return isinstance(failure, list) and all(error.get("expected") == "Timestamp" for error in failure)


def _field(key: str, expected: Any, got: Any, noted: list[Any]) -> str:
    """The field of a mismatch, with the rule where all cells that differ follow one.

    ``row(offset)``: the same instants, ours in UTC. ``row(copy)``: these, numbers spelled otherwise, and values left
    out because Redshift refuses them, which are among those ``noted``. ``row(nul)``: blanks for NUL characters, which
    do not count for the other two.
    """
    if key != "row" or expected.count("\t") != got.count("\t"):
        return key
    cells = zip(expected.split("\t"), got.split("\t"), strict=True)
    pairs = [(one, other) for one, other in cells if one.replace("\x00", " ") != other]
    if not pairs:
        return "row(nul)"
    if all(_is_same_instant(one, other) for one, other in pairs):
        return "row(offset)"
    texts = {to_utf8(cell(value)).decode() for value in noted} | set(map(_as_tsv, noted))
    left_out = all(
        _is_same_instant(one, other) or _is_same_number(one, other) or (other in ("", "\\N", "0") and one in texts)
        for one, other in pairs
    )
    return "row(copy)" if left_out else key


def _as_tsv(value: Any) -> str:
    instant = instants.parse(value.removesuffix("Z")) if isinstance(value, str) else None
    return "" if instant is None else instants.to_tsv(instant)


def _is_same_number(expected: str, got: str) -> bool:
    try:
        return Decimal(expected) == Decimal(got)
    except InvalidOperation:
        return False


def _is_same_instant(expected: str, got: str) -> bool:
    try:
        return got.endswith("Z") and datetime.fromisoformat(expected.upper()) == datetime.fromisoformat(got)
    except (ValueError, TypeError):
        return False


def _row(row: ShreddedRow) -> dict[str, Any]:
    return {
        "vendor": row.table.vendor,
        "name": row.table.name,
        "model": row.table.model,
        "output": row.table.output,
        "row": to_utf8(row.text).decode(),
    }


def _compare_bad(name: str, expected: Any, got: BadRow) -> list[Mismatch]:
    if expected is None:
        return [Mismatch(f"{name}.outcome", "rows", got.to_json())]
    try:
        wanted = json.loads(expected) if isinstance(expected, str) else expected
        ours = json.loads(to_utf8(got.to_json()))
    except RecursionError:
        return [Mismatch(f"{name}.nested too deep", expected, got.to_json())]
    if name == "validations":
        for row in (wanted, ours):
            row["data"]["payload"] = json.loads(row["data"]["payload"])
    return _differences(f"{name}.bad", _lenient(wanted), _lenient(ours))


def _lenient(value: Any) -> Any:
    """Without what the clock says, and lone surrogates as they are written."""
    if isinstance(value, dict):
        return {_lenient(key): _lenient(item) for key, item in value.items() if key not in _CLOCKS}
    if isinstance(value, list):
        return [_lenient(item) for item in value]
    return to_utf8(value).decode() if isinstance(value, str) else value


def _differences(path: str, expected: Any, got: Any) -> list[Mismatch]:
    """Where two JSON values differ, by path."""
    if isinstance(expected, dict) and isinstance(got, dict):
        return [
            mismatch
            for key in dict.fromkeys((*expected, *got))
            for mismatch in _differences(f"{path}.{key}", expected.get(key, "(absent)"), got.get(key, "(absent)"))
        ]
    if isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        return [
            mismatch
            for number, (one, other) in enumerate(zip(expected, got, strict=True))
            for mismatch in _differences(f"{path}[{number}]", one, other)
        ]
    same = expected == got and isinstance(expected, bool) == isinstance(got, bool)
    return [] if same else [Mismatch(path, expected, got)]


def _compare_wide(expected: dict[str, Any], got: Any) -> list[Mismatch]:
    if "exception" in expected:
        return [] if isinstance(got, BadRow) else [Mismatch("widerow_json.exception", "a bad row", "a row")]
    if isinstance(got, BadRow):
        return _compare_bad("widerow_json", expected.get("bad") or expected.get("bad_text"), got)
    wanted = json.loads(expected["row_text"]) if "row_text" in expected else expected.get("row")
    if wanted is None:
        return [Mismatch("widerow_json.outcome", "a bad row", "a row")]
    return _differences("widerow_json", _lenient(wanted), _lenient(json.loads(to_utf8(got.line))))


def _truncated(expected: dict[str, Any], line: str, source: IgluClient) -> list[Mismatch]:
    lengths = columns.atomic_lengths(source)
    mismatches = []
    for name, kind in (("shred", SHRED), ("widerow_json", WIDE_JSON)):
        got = Transformer(kind, source, _ORIGIN, max_lengths=lengths).rows(line)
        compare = _compare_wide if kind == WIDE_JSON else lambda wanted, rows: _compare_shredded("shred", wanted, rows)
        mismatches += [
            mismatch._replace(field=f"truncated.{mismatch.field}") for mismatch in compare(expected[name], got)
        ]
    return mismatches


# --- Parquet --------------------------------------------------------------------------------------------------------


def _parquet(expected: dict[str, Any], line: str, source: IgluClient) -> list[Mismatch]:
    event = _transformer(WIDE_JSON, source).rows(line)
    met = frozenset() if isinstance(event, BadRow) else event.types
    entity_columns = columns.entity_columns(met, _shared_schemas(source))
    if isinstance(entity_columns, Failure):
        wanted = expected.get("bad")
        if wanted is None:
            return [Mismatch("parquet.outcome", "rows", entity_columns.message)]
        return _differences("parquet.bad", _lenient(wanted["data"]["failure"]), _lenient([entity_columns.message]))
    got = Transformer(WIDE_PARQUET, source, _ORIGIN, columns=entity_columns).rows(line)
    if "exception" in expected:
        return [] if isinstance(got, BadRow) else [Mismatch("parquet.exception", "a bad row", "a row")]
    if isinstance(got, BadRow) and "atomic" in expected and _only_decimals(got):
        return [Mismatch("parquet.decimal with too many digits", "rows", got.to_json())]
    if isinstance(got, BadRow):
        return _compare_bad("parquet", expected.get("bad") or expected.get("bad_text"), got)
    if "atomic" not in expected:
        return [Mismatch("parquet.outcome", "a bad row", "a row")]
    fields = (*columns.ATOMIC_FIELDS, *(column.field for column in entity_columns))
    shown = [_value(field.type, value) for field, value in zip(fields, got.values, strict=True)]
    atomic = {
        field.name: value for field, value in zip(columns.ATOMIC_FIELDS, shown, strict=False) if value is not None
    }
    own = [_column(column.field) for column in entity_columns]
    return [
        *_differences("parquet.atomic", _lenient(expected["atomic"]), _lenient(atomic)),
        *_differences("parquet.columns", expected["columns"], own),
        *_differences("parquet.values", _lenient(expected["values"]), _lenient(shown[len(columns.ATOMIC_FIELDS) :])),
    ]


def _only_decimals(row: BadRow) -> bool:
    failures = row.data["failure"]
    return isinstance(failures, list) and all(f.get("expected", "").startswith("Decimal(") for f in failures)


@lru_cache(maxsize=2)
def _shared_schemas(source: IgluClient) -> Schemas:
    return Schemas(source)


def _column(field: types.Field) -> dict[str, Any]:
    return {"name": field.name, "type": _type_json(field.type), "nullable": field.nullable}


def _type_json(type_: types.FieldType) -> Any:
    if isinstance(type_, types.DecimalType):
        return {"type": "decimal", "precision": type_.digits, "scale": type_.scale}
    if isinstance(type_, types.Array):
        return {"type": "array", "element": _type_json(type_.element), "elementNullable": type_.element_nullable}
    if isinstance(type_, types.Struct):
        return {"type": "struct", "fields": [_column(field) for field in type_.fields]}
    return type_


def _value(type_: types.FieldType, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(type_, types.DecimalType):
        return {"decimal": format(value, "f")}
    if isinstance(type_, types.Array):
        return [_value(type_.element, member) for member in value]
    if isinstance(type_, types.Struct):
        return {field.name: _value(field.type, value[field.name]) for field in type_.fields}
    named = {"timestamp": "timestamp_micros", "date": "epoch_day", "json": "json"}
    if type_ in named:
        return {named[str(type_)]: value}
    return float(value) if isinstance(value, JsonNumber) else value


def _batch(case: dict[str, Any], schemas: Schemas) -> list[Mismatch]:
    if case["what"] == "atomic":
        return _differences("columns", case["columns"], [_column(field) for field in columns.ATOMIC_FIELDS])
    met = [
        SchemaType(
            type_["schemaKey"], "unstruct_event" if type_["snowplowEntity"] == "SelfDescribingEvent" else "contexts"
        )
        for type_ in case["types"]
    ]
    found = columns.entity_columns(met, schemas)
    if isinstance(found, Failure):
        return _differences("error", _lenient(case.get("error")), _lenient(found.message))
    got = [_column(column.field) | {"matchingKeys": sorted(key.uri for key in column.keys)} for column in found]
    wanted = [column | {"matchingKeys": sorted(column["matchingKeys"])} for column in case.get("columns", [])]
    return _differences("columns", wanted, got)


# --- DDL ------------------------------------------------------------------------------------------------------------


def _ddl(case: dict[str, Any], source: IgluClient) -> list[Mismatch]:
    """Tables and lists are named as the schemas name themselves: some files are not what their path says."""
    key = SchemaKey(case["vendor"], case["name"], "jsonschema", SchemaVer(case["model"], 0, 0))
    versions = _shared_schemas(source).versions(key)
    if isinstance(versions, Failure):
        return _differences("error", _lenient(case.get("error")), _lenient(versions.message))
    if "error" in case:
        return [Mismatch("error", case["error"], "columns")]
    own = [self_key(source.schema(version.key)) for version in versions]
    leaves = flat.ordered([version.schema for version in versions])
    table = names.table_name(own[-1])
    last = own[-1]
    mismatches = [
        *_compare("table", case["table"], table),
        *_compare("schema_list", case["schema_list"], [key.uri for key in own]),
        *_table(case["redshift_ddl"], table, last, [version.schema for version in versions]),
        *_compare("comment_on", case["comment_on"], redshift.comment_on_table("atomic", table, last)),
        *_differences("columns", case["columns"], _ddl_columns(leaves)),
        *_differences("properties", case["properties"], [_property(leaf) for leaf in leaves]),
    ]
    for migration in case["migrations"]:
        mismatches += _migration(migration, table, own, [version.schema for version in versions])
    return mismatches


def _table(expected: str, name: str, key: SchemaKey, schemas: Sequence[Schema]) -> list[Mismatch]:
    """The table; where a column of ours only takes more (no NOT NULL, a longer text), the mismatch says so."""
    table = redshift.table(schemas)
    assert isinstance(table, Table)
    got = redshift.create("atomic", name, table, key)[0]
    lines = list(zip(expected.split("\n"), got.split("\n"), strict=False))
    wider = len(lines) == got.count("\n") + 1 and all(_takes_more(one.split(), other.split()) for one, other in lines)
    return _compare("redshift_ddl(wider)" if wider else "redshift_ddl", expected, got)


def _takes_more(expected: list[str], got: list[str]) -> bool:
    if expected == got:
        return True
    shared = list(zip(expected, got, strict=False))
    text = all(part.startswith(("CHAR(", "VARCHAR(")) for part in (expected[1], got[1]))
    nullable = [part.rstrip(",") for part in expected] == [*(part.rstrip(",") for part in got), "NOT", "NULL"]
    return nullable or (text and all(one == other for place, (one, other) in enumerate(shared) if place not in (1, 3)))


def _ddl_columns(leaves: Sequence[flat.Leaf]) -> list[dict[str, Any]]:
    return [
        {
            "name": column.name,
            "type": column.type,
            "attributes": [f"ENCODE {column.encoding}"],
            "constraints": ["NOT NULL"] if column.not_null else [],
        }
        for column in (*redshift.META_COLUMNS, *redshift.columns(leaves))
    ]


def _property(leaf: flat.Leaf) -> dict[str, Any]:
    return {
        "pointer": "".join(f"/properties/{name}" for name in leaf.path),
        "data_pointer": "/" + "/".join(leaf.path),
        "name": leaf.name,
        "nullable": leaf.nullable,
    }


def _migration(
    case: dict[str, Any], table: str, keys: Sequence[SchemaKey], schemas: Sequence[Schema]
) -> list[Mismatch]:
    numbers = [str(key.version) for key in keys]
    start, end = numbers.index(case["from"]), numbers.index(case["to"])
    before_it, after_it = (redshift.table(schemas[: place + 1]) for place in (start, end))
    assert isinstance(before_it, Table) and isinstance(after_it, Table)
    migration = redshift.alter("atomic", table, keys[end], before_it.held(), after_it)
    comment = redshift.comment_on_table("atomic", table, keys[end])
    name = f"migrations[{case['from']}..{case['to']}]"
    before = [statement for statement in migration.before if statement != comment]
    inside = [statement for statement in migration.inside if statement != comment]
    return [
        *_compare(f"{name}.pre_transaction", sorted(case["pre_transaction"]), sorted(before)),
        *_compare(f"{name}.in_transaction", case["in_transaction"], inside),
    ]
