"""Models from files and registries, and their statements."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from snowetl.ddl import models
from snowetl.errors import UsageError
from snowetl.model.schema import SchemaVer
from tests.transform.support import Registry

TEXT = {"type": "string", "maxLength": 10}
FIRST = {"type": "object", "properties": {"a": TEXT}}
SECOND = {"type": "object", "properties": {"a": {"type": "string", "maxLength": 20}, "b": {"type": "boolean"}}}
REGISTRY = Registry({"com.acme/event/1-0-0": FIRST, "com.acme/event/1-0-1": SECOND})


def write(path: Path, version: str, schema: dict[str, Any], **own: str) -> None:
    about = {"vendor": "com.acme", "name": "event", "format": "jsonschema", "version": version} | own
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"self": about} | schema))


def test_a_model_of_a_registry() -> None:
    model = models.from_registry("iglu:com.acme/event/jsonschema/1", REGISTRY)
    assert [str(version.key.version) for version in model] == ["1-0-0", "1-0-1"]
    assert len(models.from_registry("iglu:com.acme/event/jsonschema/1-0-0", REGISTRY)) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("event.json", "neither a file nor a schema such as iglu:com.acme/event/jsonschema/1"),
        ("iglu:com.acme/event/jsonschema/1-0", "is not a schema"),
        ("iglu:com.acme/event/jsonschema/1-0-7", "no registry has this version; there are 1-0-0, 1-0-1"),
        ("iglu:com.acme/other/jsonschema/1", "no registry lists its versions"),
    ],
)
def test_what_is_no_model(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        models.from_registry(text, REGISTRY)


def test_a_schema_with_keywords_of_the_wrong_kind() -> None:
    broken = Registry({"com.acme/event/1-0-0": {"type": "object", "maxLength": {}}})
    with pytest.raises(UsageError, match="1-0-0 is not a JSON Schema"):
        models.from_registry("iglu:com.acme/event/jsonschema/1", broken)


def test_a_folder_of_files_is_models_in_order(tmp_path: Path) -> None:
    write(tmp_path / "b" / "1-0-10", "1-0-10", SECOND)
    write(tmp_path / "b" / "1-0-2", "1-0-2", FIRST)
    write(tmp_path / "other" / "1-0-0", "1-0-0", FIRST, name="other")
    found = models.from_files(tmp_path)
    assert [[str(version.key.version) for version in model] for model in found] == [["1-0-2", "1-0-10"], ["1-0-0"]]
    assert len(models.from_files(tmp_path / "other" / "1-0-0")) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "cannot be read as JSON"),
        (b"\xff", "cannot be read as JSON"),
        (b"[]", 'has no "self"'),
        (b'{"self": 1}', 'has no "self"'),
        (b'{"self": {"vendor": "a", "name": "b", "format": "jsonschema", "version": "one"}}', 'has no "self"'),
    ],
)
def test_files_that_are_no_schemas(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(UsageError, match=message):
        models.from_files(tmp_path / "x")


@pytest.mark.parametrize("dialect", models.DIALECTS)
@pytest.mark.parametrize("uri", [None, "http://json-schema.org/draft-04/schema#"])
def test_F7_a_schema_without_the_self_describing_uri_has_no_table(
    uri: str | None, dialect: str, tmp_path: Path
) -> None:
    write(tmp_path / "1-0-0", "1-0-0", FIRST | ({} if uri is None else {"$schema": uri}))
    (model,) = models.from_files(tmp_path)
    with pytest.raises(UsageError, match=rf'1-0-0 has no table: its "\$schema" is {uri or "missing"}'):
        models.table_statements(model, dialect, "atomic")


@pytest.mark.parametrize("dialect", models.DIALECTS)
def test_F7_the_only_version_of_a_model_is_not_migrated_to(dialect: str) -> None:
    model = models.from_registry("iglu:com.acme/event/jsonschema/1-0-0", REGISTRY)
    with pytest.raises(UsageError, match="is the only version of its model"):
        models.migration_statements(model, SchemaVer.parse("1-0-0"), dialect, "atomic")


@pytest.mark.parametrize("dialect", models.DIALECTS)
def test_statements(dialect: str) -> None:
    model = models.from_registry("iglu:com.acme/event/jsonschema/1", REGISTRY)
    table = models.table_statements(model, dialect, "atomic")
    assert table[0].startswith("CREATE TABLE IF NOT EXISTS atomic.com_acme_event_1 (")
    assert "com_acme_event_1" in table[-1]
    migration = "\n".join(models.migration_statements(model, SchemaVer.parse("1-0-0"), dialect, "atomic"))
    assert "VARCHAR(20)" in migration
    assert "BOOLEAN" in migration
    assert "1-0-1" in migration


@pytest.mark.parametrize("dialect", models.DIALECTS)
def test_a_migration_from_nowhere(dialect: str) -> None:
    model = models.from_registry("iglu:com.acme/event/jsonschema/1", REGISTRY)
    with pytest.raises(UsageError, match="there is no version 1-0-5 to start from; there are 1-0-0, 1-0-1"):
        models.migration_statements(model, SchemaVer.parse("1-0-5"), dialect, "atomic")
