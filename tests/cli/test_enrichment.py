"""``snowetl enrichment check``: what a script is told before a job runs it."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from snowetl.cli.main import main
from tests.integration.support import HEADER, cloudfront_line

SCRIPT = """var Digest = Java.type('org.apache.commons.codec.digest.DigestUtils');

function process(event, params) {
  print('app', event.app_id);
  event.setUser_id(Digest.md5Hex('a'));
  event.setPlatform(null);
  if (params.drop) event.drop();
}
"""


def check(script: Path, *arguments: str) -> int:
    return main(["enrichment", "check", str(script), *arguments])


@pytest.fixture
def script(tmp_path: Path) -> Path:
    file = tmp_path / "script.js"
    file.write_text(SCRIPT)
    return file


def test_a_good_script_and_what_it_changes(script: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "a.log"
    log.write_text(f"{HEADER}{cloudfront_line(1)}\n")
    assert check(script, "-f", "cloudfront", "--record", f"{log}:3", "--record", cloudfront_line(2)) == 0
    shown = capsys.readouterr().out
    assert "line 1: org.apache.commons.codec.digest.DigestUtils is available" in shown
    assert shown.count("user_id = 0cc175b9c0f1b6a831c399e269772661") == 2
    assert shown.count("platform = (null)") == shown.count("print: app ") == shown.count("✓ event page_view") == 2


def test_the_configuration_of_a_script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parameters = {"script": base64.b64encode(SCRIPT.encode()).decode(), "config": {"drop": True}}
    conf = tmp_path / "javascript.json"
    conf.write_text(json.dumps({"schema": "x", "data": {"parameters": parameters}}))
    assert check(conf, "-f", "cloudfront", "--record", cloudfront_line(1)) == 0
    assert "– discarded: dropped by the JavaScript enrichment" in capsys.readouterr().out


def test_all_that_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "bad.js"
    script.write_text(
        "var UUID = java.util.UUID, date = new java.util.Date();\n"
        "function process(event) { load('x'); return event.app_id.replaceAll('.', 'x').length(); }"
    )
    assert check(script) == 2
    told = capsys.readouterr()
    assert "line 1: java.util.UUID is available" in told.out
    assert "line 2: replaceAll takes a text as a regular expression" in told.out
    assert "line 2: length() works on no JavaScript text" in told.out
    assert "line 1: java.util.Date is not there: use JavaScript's Date" in told.err
    assert "line 2: load, quit and what reads files" in told.err


def test_what_does_not_compile(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "bad.js"
    script.write_text("function process(event) { return [ ; }")
    assert check(script) == 2
    assert "line 1, column 36: SyntaxError" in capsys.readouterr().err


@pytest.mark.parametrize("text", ['{"data": {}}', '{"data": {"parameters": {"script": 5}}}', None])
def test_what_is_no_script(text: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "x.json"
    if text is not None:
        file.write_text(text)
    assert check(file) == 2
    assert str(file) in capsys.readouterr().err
