"""What a newcomer is told about mistakes in enrichment configurations, as the command line tells it."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from snowetl.cli.main import main
from tests.integration.support import RESOLVER, options, write_json, write_logs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_logs(tmp_path / "raw", files=1, lines=10)
    (tmp_path / "enrichments").mkdir()
    return tmp_path


def configure(folder: Path, name: str, **parameters: Any) -> None:
    data = {"vendor": "com.snowplowanalytics.snowplow", "name": name, "enabled": True, "parameters": parameters}
    described = {"schema": f"iglu:com.snowplowanalytics.snowplow/{name}/jsonschema/1-0-0", "data": data}
    (folder / "enrichments" / f"{name}.json").write_text(json.dumps(described, indent=2))


def told(folder: Path, capsys: pytest.CaptureFixture[str], code: int = 2) -> str:
    assert main(options(folder, "--master", "none", "--enrichments", str(folder / "enrichments"))) == code
    assert not (folder / "out").exists()
    return capsys.readouterr().err


def test_enrichment_with_a_misspelt_key(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure(folder, "anon_ip", annonOctets=2)
    text = told(folder, capsys)
    assert "anon_ip.json, line 8: anon_ip: parameters.annonOctets is unknown; did you mean anonOctets" in text
    assert '"dataReports"' not in text and "Traceback" not in text


def test_enrichment_with_a_misspelt_schema_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure(folder, "anonip", anonOctets=2)
    text = told(folder, capsys)
    assert "anonip.json, line 2: there is no enrichment anonip; did you mean anon_ip" in text
    assert "NotFound" not in text


@pytest.mark.slow
def test_registry_down_at_start(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure(folder, "anon_ip", anonOctets=2)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        http = {"uri": f"http://127.0.0.1:{taken.getsockname()[1]}"}
        down = {"name": "Down", "priority": 0, "vendorPrefixes": ["com.snowplow"], "connection": {"http": http}}
        resolver = {**RESOLVER, "data": {"cacheSize": 9, "repositories": [down]}}
        write_json(folder / "resolver.json", resolver)
        text = told(folder, capsys, code=1)
    assert "Iglu registry 'Down' does not answer" in text and "correct its address in the resolver" in text
    assert "--on-registry-failure" not in text
