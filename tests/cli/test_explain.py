"""``snowetl explain``: records as they stand or by place, and every way they can end."""

from __future__ import annotations

import base64
import gzip
import json
import re
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from snowetl.cli.main import main
from snowetl.collector.bad_row_record import BAD_ROWS
from snowetl.enrich.tracker_parameters import columns_of
from snowetl.model import badrow, reasons
from snowetl.model.badrow import Origin
from snowetl.testing import enrich, event, tp2
from snowetl.testing.requests import record
from tests.integration.support import HEADER, RESOLVER, anon_ip, cloudfront_line, write_json


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
    assert explain(tmp_path, cloudfront_line(1), "-e", str(write_json(tmp_path / "anon_ip.json", anon_ip(2)))) == 0
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
    assert explain(tmp_path, f"{log}.bz2") == 2
    assert f"there is no file {log}.bz2" in capsys.readouterr().err
    assert explain(tmp_path, str(tmp_path)) == 2
    assert f"{tmp_path} is a folder. Name a file of it" in capsys.readouterr().err


def test_thrift_is_given_in_base64(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(tmp_path, base64.b64encode(b"\x0b not thrift").decode(), input_format="thrift") == 0
    assert "collector_payload_format_violation" in capsys.readouterr().out


def test_an_unknown_format(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(tmp_path, "x", input_format="apache") == 2
    assert "apache" in capsys.readouterr().err


# --- verdicts -------------------------------------------------------------------------------------------------------


def verdicts(text: str) -> list[str]:
    return [line for line in text.splitlines() if line[:2] in ("✓ ", "✗ ", "– ")]


def answer(capsys: pytest.CaptureFixture[str], folder: Path, record: str, *extra: str, **more: str) -> str:
    assert explain(folder, record, *extra, **more) == 0
    return capsys.readouterr().out


SOME = (
    (cloudfront_line(1), "✓ event page_view"),
    (
        cloudfront_line(1).replace("e=pv", "e=se&se_va=twelve"),
        '✗ enrichment_failures: se_va = "twelve" is not a number',
    ),
    ("#Version: 1.0", "– discarded: header line"),
    ("nonsense", "✗ collector_payload_format_violation: does not match header or data row formats"),
)


@pytest.mark.parametrize(("record", "verdict"), SOME)
def test_a_record_ends_with_its_verdict(
    record: str, verdict: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = answer(capsys, tmp_path, record)
    assert shown.splitlines()[-1] == verdict
    assert verdicts(shown) == [verdict]


def test_each_result_of_a_record_has_a_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = base64.b64encode(tp2({"e": "pv"}, {"e": "se", "se_va": "x"}, {"e": "pp"})).decode()
    assert verdicts(answer(capsys, tmp_path, record, input_format="thrift")) == [
        "✓ event page_view",
        '✗ enrichment_failures: se_va = "x" is not a number',
        "✓ event page_ping",
    ]


def test_columns_say_which_parameter_filled_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = cloudfront_line(1).replace("e=pv", "e=se&se_va=12&res=10x20&eid=nonsense")
    lines = [line.strip() for line in answer(capsys, tmp_path, line).splitlines()]
    for shown in ("se_value", "dvce_screenheight", "event_id", "collector_tstamp"):
        [found] = [line for line in lines if line.startswith(f"{shown} ")]
        origin = found.partition("← ")[2]
        assert (
            origin
            == {
                "se_value": "se_va",
                "dvce_screenheight": "res",
                "event_id": "the record's content and place",
                "collector_tstamp": "timestamp",
            }[shown]
        )


def test_every_known_parameter_names_its_columns() -> None:
    assert columns_of("vp") == ("br_viewwidth", "br_viewheight")
    assert columns_of("cx") == ("contexts",)
    assert columns_of("tnuid") == ("network_userid",)
    assert columns_of("ti_nm") == ("ti_name",)
    assert columns_of("nothing") == ()


# --- which records --------------------------------------------------------------------------------------------------


def test_a_range_of_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "log"
    log.write_text(HEADER + "\n".join(cloudfront_line(number) for number in range(5)))
    shown = answer(capsys, tmp_path, f"{log}:2-4")
    assert verdicts(shown) == ["– discarded: header line", "✓ event page_view", "✓ event page_view"]
    assert "=== log:4" in shown
    assert len(verdicts(answer(capsys, tmp_path, f"{log}:6-"))) == 2
    assert len(verdicts(answer(capsys, tmp_path, f"{log}:6-99"))) == 2
    assert explain(tmp_path, f"{log}:9-12") == 2
    assert explain(tmp_path, f"{log}:3-2") == 2
    assert "empty range" in capsys.readouterr().err


def test_standard_input(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    lines = f"#Fields: x\n{cloudfront_line(1)}\r\nnonsense\n"
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(lines.encode())))
    shown = answer(capsys, tmp_path, "-")
    assert [line[0] for line in verdicts(shown)] == ["–", "✓", "✗"]
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(b"\n")))
    assert answer(capsys, tmp_path, "-", input_format="ndjson/com.acme/v1").endswith("– discarded: empty line\n")
    assert "=== -:2" in shown


def test_json_is_a_document_a_record(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "log"
    log.write_text("\n".join(record for record, _ in SOME[:3]))
    documents = [json.loads(line) for line in answer(capsys, tmp_path, f"{log}:1-", "--json").splitlines()]
    assert [document["place"] for document in documents] == ["log:1", "log:2", "log:3"]
    assert [document["verdicts"][0]["kind"] for document in documents] == ["event", "bad_row", "discarded"]
    for document in documents:
        assert document.keys() == {"place", "note", "stages", "verdicts"}
        assert all(stage.keys() == {"stage", "detail", "origins"} for stage in document["stages"])
    [columns] = [stage for stage in documents[1]["stages"] if stage["stage"] == "columns of the parameters"]
    assert columns["origins"]["app_id"] == "aid"


def test_H6_json_that_is_piped_holds_nothing_that_acts_on_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody pipes it to a pager, or looks at the log of a job."""
    hostile = "\u202egnp.exe\u2066\u200b\u061c\x9b2J\x1b[2J\x7f\ufeff\u2028\U000e0041 ü 日本"
    shown = answer(capsys, tmp_path, f"nonsense {hostile}", "--json")
    assert (
        re.findall("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\U000e0041]", shown)
        == []
    )
    assert "ü 日本" in shown and r"\u202egnp.exe\u2066" in shown and r"\udb40\udc41" in shown
    assert hostile in json.loads(shown)["stages"][0]["detail"]["data"]["payload"]


# --- bad rows -------------------------------------------------------------------------------------------------------

RECORDS = {
    "collector_payload_format_violation": b"\x0b not thrift",
    "tracker_protocol_violations": tp2({"e": "pv", "colour": "red"}, time=1_700_000_000_123, headers=["X: y"]),
    "adapter_failures": record(path="/com.example/v9", querystring="a=b%20c&a=d"),
    "enrichment_failures": tp2({"e": "se", "se_va": "twelve", "page": "Grüße & mehr"}, network_userid=None),
    "schema_violations": tp2(event("iglu:com.acme/none/jsonschema/1-0-0", {"a": 1})),
}


@pytest.mark.parametrize("kind", RECORDS)
def test_a_bad_row_is_tried_again(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was wrong with the record is wrong with the one that is made of its bad row: same row."""
    [row] = enrich(RECORDS[kind]).bad_rows
    assert row.type == kind
    shown = answer(capsys, tmp_path, row.to_json(), "--json")
    document = json.loads(shown)
    assert "is tried again" in document["note"]
    again = document["stages"][-1]["detail"]
    assert again["schema"] == row.schema_key
    assert reasons.first_fault(again["data"]) == reasons.first_fault(row.data)
    assert document["verdicts"][0]["text"].startswith(f"{kind}: ")


def test_a_file_of_bad_rows_is_read_whatever_the_input_format(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [row.to_json() for record in RECORDS.values() for row in enrich(record).bad_rows]
    file = tmp_path / "part-00000.gz"
    file.write_bytes(gzip.compress("\n".join(rows).encode()))
    for input_format in ("thrift", "cloudfront"):
        shown = answer(capsys, tmp_path, f"{file}:1-", input_format=input_format)
        assert [line.split()[1].rstrip(":") for line in verdicts(shown)] == list(RECORDS)


def test_a_bad_row_without_its_record_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    size = badrow.size_violation(Origin("x", "1", 0), 10, 20, "too long", "cut")
    shown = answer(capsys, tmp_path, size.to_json())
    assert "cannot be tried again: its payload is cut" in shown
    assert verdicts(shown) == ["✗ size_violation: longer than the limit of 10 bytes (and 1 more fault)"]
    for payload in ("{}", '{"raw": 1}', "[]", "null", '"x"', '{"raw": {"vendor": 1, "version": [], "parameters": {}}}'):
        row = {"schema": BAD_ROWS + "schema_violations/jsonschema/2-0-1", "data": {"payload": json.loads(payload)}}
        assert "cannot be tried again" in answer(capsys, tmp_path, json.dumps(row))
