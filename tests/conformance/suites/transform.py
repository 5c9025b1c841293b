"""``transform.jsonl``: parsing, shredding, wide rows, deduplication, discovery and messages of RDB Loader 5.6.3."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from snowetl.ddl import flat
from snowetl.ddl import parquet as types
from snowetl.ddl.redshift_cells import cell
from snowetl.dedupe import rules as dedupe
from snowetl.dedupe.rules import Key, Policy
from snowetl.errors import ConfigError
from snowetl.iglu.client import IgluClient
from snowetl.iglu.config import Repository, ResolverConfig
from snowetl.iglu.failures import ResolutionFailure
from snowetl.jvm import instants, jsontext
from snowetl.model.badrow import BadRow, Origin
from snowetl.model.fields import FIELDS, INDEX, NAMES
from snowetl.model.schema import SchemaCriterion, SchemaKey, SchemaVer
from snowetl.transform import columns, discovery, eventjson, formats, message
from snowetl.transform import event as events
from snowetl.transform.cells import extractor, values
from snowetl.transform.formats import Formats
from snowetl.transform.message import Completed, Semver
from snowetl.transform.rows import SchemaType
from snowetl.transform.schemas import Failure, Schemas
from snowetl.transform.transformer import SHRED, WIDE_JSON, WIDE_PARQUET, Transformer
from tests.conformance.runner import Mismatch, Unsupported
from tests.conformance.suites.ddl import _field as parquet_field

FILES = "transform.jsonl"
_ORIGIN = Origin("snowplow-transformer-batch", "<version>", 37_800_000)
_CLOCKS = ("attempts", "lastAttempt", "timestamp", "lookupHistory")


def run(case: dict[str, Any], vectors: Path) -> list[Mismatch] | Unsupported:
    kind = globals().get(f"_{case['kind']}")
    if kind is None:
        return Unsupported(f"kind {case['kind']}")
    return kind(case["input"], case["expected"], vectors)


def _compare(field: str, expected: Any, got: Any) -> list[Mismatch]:
    return [] if expected == got else [Mismatch(field, expected, got)]


class GivenSchemas:
    """Schemas written in a case, as ``{iglu:vendor/name/jsonschema/model: [{version, schema}]}``."""

    def __init__(self, families: Mapping[str, list[dict[str, Any]]]) -> None:
        self.lists: dict[tuple[str, str, int], list[SchemaKey]] = {}
        self.schemas: dict[SchemaKey, Any] = {}
        for family, versions in families.items():
            vendor, name, format_, model = family.removeprefix("iglu:").split("/")
            keys = [SchemaKey(vendor, name, format_, SchemaVer.parse(version["version"])) for version in versions]
            self.lists[vendor, name, int(model)] = keys
            for key, version in zip(keys, versions, strict=True):
                own = {"vendor": vendor, "name": name, "format": format_, "version": version["version"]}
                meta = "http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#"
                document = version["schema"] | {"self": own, "$schema": meta}
                self.schemas[key] = jsontext.loads_exact(jsontext.dumps(document))

    def schema(self, key: SchemaKey) -> Any:
        return self.schemas.get(key, ResolutionFailure({}))

    def schema_list(self, vendor: str, name: str, model: int) -> list[SchemaKey] | ResolutionFailure:
        return self.lists.get((vendor, name, model), ResolutionFailure({}))


def _formats(case: dict[str, Any]) -> Formats:
    given = case.get("formats", {})
    return Formats.parse(given.get("default", "TSV"), *(given.get(name, ()) for name in ("tsv", "json", "skip")))


# --- rows -----------------------------------------------------------------------------------------------------------


def _folders(rows: Iterable[Any]) -> tuple[dict[str, list[str]], list[dict[str, Any]]]:
    """Shredded rows by folder, and bad rows."""
    good: dict[str, list[str]] = {}
    bad = []
    for row in rows:
        if isinstance(row, BadRow):
            bad.append(row.to_dict())
        else:
            for shredded in row.rows:
                good.setdefault(shredded.table.folder, []).append(shredded.text)
    return good, bad


def _shred_tsv(case: dict[str, Any], expected: Any, vectors: Path) -> list[Mismatch]:
    transformer = Transformer(SHRED, GivenSchemas(case.get("iglu", {})), _ORIGIN, _formats(case))
    good, bad = _folders(map(transformer.rows, case["enriched"]))
    mismatches = _compare("bad", [], bad)
    for folder, rows in expected["output=good"].items():
        if isinstance(rows, list):
            mismatches += _compare(folder, sorted(rows), sorted(good.get(folder, [])))
    return mismatches


_shred_json = _shred_tsv


def _bad_row(case: dict[str, Any], expected: Any, vectors: Path) -> list[Mismatch]:
    transformer = Transformer(SHRED, GivenSchemas({}), _ORIGIN)
    _, bad = _folders(map(transformer.rows, case["enriched"]))
    return _compare("bad", expected, json.loads(json.dumps(bad)))


def _parsed(line: str) -> events.Event:
    event = events.parse(line)
    assert isinstance(event, events.Event), event
    return event


def _atomic_tsv(case: dict[str, Any], expected: Any, vectors: Path) -> list[Mismatch]:
    row = _parsed(case["enriched"]).row().split("\t")
    names = [field.name for field in FIELDS if field.type != "json"]
    got = dict(zip(names, row, strict=True))
    mismatches = _compare("column_count", expected["column_count"], len(row))
    for name, text in expected["changed_fields"].items():
        mismatches += _compare(name, text, got[name])
    return mismatches


def _tsv_value(case: dict[str, Any], expected: Any, vectors: Path) -> list[Mismatch]:
    return _compare("cell", expected, cell(jsontext.loads_exact(case["json"])))


def _tsv_properties(case: dict[str, Any], expected: Any, vectors: Path) -> list[Mismatch]:
    versions = [{"version": f"1-0-{number}", "schema": schema} for number, schema in enumerate(case["schemas"])]
    schemas = Schemas(GivenSchemas({"iglu:com.acme/event/jsonschema/1": versions}))
    found = schemas.model(SchemaKey.parse("iglu:com.acme/event/jsonschema/1-0-0"))
    assert not isinstance(found, Failure)
    columns = extractor([leaf.path for leaf in flat.ordered([version.schema for version in found])])
    data = jsontext.loads_exact(jsontext.dumps(case["data"]))
    return _compare("cells", expected, [cell(value) for value in values(columns, data)])


def _wide_row_name(case: dict[str, Any], expected: Any, vectors: Path) -> list[Mismatch]:
    vendor, name, _, version = case["schema"].removeprefix("iglu:").split("/")
    model = SchemaVer.parse(version).model
    return _compare("name", expected, eventjson.wide_column(f"{case['property']}_", vendor, name, model))


def _wide_row_json(case: dict[str, Any], expected: Any, vectors: Path) -> list[Mismatch]:
    row = json.loads(eventjson.wide_line(_parsed(case["enriched"])))
    wanted = case.get("look_only_at", list(dict.fromkeys((*expected, *row))))
    return [
        mismatch for key in wanted for mismatch in _compare(key, expected.get(key, "absent"), row.get(key, "absent"))
    ]


def _parquet_columns(case: dict[str, Any], expected: Any, vectors: Path) -> list[Mismatch]:
    vendor, name = case["vendor"], case["name"]
    families: dict[str, list[dict[str, Any]]] = {}
    for version, schema in case["schemas"].items():
        family = f"iglu:{vendor}/{name}/jsonschema/{version.split('-')[0]}"
        families.setdefault(family, []).append({"version": version, "schema": schema})
    met = [
        SchemaType(f"iglu:{vendor}/{name}/jsonschema/{version}", case["entity"])
        for version in case["versions_in_batch"]
    ]
    found = columns.entity_columns(met, Schemas(GivenSchemas(families)))
    got = [
        {
            "column": column.field.name,
            "versions": sorted(str(key.version) for key in column.keys),
            "field": {name: value for name, value in parquet_field(column.field).items() if name != "name"},
        }
        for column in found
    ]
    return _compare("columns", expected, got)


# --- configuration, messages ----------------------------------------------------------------------------------------


def _format_choice(case: dict[str, Any], expected: Any, vectors: Path) -> list[Mismatch]:
    tabular = _formats(case).is_tabular(SchemaKey.parse(case["schema"]))
    return _compare("format", expected, "tsv" if tabular else "json")


def _criterion_overlap(case: dict[str, Any], expected: Any, vectors: Path) -> list[Mismatch]:
    return _compare("overlap", expected, formats.overlap(*(SchemaCriterion.parse(case[side]) for side in ("a", "b"))))


def _shredding_complete(case: dict[str, Any], expected: Any, vectors: Path) -> list[Mismatch]:
    time = expected["data"]["timestamps"]["jobStarted"]
    completed = Completed(
        base=case.get("output", "s3://bucket/") + case.get("folder", "folder") + "/",
        types=frozenset(SchemaType(uri, column) for uri, column in case["inventory"]),
        started=time,
        completed=time,
        first=None,
        last=None,
        compression="GZIP",
        processor={"artifact": "test-shredder", "version": "1.1.2"},
        good=None,
        bad=None,
    )
    kind = WIDE_JSON if case["formats"].get("transformationType") == "widerow" else SHRED
    if kind == WIDE_JSON and case["formats"].get("fileFormat") == "parquet":
        kind = WIDE_PARQUET
    try:
        got: Any = message.shredding_complete(completed, kind, _formats(case), case["legacyMessageFormat"])
    except ConfigError:
        got = None
    return _compare("message", expected, got)


def _semver(case: dict[str, Any], expected: Any, vectors: Path) -> list[Mismatch]:
    version = Semver.parse(case["version"])
    return _compare("semver", expected, None if version is None else list(version))


def _discovery(case: dict[str, Any], expected: Any, vectors: Path) -> list[Mismatch]:
    given = case["run_interval"]
    interval = discovery.RunInterval.parse(given.get("sinceTimestamp"), given.get("sinceAge"), given.get("until"))
    now = datetime.fromisoformat(given.get("now", "2022-01-01T00:00:00Z"))
    sealed = case["shredded_with_shredding_complete"]
    wanted = interval.select(case["enriched"], now)
    return [
        *_compare("unprocessed", expected["unprocessed"], discovery.unprocessed(wanted, case["shredded"])),
        *_compare("incomplete", expected["incomplete"], discovery.incomplete(wanted, case["shredded"], sealed)),
    ]


# --- deduplication --------------------------------------------------------------------------------------------------


def _policy(case: dict[str, Any]) -> Policy:
    synthetic = case.get("synthetic", {})
    return Policy.parse(case.get("natural", True), synthetic.get("type", "BROADCAST"), synthetic.get("cardinality", 1))


def _dedup_rules(case: dict[str, Any], expected: Any, vectors: Path) -> list[Mismatch]:
    def etl(given: dict[str, Any]) -> int | None:
        return None if given.get("etl") is None else int(given["etl"].replace(":", ""))

    keys = [Key(given["id"], given["fp"], etl(given), (0, number)) for number, given in enumerate(case["events"])]
    decision = dedupe.decide(keys, _policy(case))
    names = {key.place: f"{key.event_id}/{key.fingerprint}" for key in keys}
    kept = [case["events"][key.place[1]] for key in keys if key.place not in decision.dropped]
    mismatches = []
    if "kept" in expected:
        mismatches += _compare("kept", expected["kept"], len(kept) if isinstance(expected["kept"], int) else kept)
    for name, chosen in (("new_ids", True), ("unchanged", False)):
        if name in expected:
            got = [names[key.place] for key in keys if (key.place in decision.renamed) is chosen]
            mismatches += _compare(name, sorted(expected[name]), sorted(got))
    return mismatches


def _dedup_cross_batch(case: dict[str, Any], expected: Any, vectors: Path) -> list[Mismatch]:
    manifest = {(item["eventId"], item["fingerprint"]): item["etlTime"] for item in case["manifest"]}

    def claim(key: Key) -> bool:
        assert key.fingerprint is not None
        return manifest.setdefault((key.event_id, key.fingerprint), case["batch_timestamp"]) == case["batch_timestamp"]

    keys = [Key(given["event_id"], given["fp"], None, (0, number)) for number, given in enumerate(case["events"])]
    decision = dedupe.decide(keys, Policy(), claim)
    good = [key.event_id for key in keys if key.place not in decision.dropped | decision.known]
    return [
        *_compare("good_event_ids", sorted(expected["good_event_ids"]), sorted(good)),
        *_compare("manifest_rows_after", expected["manifest_rows_after"], len(manifest)),
    ]


def _dedup_in_batch(case: dict[str, Any], expected: Any, vectors: Path) -> list[Mismatch]:
    parsed = [_parsed(line) for line in case["enriched"]]
    decision = dedupe.decide(
        [dedupe.key_of(event, (0, number)) for number, event in enumerate(parsed)], _policy(case["deduplication"])
    )
    transformer = Transformer(SHRED, GivenSchemas({}), _ORIGIN, Formats(case["format"]))
    rows = []
    for number, event in enumerate(parsed):
        if (0, number) in decision.renamed:
            dedupe.reidentify(event, dedupe.new_id(event.event_id, str(number)))
        if (0, number) not in decision.dropped:
            rows.append(transformer.transform(event))
    good, bad = _folders(rows)
    atomic = good["vendor=com.snowplowanalytics.snowplow/name=atomic/format=tsv/model=1"]
    ids = [row.split("\t")[INDEX["event_id"]] for row in atomic]
    mismatches = [*_compare("bad", [], bad), *_compare("good_count", expected["good_count"], len(atomic))]
    if isinstance(expected["event_ids"], list):
        return mismatches + _compare("event_ids", expected["event_ids"], ids)
    originals = {events.parse(line).event_id for line in case["enriched"]}  # type: ignore[union-attr]
    mismatches += _compare("new ids", [2, 0], [len(set(ids)), len(originals & set(ids))])
    erased = [row.replace(new, "<new>") for row, new in zip(atomic, ids, strict=True)]
    mismatches += _compare("atomic", sorted(expected["atomic_with_event_id_erased"]), sorted(erased))
    duplicates = good[expected["duplicate_context"]["folder"]]
    wanted = json.loads(expected["duplicate_context"]["row_with_rootId_erased"])
    shown = [json.loads(row.replace(new, "<new>")) for row, new in zip(duplicates, ids, strict=True)]
    return mismatches + _compare("duplicate_context", [wanted] * expected["duplicate_context"]["rows"], shown)


# --- whole files ----------------------------------------------------------------------------------------------------


def _text(path: Path) -> str:
    return gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text("utf-8")


def _lines(path: Path) -> list[str]:
    """Lines of a file; one that has comments has blank lines for the eye, too."""
    text = _text(path)
    lines = text.removesuffix("\n").split("\n") if text else []
    return [line for line in lines if line and not line.startswith("//")] if text.startswith("//") else lines


@lru_cache(maxsize=2)
def _registries(central: Path) -> IgluClient:
    repository = Repository("Iglu Central", 0, (), central.resolve().as_uri())
    return IgluClient(ResolverConfig((repository,)), now=_ORIGIN.timestamp)


class _WithAssets:
    """Iglu Central, and the schemas that come with an asset (a folder without ``schemas`` above)."""

    def __init__(self, central: Path, assets: Path) -> None:
        self._central = _registries(central)
        self._assets = assets

    def schema(self, key: SchemaKey) -> Any:
        path = self._assets / key.path
        return jsontext.loads_exact(path.read_text("utf-8")) if path.is_file() else self._central.schema(key)

    def schema_list(self, vendor: str, name: str, model: int) -> list[SchemaKey] | ResolutionFailure:
        folder = self._assets / vendor / name / "jsonschema"
        if not folder.is_dir():
            return self._central.schema_list(vendor, name, model)
        versions = sorted(SchemaVer.parse(path.name) for path in folder.glob(f"{model}-*"))
        return [SchemaKey(vendor, name, "jsonschema", version) for version in versions]


def _assets(case: dict[str, Any], expected: Any, vectors: Path) -> list[Mismatch]:
    central = vectors.parent / "iglu-central"
    source = _WithAssets(central, vectors / case["iglu"]) if "iglu" in case else _registries(central)
    kind = SHRED if case.get("formats", {}).get("transformationType", "shred") == "shred" else WIDE_JSON
    if case.get("formats", {}).get("fileFormat") == "parquet":
        kind = WIDE_PARQUET
    minimum = case.get("validations", {}).get("minimumTimestamp")
    oldest = None if minimum is None else instants.parse(minimum.removesuffix("Z"))
    lines = _lines(vectors / case["enriched_file"])
    found: list[columns.EntityColumn] = []
    if kind == WIDE_PARQUET:
        reader = Transformer(WIDE_JSON, source, _ORIGIN)
        met = {type_ for row in map(reader.rows, lines) if not isinstance(row, BadRow) for type_ in row.types}
        if "snowplow_duplicate_1" in _text(vectors / expected["parquet_schema"]):
            met.add(SchemaType(columns.DUPLICATE, "contexts"))
        found = columns.entity_columns(met, Schemas(source))  # type: ignore[assignment]
    transformer = Transformer(kind, source, _ORIGIN, columns=found, minimum_timestamp=oldest)
    rows = [transformer.rows(line) for line in lines]
    return [
        *_asset_bad(expected, rows, vectors),
        *_asset_good(expected, rows, kind, found, vectors),
        *_asset_message(expected, rows, kind, vectors),
    ]


def _asset_bad(expected: dict[str, Any], rows: list[Any], vectors: Path) -> list[Mismatch]:
    bad = [row.to_dict() for row in rows if isinstance(row, BadRow)]
    mismatches = []
    if "output=bad" in expected:
        wanted = [json.loads(line) for line in _lines(vectors / expected["output=bad"]) if line]
        mismatches += _compare("output=bad", _sorted(wanted), _sorted(bad))
    if "bad_event_ids" in expected:
        ids = [row["data"]["payload"]["event_id"] for row in bad if isinstance(row["data"]["payload"], dict)]
        mismatches += _compare("bad_event_ids", sorted(expected["bad_event_ids"]), sorted(ids))
    return mismatches


def _sorted(rows: list[Any]) -> list[str]:
    return sorted(json.dumps(_comparable(row), sort_keys=True) for row in rows)


def _comparable(value: Any) -> Any:
    if isinstance(value, dict):
        if "artifact" in value:
            return "processor"
        return {key: _comparable(item) for key, item in value.items() if key not in _CLOCKS}
    if isinstance(value, list):
        return [_comparable(item) for item in value]
    return float(value) if isinstance(value, float) else value


def _asset_good(
    expected: dict[str, Any], rows: list[Any], kind: str, found: list[columns.EntityColumn], vectors: Path
) -> list[Mismatch]:
    good = [row for row in rows if not isinstance(row, BadRow)]
    mismatches = []
    for name in ("good_count", "atomic_rows"):
        if name in expected:
            mismatches += _compare(name, expected[name], len(good))
    wanted = expected.get("output=good")
    if isinstance(wanted, dict):
        folders, _ = _folders(good)
        for folder, path in wanted.items():
            mismatches += _compare(folder, sorted(_lines(vectors / path)), sorted(folders[folder]))
    elif wanted is not None:
        lines = [json.loads(line) for line in _lines(vectors / wanted)]
        mismatches += _compare("output=good", _sorted(lines), _sorted([json.loads(row.line) for row in good]))
    if "parquet_schema" in expected:
        fields = (*columns.ATOMIC_FIELDS, *(column.field for column in found))
        text = _text(vectors / expected["parquet_schema"])
        mismatches += _compare("parquet_schema", _schema_lines(text), _message_lines(fields))
    if "values" in expected:
        mismatches += _compare("values", expected["values"], _entity_values(good, found))
    return mismatches


def _entity_values(good: list[Any], found: list[columns.EntityColumn]) -> list[dict[str, Any]]:
    place = NAMES.index("event_id")
    count = len(columns.ATOMIC_FIELDS)
    return [
        {column.field.name: value for column, value in zip(found, row.values[count:], strict=True) if value is not None}
        for row in sorted(good, key=lambda row: row.values[place])
    ]


def _schema_lines(text: str) -> list[str]:
    """A Parquet schema without its own name and without what the writers call differently."""
    same = {
        "(UTF8)": "(STRING)",
        "(JSON)": "(STRING)",
        "(TIMESTAMP(MICROS,true))": "(TS)",
        "(TIMESTAMP_MICROS)": "(TS)",
    }
    for theirs, ours in same.items():
        text = text.replace(theirs, ours)
    return [line.strip() for line in text.splitlines()[1:] if line.strip()]


_SAME_TYPES = (
    ("(UTF8)", "(STRING)"),
    ("(JSON)", "(STRING)"),
    ("(TIMESTAMP(MICROS,true))", "(TS)"),
    ("(TIMESTAMP_MICROS)", "(TS)"),
)
_PRIMITIVES = {
    "string": "binary {} (STRING);",
    "json": "binary {} (STRING);",
    "boolean": "boolean {};",
    "integer": "int32 {};",
    "long": "int64 {};",
    "double": "double {};",
    "timestamp": "int64 {} (TS);",
    "date": "int32 {} (DATE);",
}


def _message_lines(fields: Iterable[types.Field]) -> list[str]:
    return [line for field in fields for line in _field_lines(field.name, field.type, field.nullable)] + ["}"]


def _field_lines(name: str, type_: types.FieldType, nullable: bool) -> list[str]:
    repetition = "optional" if nullable else "required"
    if isinstance(type_, types.DecimalType):
        kind = {9: "int32", 18: "int64", 38: "fixed_len_byte_array(16)"}[type_.digits]
        return [f"{repetition} {kind} {name} (DECIMAL({type_.digits},{type_.scale}));"]
    if isinstance(type_, types.Array):
        inner = _field_lines("element", type_.element, type_.element_nullable)
        return [f"{repetition} group {name} (LIST) {{", "repeated group list {", *inner, "}", "}"]
    if isinstance(type_, types.Struct):
        members = [line for field in type_.fields for line in _field_lines(field.name, field.type, field.nullable)]
        return [f"{repetition} group {name} {{", *members, "}"]
    return [f"{repetition} {_PRIMITIVES[type_].format(name)}"]


def _asset_message(expected: dict[str, Any], rows: list[Any], kind: str, vectors: Path) -> list[Mismatch]:
    if "message" not in expected:
        return []
    wanted = json.loads(_text(vectors / expected["message"]))
    good = [row for row in rows if not isinstance(row, BadRow)]
    times = [row.collector_tstamp for row in good]
    completed = Completed(
        base=wanted["data"]["base"],
        types=frozenset(type_ for row in good for type_ in row.types),
        started=wanted["data"]["timestamps"]["jobStarted"],
        completed=wanted["data"]["timestamps"]["jobCompleted"],
        first=instants.to_iso(min(times)),
        last=instants.to_iso(max(times)),
        compression=wanted["data"]["compression"],
        processor=wanted["data"]["processor"],
        good=len(good),
        bad=len(rows) - len(good),
    )
    got = message.shredding_complete(completed, kind, Formats())
    for document in (wanted, got):
        document["data"]["typesInfo"]["types"].sort(key=lambda type_: json.dumps(type_, sort_keys=True))
    return _compare("message", wanted, got)
