"""``snowetl ddl``: tables, migrations and checks from the command line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from snowetl.cli.main import main

META = "http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#"
NAME = {"type": ["string", "null"], "maxLength": 10, "description": "A name"}


def write(folder: Path, version: str, model: str = "event", **properties: Any) -> Path:
    own = {"vendor": "com.acme", "name": model, "format": "jsonschema", "version": version}
    file = folder / "schemas" / "com.acme" / model / "jsonschema" / version
    file.parent.mkdir(parents=True, exist_ok=True)
    document = {"$schema": META, "self": own, "description": "An event", "type": "object", "properties": properties}
    file.write_text(json.dumps(document))
    return file


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    write(tmp_path, "1-0-0", name=NAME)
    write(tmp_path, "1-0-1", name=NAME | {"maxLength": 20}, new=NAME)
    repository = {
        "name": "Folder",
        "priority": 0,
        "vendorPrefixes": [],
        "connection": {"http": {"uri": tmp_path.as_uri()}},
    }
    resolver = {
        "schema": "iglu:com.snowplowanalytics.iglu/resolver-config/jsonschema/1-0-3",
        "data": {"cacheSize": 100, "repositories": [repository]},
    }
    (tmp_path / "resolver.json").write_text(json.dumps(resolver))
    return tmp_path


def test_the_table_of_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path, "1-0-0", name=NAME)
    assert main(["ddl", str(file), "--schema", "mine"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("CREATE TABLE IF NOT EXISTS mine.com_acme_event_1 (")
    assert '"name"' in shown
    assert "COMMENT ON TABLE mine.com_acme_event_1" in shown


def test_B4_models_whose_names_agree_have_two_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    long = "a_name_that_is_longer_than_sixty_bytes_whatever_else_there_is"
    files = [
        str(write(tmp_path, "1-0-0", model, name=NAME)) for model in (f"{long}_x", f"{long}_y", "userId", "user_id")
    ]
    assert main(["ddl", *files, "--dialect", "postgres"]) == 0
    made = re.findall(r"CREATE TABLE IF NOT EXISTS atomic\.(\S+)", capsys.readouterr().out)
    assert made[::2] == [f"com_acme_{long}"[:63], "com_acme_user_id_1"]
    assert len(set(made)) == 4 and max(map(len, made)) <= 63


@pytest.mark.parametrize("dialect", ["redshift", "postgres"])
def test_the_migration_of_a_folder(dialect: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, "1-0-0", name=NAME)
    write(tmp_path, "1-0-1", name=NAME | {"maxLength": 20}, new=NAME)
    assert main(["ddl", str(tmp_path), "--from", "1-0-0", "--dialect", dialect]) == 0
    shown = capsys.readouterr().out
    assert "VARCHAR(20)" in shown
    assert '"new"' in shown
    assert "CREATE TABLE" not in shown


def test_models_of_a_registry(registry: Path, capsys: pytest.CaptureFixture[str]) -> None:
    resolver = ["--iglu-config", str(registry / "resolver.json")]
    assert main(["ddl", "iglu:com.acme/event/jsonschema/1", *resolver]) == 0
    assert '"new"' in capsys.readouterr().out
    assert main(["ddl", "iglu:com.acme/event/jsonschema/1-0-0", *resolver]) == 0
    assert '"new"' not in capsys.readouterr().out


def test_our_own_schemas_are_there(capsys: pytest.CaptureFixture[str]) -> None:
    uri = "iglu:com.snowplowanalytics.snowplow/ua_parser_context/jsonschema/1"
    assert main(["ddl", uri, "--dialect", "postgres"]) == 0
    assert "com_snowplowanalytics_snowplow_ua_parser_context_1" in capsys.readouterr().out


def test_a_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, "1-0-0", name=NAME)
    assert main(["ddl", str(tmp_path), "--check"]) == 0
    assert capsys.readouterr().out == ""
    write(tmp_path, "1-0-1", name={"type": "number", "minimum": 4, "maximum": 1})
    assert main(["ddl", str(tmp_path), "--check"]) == 1
    shown = capsys.readouterr().out
    assert "iglu:com.acme/event/jsonschema/1-0-1: error: minimum 4 is greater than maximum 1" in shown
    assert (
        "com.acme/event 1-*-*: error: name needs DOUBLE PRECISION (1-0-0 to 1-0-1), its column stays VARCHAR(10)"
        in shown
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "'nothing' is neither a file nor a schema"),
        (["iglu:com.acme/nothing/jsonschema/1"], "no registry lists its versions"),
        (["{folder}", "--from", "one"], "'one' is not a version such as 1-0-0"),
        (["{folder}", "--from", "1-0-9"], "there is no version 1-0-9 to start from"),
        ([], "Missing argument"),
    ],
)
def test_mistakes(arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, "1-0-0", name=NAME)
    assert main(["ddl", *(argument.format(folder=tmp_path) for argument in arguments)]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert "Traceback" not in captured.err


@pytest.mark.parametrize("dialect", ["redshift", "postgres"])
def test_recovery_tables(dialect: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, "1-0-0", name={"type": "integer", "description": "A number"})
    write(tmp_path, "1-0-1", name=NAME)
    asked = ["ddl", str(tmp_path), "--recovery-tables", "--dialect", dialect]
    assert main(asked) == 0
    shown = capsys.readouterr().out
    assert "atomic.com_acme_event_1 (" in shown and "atomic.com_acme_event_1_0_1_recovered_" in shown
    assert main([*asked, "--from", "1-0-0"]) == 0
    migration = capsys.readouterr().out
    assert "CREATE TABLE IF NOT EXISTS atomic.com_acme_event_1_0_1_recovered_" in migration
    assert "ALTER" not in migration
    assert main([*asked, "--check", "--level", "warning"]) == 0
    assert "1-0-1 breaks the table com_acme_event_1: its rows go to com_acme_event_1_0_1_rec" in capsys.readouterr().out
