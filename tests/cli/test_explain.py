"""``snowetl explain``: records as they stand or by place, and every way they can end."""

from __future__ import annotations

import base64
import gzip
from pathlib import Path

import pytest

from snowetl.cli.main import main
from tests.integration.support import HEADER, RESOLVER, cloudfront_line, write_json


def explain(folder: Path, record: str, *extra: str, input_format: str = "cloudfront") -> int:
    resolver = write_json(folder / "resolver.json", RESOLVER)
    return main(["explain", record, "--input-format", input_format, "--iglu-config", str(resolver), *extra])


def test_the_way_of_an_event(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(tmp_path, cloudfront_line(1), "--etl-timestamp", "1767323045000") == 0
    shown = capsys.readouterr().out
    stages = [line.split(". ", 1)[1] for line in shown.splitlines() if line[:1].isdigit()]
    assert stages[:2] == ["payload", "raw event"]
    assert stages[-1] == "event"
    assert "step page_uri" in stages
    assert "page_urlhost    shop.example.com" in shown
    assert "etl_tstamp        2026-01-02 03:04:05.000" in shown


def test_enrichments_are_steps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    anon_ip = {
        "schema": "iglu:com.snowplowanalytics.snowplow/anon_ip/jsonschema/1-0-0",
        "data": {
            "vendor": "com.snowplowanalytics.snowplow",
            "name": "anon_ip",
            "enabled": True,
            "parameters": {"anonOctets": 2},
        },
    }
    assert explain(tmp_path, cloudfront_line(1), "-e", str(write_json(tmp_path / "anon_ip.json", anon_ip))) == 0
    assert "step anon_ip\n   user_ipaddress  192.0.x.x\n" in capsys.readouterr().out


def test_a_bad_row_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(tmp_path, "nonsense") == 0
    shown = capsys.readouterr().out
    assert shown.startswith("1. loader\n")
    assert '"error": "does not match header or data row formats"' in shown


def test_a_header_is_discarded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(tmp_path, "#Version: 1.0") == 0
    assert "discarded" in capsys.readouterr().out


def test_a_record_of_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "log.gz"
    log.write_bytes(gzip.compress((HEADER + cloudfront_line(7) + "\n" + cloudfront_line(8)).encode()))
    assert explain(tmp_path, f"{log}:4") == 0
    assert "https://shop.example.com/item/8" in capsys.readouterr().out
    assert explain(tmp_path, f"{log}:5") == 2
    assert "has no record 5" in capsys.readouterr().err
    assert explain(tmp_path, f"{log}:0") == 2
    assert "counted from 1" in capsys.readouterr().err
    assert explain(tmp_path, f"{log}.bz2:1") == 2
    assert f"there is no file {log}.bz2" in capsys.readouterr().err


def test_thrift_is_given_in_base64(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(tmp_path, base64.b64encode(b"\x0b not thrift").decode(), input_format="thrift") == 0
    assert "collector_payload_format_violation" in capsys.readouterr().out


def test_an_unknown_format(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(tmp_path, "x", input_format="apache") == 2
    assert "apache" in capsys.readouterr().err
