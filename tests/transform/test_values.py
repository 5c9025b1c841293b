"""What a valid event holds is what SQL returns: whole families of schemas, through the transform, into Postgres.

``python -m tests.properties values`` goes on for ten minutes, with other schemas and values each round.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any, Protocol

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from snowetl.cli.main import main
from snowetl.ddl import names, postgres
from snowetl.ddl.families import family, recovery_table
from snowetl.ddl.schema import parse
from snowetl.ddl.tables import Table
from snowetl.iglu.validation import Validator, compile_schema
from snowetl.jvm import jsontext
from snowetl.model.badrow import BadRow
from snowetl.model.schema import SchemaKey
from snowetl.transform.rows import RowTable, ShreddedRows
from snowetl.transform.transformer import SHRED, Transformer
from tests.transform import generated
from tests.transform.support import ORIGIN, Registry, line, self_describing

_BATCHES = 30
SEED = int(os.environ.get("SNOWETL_VALUES_SEED", "1"))
"""Of the values sent under the schemas of Iglu Central."""
CENTRAL = Path(__file__).parents[3] / "shared" / "iglu-central" / "schemas"
ID = "00000000-0000-4000-8000-{:012d}"
WRAPPER = "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-1"


class Family(Protocol):
    """Versions of a schema, to make data of."""

    documents: Sequence[dict[str, Any]]

    def version(self, number: int) -> str: ...


class Sent(Family, Protocol):
    """A family whose table has a name, and the data that were sent with their events' ids."""

    key: SchemaKey
    name: str
    sent: list[tuple[str, Any]]


class Model:
    """A family of schemas: its key and its versions, and the data that were sent."""

    def __init__(self, key: SchemaKey, documents: Sequence[dict[str, Any]]) -> None:
        self.key = key
        self.documents = documents
        table = postgres.table([parse(document) for document in documents])  # type: ignore[misc]
        assert isinstance(table, Table)
        self.table = table
        self.name = names.table_name(key, postgres.MAX_NAME_BYTES)
        self.sent: list[tuple[str, Any]] = []
        self.uris: dict[str, str] = {}
        """The schema of what was sent, by the id of its event."""

    def version(self, number: int) -> str:
        return f"iglu:{self.key.vendor}/{self.key.name}/jsonschema/1-0-{number}"


def valid_data(model: Family, random: Random, tries: int) -> Iterator[tuple[str, Any]]:
    """Data of the family's versions, with the URI of the version each is valid under."""
    for number, document in enumerate(model.documents):
        validator = compile_schema(document)
        if not isinstance(validator, Validator):
            continue
        for _ in range(tries):
            data = jsontext.loads_exact(jsontext.dumps(generated.candidates(document, random)))
            while not validator.fits(data) and _drop_something(data, document, random):
                pass
            if validator.fits(data):
                yield model.version(number), data


def _drop_something(data: Any, document: dict[str, Any], random: Random) -> bool:
    """Take an optional property out of data that are not valid: maybe it is the one that is wrong."""
    optional = [name for name in data if name not in (document.get("required") or ())] if isinstance(data, dict) else []
    if optional:
        del data[random.choice(optional)]
    return bool(optional)


def rows_of(models: Sequence[Sent], target: str, random: Random, tries: int) -> dict[RowTable, list[str]]:
    """Send data of each family through the transform: the rows it makes, by table."""
    registry = Registry({})
    for model in models:
        registry.publish(model.key.vendor, model.key.name, model.documents)
    transformer = Transformer(SHRED, registry, ORIGIN, target=target)
    files: dict[RowTable, list[str]] = {}
    count = 0
    for model in models:
        for uri, data in valid_data(model, random, tries):
            count += 1
            event_id = ID.format(count)
            model.sent.append((event_id, data))
            contexts = jsontext.dumps(self_describing(WRAPPER, [self_describing(uri, data)]))
            rows = transformer.rows(line(event_id=event_id, contexts=contexts))
            assert not isinstance(rows, BadRow), rows.to_json()
            assert isinstance(rows, ShreddedRows)
            for row in rows.rows[1:]:
                files.setdefault(row.table, []).append(row.text)
    return files


def tables_of(models: Sequence[Sent]) -> dict[tuple[str, str], str]:
    """The name of each table, by vendor and name of what it holds."""
    named = {(model.key.vendor, model.key.name): model.name for model in models}
    return {("com.snowplowanalytics.snowetl", "rejected_values"): "rejected_values"} | named


def load(url: str, models: Sequence[Model], random: Random, tries: int) -> psycopg.Connection[Any]:
    """Make the tables, send the data through the transform and ``COPY`` what comes out."""
    files, tables = rows_of(models, "postgres", random, tries), tables_of(models)
    connection = psycopg.connect(url, autocommit=True)
    connection.execute("DROP SCHEMA IF EXISTS v CASCADE; CREATE SCHEMA v")
    statements = postgres.create_rejected_values("v")
    for model in models:
        statements += postgres.create("v", model.name, model.table, model.key)
    with connection.transaction():
        for statement in statements:
            connection.execute(statement)  # type: ignore[call-overload]
        for table, texts in files.items():
            columns = ", ".join(names.quoted(column.name) for column in table.columns)
            target = names.qualified("v", tables[table.vendor, table.name])
            with connection.cursor().copy(f"COPY {target} ({columns}) FROM STDIN") as copy:  # type: ignore[call-overload]
                copy.write("".join(f"{text}\n" for text in texts).encode("utf-8", "replace"))
    return connection


def load_by_commands(
    url: str, folder: Path, models: Sequence[Model], random: Random, tries: int, *options: str
) -> psycopg.Connection[Any]:
    """The same by ``snowetl transform`` and ``snowetl load``, from files and a registry in a folder."""
    meta = "http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#"
    lines = []
    for model in models:
        vendor, name = model.key.vendor, model.key.name
        for number, document in enumerate(model.documents):
            own = {"vendor": vendor, "name": name, "format": "jsonschema", "version": f"1-0-{number}"}
            file = folder / "iglu" / "schemas" / vendor / name / "jsonschema" / f"1-0-{number}"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(document | {"$schema": meta, "self": own}))
        for uri, data in valid_data(model, random, tries):
            event_id = ID.format(len(lines))
            model.sent.append((event_id, data))
            model.uris[event_id] = uri
            contexts = jsontext.dumps(self_describing(WRAPPER, [self_describing(uri, data)]))
            contexts = contexts.replace("\ud800", r"\ud800").replace("\udc00", r"\udc00")
            lines.append(line(event_id=event_id, contexts=contexts))
    run = folder / "enriched" / "run=2026-03-05-00-00-00"
    run.mkdir(parents=True)
    (run / "part-0.txt").write_text("".join(f"{text}\n" for text in lines))
    registry = {"name": "Folder", "priority": 0, "vendorPrefixes": [], "connection": {"http": {"uri": "iglu"}}}
    resolver = {
        "schema": "iglu:com.snowplowanalytics.iglu/resolver-config/jsonschema/1-0-1",
        "data": {"cacheSize": 100, "repositories": [registry]},
    }
    (folder / "resolver.json").write_text(
        json.dumps(resolver).replace('"iglu"', json.dumps((folder / "iglu").as_uri()))
    )
    connection = psycopg.connect(url, autocommit=True)
    connection.execute("DROP SCHEMA IF EXISTS v CASCADE")
    where = ["--iglu-config", str(folder / "resolver.json")]
    source, target = str(folder / "enriched"), str(folder / "transformed")
    assert main(["transform", "-i", source, "-o", target, "--master", "none", *where, *options]) == 0
    assert main(["load", "-i", target, "--database", url, "--schema", "v", *where]) == 0
    assert connection.execute("SELECT count(*) FROM v.rejected_rows").fetchall() == [(0,)]
    return connection


def check(connection: psycopg.Connection[Any], models: Sequence[Model]) -> int:
    """Compare every value that was sent with what its column returns. Gives how many were compared."""
    compared = 0
    rejected = {
        (str(event_id), column): value
        for event_id, column, value in connection.execute("SELECT root_id, column_name, value FROM v.rejected_values")
    }
    for model in models:
        shown = [
            f"{names.quoted(column.name)}{'::text' if column.type == 'JSONB' else ''}" for column in model.table.columns
        ]
        query = f"SELECT {', '.join(['root_id', *shown])} FROM {names.qualified('v', model.name)}"
        stored = {str(row[0]): row[1:] for row in connection.execute(query).fetchall()}  # type: ignore[call-overload]
        assert len(stored) == len(model.sent)
        for event_id, data in model.sent:
            overflow = stored[event_id][-1] if model.table.row_limit else None
            left = {} if overflow is None else generated.read_json(overflow)
            for column, got in zip(model.table.columns, stored[event_id], strict=True):
                if column.path is None:
                    continue
                value = at(data, column.path)
                compared += 1
                told = f"{model.key}\n{json.dumps(model.documents)}\n{column}: {value!r} -> {got!r}"
                if value is None:
                    assert got is None, told
                elif got is not None:
                    assert generated.holds(column.type, value, got), told
                elif column.name in left:
                    assert generated.same_json(value, left[column.name]), told
                else:
                    assert generated.may_be_refused(column.type, value), told
                    kept = rejected.pop((event_id, generated.readable(column.name)))
                    assert kept.encode() == jsontext.dumps(value).encode("utf-8", "replace"), told
            for column in model.table.overflow:
                value = at(data, column.path or ())
                compared += 1
                assert value is None or generated.same_json(value, left[column.name]), f"{model.key} {column}"
    assert rejected == {}
    return compared


def at(data: Any, path: Sequence[str]) -> Any:
    for name in path:
        data = data.get(name) if isinstance(data, dict) else None
    return data


@settings(
    max_examples=_BATCHES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],  # a failure names its schema and value; to shrink a batch takes minutes
)
@given(st.lists(generated.families(), min_size=1, max_size=25), st.integers(0, 2**32))
def test_generated_schemas(postgres_url: str, batch: list[list[dict[str, Any]]], seed: int) -> None:
    models = [
        Model(SchemaKey.parse(f"iglu:com.acme/m{number}/jsonschema/1-0-{len(versions) - 1}"), versions)
        for number, versions in enumerate(batch)
    ]
    with load(postgres_url, models, Random(seed), tries=8) as connection:
        check(connection, models)


@settings(
    max_examples=8,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
@given(st.lists(generated.families(), min_size=5, max_size=25), st.integers(0, 2**32))
def test_generated_schemas_by_the_commands(
    postgres_url: str, tmp_path_factory: pytest.TempPathFactory, batch: list[list[dict[str, Any]]], seed: int
) -> None:
    models = [
        Model(SchemaKey.parse(f"iglu:com.acme/m{number}/jsonschema/1-0-{len(versions) - 1}"), versions)
        for number, versions in enumerate(batch)
    ]
    with load_by_commands(postgres_url, tmp_path_factory.mktemp("run"), models, Random(seed), tries=8) as connection:
        check(connection, [model for model in models if model.sent])


def with_other_types(versions: list[dict[str, Any]], random: Random) -> list[dict[str, Any]]:
    """The family with one more version, in which a property has another type."""
    properties = versions[-1].get("properties")
    if not isinstance(properties, dict) or not properties:
        return versions
    other = random.choice([{"type": "boolean"}, {"type": "integer"}, {"type": "array"}, {"type": "string"}])
    return [*versions, versions[-1] | {"properties": properties | {random.choice(list(properties)): other}}]


def shared(model: Model) -> list[Model]:
    """A family as the tables it has with ``--recovery-tables``: what was sent of the versions of each."""
    versions = [(SchemaKey.parse(model.version(number)), document) for number, document in enumerate(model.documents)]
    found = family([(key, parse(document)) for key, document in versions], "postgres")  # type: ignore[misc]
    merged = {key for key, _ in found.merged}
    tables = [(model.name, [key for key, _ in versions if key in merged])]
    tables += [
        (recovery_table(model.name, end, postgres.MAX_NAME_BYTES), [key]) for key, end in found.recovered.items()
    ]
    views = []
    for name, keys in tables:
        view = Model(keys[-1], [document for key, document in versions if key in keys])
        view.name = name
        uris = {key.uri for key in keys}
        view.sent = [(event_id, data) for event_id, data in model.sent if model.uris[event_id] in uris]
        views.append(view)
    return views


@settings(
    max_examples=8,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
@given(st.lists(generated.families(), min_size=5, max_size=25), st.integers(0, 2**32))
def test_generated_schemas_with_recovery_tables(
    postgres_url: str, tmp_path_factory: pytest.TempPathFactory, batch: list[list[dict[str, Any]]], seed: int
) -> None:
    random = Random(seed)
    models = [
        Model(SchemaKey.parse(f"iglu:com.acme/m{number}/jsonschema/1-0-{len(versions) - 1}"), versions)
        for number, versions in enumerate(with_other_types(each, random) for each in batch)
    ]
    folder = tmp_path_factory.mktemp("run")
    with load_by_commands(postgres_url, folder, models, random, 8, "--recovery-tables") as connection:
        check(connection, [view for model in models for view in shared(model) if view.sent])


@pytest.mark.parametrize(
    ("count", "member"),
    [
        (2000, {"type": "integer", "maximum": 9}),
        (1500, {"type": "number"}),
        (1500, {"type": "string", "maxLength": 24}),
        (700, {"type": ["string", "integer"]}),
    ],
)
def test_B3_wide_schemas(postgres_url: str, tmp_path: Path, count: int, member: dict[str, Any]) -> None:
    document = {"type": "object", "properties": {f"p{number}": member for number in range(count)}}
    models = [Model(SchemaKey.parse("iglu:com.acme/wide/jsonschema/1-0-0"), [document])]
    with load_by_commands(postgres_url, tmp_path, models, Random(1), tries=5) as connection:
        check(connection, models)


def test_B3_names_postgres_does_not_take(postgres_url: str, tmp_path: Path) -> None:
    document = {"type": "object", "properties": {name: {"type": "string"} for name in generated.NAMES}}
    models = [Model(SchemaKey.parse("iglu:7signal.com/reading/jsonschema/1-0-0"), [document])]
    with load_by_commands(postgres_url, tmp_path, models, Random(1), tries=30) as connection:
        check(connection, models)


def test_B4_models_whose_tables_would_have_one_name(postgres_url: str, tmp_path: Path) -> None:
    document = {"type": "object", "properties": {"a": {"type": "string"}}}
    long = "com.example.department.of.very.long.names/checkout_step_completed_with_"
    keys = ["com.acme/user_id", "com.acme/userId", f"{long}credit", f"{long}voucher"]
    models = [Model(SchemaKey.parse(f"iglu:{key}/jsonschema/1-0-0"), [document]) for key in keys]
    with load_by_commands(postgres_url, tmp_path, models, Random(1), tries=10) as connection:
        comments = (
            "SELECT obj_description(oid, 'pg_class'), relname FROM pg_class WHERE relnamespace = 'v'::regnamespace"
        )
        tables = dict(connection.execute(comments).fetchall())
        for model in models:
            model.name = tables[model.key.uri]
        assert len({model.name for model in models}) == 4
        check(connection, models)


def central_families() -> Iterator[tuple[SchemaKey, list[dict[str, Any]]]]:
    """Every model of Iglu Central: a key of its own, and its versions."""
    families: dict[tuple[str, str, str], list[tuple[Any, Any]]] = {}
    for file in sorted(CENTRAL.rglob("jsonschema/*-*-*")):
        key = SchemaKey.parse("iglu:" + "/".join(file.parts[-4:]))
        document = jsontext.loads_exact(file.read_text("utf-8"))
        if parse(document) is not None:
            families.setdefault((key.vendor, key.name, str(key.version.model)), []).append((key, document))
    for (vendor, name, model), versions in families.items():
        documents = [document for _, document in sorted(versions, key=lambda pair: pair[0])]
        version = f"1-0-{len(documents) - 1}"
        yield SchemaKey.parse(f"iglu:{vendor}/{name}{model if model != '1' else ''}/jsonschema/{version}"), documents


@pytest.mark.shared
@pytest.mark.skipif(not CENTRAL.is_dir(), reason="needs ../shared/iglu-central")
def test_every_schema_of_iglu_central(postgres_url: str) -> None:
    models = [Model(key, documents) for key, documents in central_families()]
    for model in models:  # two of them have one beginning
        model.name = names.distinct_table_name(model.key, postgres.MAX_NAME_BYTES)
    assert len({model.name for model in models}) == len(models)
    with load(postgres_url, models, Random(SEED), tries=12) as connection:
        compared = check(connection, models)
    assert compared > 20_000
    assert sum(bool(model.sent) for model in models) > 0.9 * len(models)  # the rest wants texts of a pattern
