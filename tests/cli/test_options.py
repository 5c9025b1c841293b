"""Options of the command line: documents in every form, secrets in them, values that are given twice."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from snowetl.cli import console
from snowetl.cli.main import main
from snowetl.errors import ConfigError
from snowetl.steps.settings import adapter_groups

KEY = "5fb4713d-73ad-4163-93a9-2b82f0177c5b"
SECRET = {"data": {"connection": {"http": {"apikey": KEY}}}}


def as_file(folder: Path) -> str:
    (folder / "x.json").write_text(json.dumps(SECRET))
    return str(folder / "x.json")


def as_folder(folder: Path) -> str:
    as_file(folder)
    return str(folder)


def as_base64(_: Path) -> str:
    return base64.b64encode(json.dumps(SECRET).encode()).decode()


def as_text(_: Path) -> str:
    return json.dumps(SECRET)


@pytest.mark.parametrize("make", [as_file, as_folder, as_base64, as_text])
def test_secrets_of_documents_are_masked(tmp_path: Path, make: Any) -> None:
    console._secrets.clear()
    assert main(["ddl", "none", "--iglu-config", make(tmp_path)]) == 2
    assert console.mask(f"key {KEY}") == "key ***"


@pytest.mark.parametrize("value", ["", "\0", "no/such/file", "x" * 5000, "7"])
def test_documents_that_cannot_be_read_are_refused(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ddl", "none", "--iglu-config", value]) == 2
    assert capsys.readouterr().err.startswith("Error: ")


def test_the_command_line_wins_over_the_environment_and_this_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "snowetl.yml"
    file.write_text("ddl:\n  iglu-config: from-file.json\n")
    tried = ["ddl", "iglu:com.acme/x/jsonschema/1", "--config", str(file)]

    def refused(*arguments: str) -> str:
        assert main([*tried, *arguments]) == 2
        return capsys.readouterr().err

    assert "from-file.json" in refused()
    monkeypatch.setenv("SNOWETL_IGLU_CONFIG", "from-environment.json")
    assert "from-environment.json" in refused()
    assert "from-command-line.json" in refused("--iglu-config", "from-command-line.json")


ADAPTERS = {"adaptersSchemas": {"sendgrid": {}}, "remoteAdapters": {"configs": []}}


@pytest.mark.parametrize("form", [lambda _: ADAPTERS, lambda folder: json.dumps(ADAPTERS).encode(), None])
def test_adapters_are_read_from_every_form(tmp_path: Path, form: Any) -> None:
    source = form(tmp_path) if form else str(tmp_path / "adapters.json")
    if isinstance(source, bytes):
        source = base64.b64encode(source).decode()
    (tmp_path / "adapters.json").write_text(json.dumps(ADAPTERS))
    assert adapter_groups(source) == {"adapter_schemas": {"sendgrid": {}}, "remote_adapters": {"configs": []}}
    assert adapter_groups(None) == {}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"adapterSchemas": {}}, "unknown key 'adapterSchemas'; did you mean adaptersSchemas"),
        ([1], "is not a JSON object"),
        ("missing.json", "--adapters: there is no file or folder missing.json"),
    ],
)
def test_adapters_that_cannot_be_used(source: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        adapter_groups(source)
