"""Logs of newer sources from files to events: found out, read, counted, explained."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from snowetl import EnrichedEvent
from snowetl.cli.main import main
from tests.collector.samples import (
    REQUEST,
    alb_line,
    cloudfront_line,
    cloudfront_object,
    cloudfront_row,
    realtime_row,
    thrift_record,
)

RESOLVER = {
    "schema": "iglu:com.snowplowanalytics.iglu/resolver-config/jsonschema/1-0-1",
    "data": {
        "cacheSize": 100,
        "repositories": [
            {"name": "x", "priority": 1, "vendorPrefixes": [], "connection": {"embedded": {"path": "/snowetl/iglu"}}}
        ],
    },
}
ROW = cloudfront_row(header=False)
HEADER = f"#Fields: {' '.join(REQUEST)}"
OTHER_ROW = "/i\t1772438400123\te=pv&p=web"
OTHER_HEADER = "#Fields: cs-uri-stem timestamp(ms) cs-uri-query"


def enrich(folder: Path, input_format: str, *more: str) -> int:
    (folder / "resolver.json").write_text(json.dumps(RESOLVER))
    return main(
        [
            *("enrich", "--master", "none", "--input-folder", f"{folder}/raw", "--input-format", input_format),
            *("--output-folder", f"{folder}/good", "--bad-folder", f"{folder}/bad", "--compression", "none"),
            *("--iglu-config", f"{folder}/resolver.json", *more),
        ]
    )


def report(folder: Path) -> dict[str, Any]:
    [path] = folder.glob("good/run=*/_report.json")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def ended(folder: Path) -> tuple[int, int, int]:
    """(events, bad rows, discarded) of the one run."""
    made = report(folder)
    return made["events"], sum(made["badRows"].values()), sum(made["discarded"].values())


def write(file: Path, data: str | bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data if isinstance(data, bytes) else data.encode())


@pytest.mark.parametrize(
    ("input_format", "lines", "expected"),
    [
        ("cloudfront-json", [cloudfront_object(), cloudfront_object() * 2, "", "{", "[]"], (3, 2, 1)),
        ("cloudfront-w3c", ["#Version: 1.0", HEADER, ROW, ROW, "x", OTHER_HEADER, OTHER_ROW, ROW], (3, 2, 3)),
        ("cloudfront-w3c/cs-uri-stem,timestamp(ms),cs-uri-query", [OTHER_ROW, OTHER_ROW, ROW], (2, 1, 0)),
        ("cloudfront-realtime", [realtime_row(), realtime_row(), "x"], (2, 1, 0)),
        ("cloudfront-realtime/cs-uri-stem,timestamp,cs-uri-query", ["/i\t1772438400.1\te=pv&p=web", ROW], (1, 1, 0)),
        ("alb", [alb_line(), alb_line(""), alb_line(request='"POST https://c.example.net/i HTTP/1.1"')], (2, 1, 0)),
    ],
)
def test_every_record_is_accounted_for(
    tmp_path: Path, input_format: str, lines: list[str], expected: tuple[int, int, int]
) -> None:
    write(tmp_path / "raw/2026/03/02/08/log.gz", gzip.compress("".join(line + "\n" for line in lines).encode()))
    assert enrich(tmp_path, input_format) == 0
    assert ended(tmp_path) == expected
    assert report(tmp_path)["records"] == sum(expected)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (cloudfront_object(), "cloudfront-json"),
        (f"{OTHER_HEADER}\n{OTHER_ROW}", "cloudfront-w3c"),
        (realtime_row(), "cloudfront-realtime"),
        (alb_line(), "alb"),
    ],
)
def test_the_look_at_the_first_records_tells_which_format_it_is(
    tmp_path: Path, text: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "raw/log", f"{text}\n")
    assert enrich(tmp_path, "clj-tomcat") == 2
    assert f"It looks like '{meant}': give --input-format {meant}. " in capsys.readouterr().err


@pytest.mark.slow
def test_parquet_and_json_in_one_folder_make_the_same_events(tmp_path: Path) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    write(tmp_path / "raw/a.gz", gzip.compress(f"{cloudfront_object()}\n".encode()))
    pq.write_table(pa.table({name: [value] for name, value in REQUEST.items()}), tmp_path / "raw/b.parquet")
    renamed = {name.lower().replace("(", "_").replace(")", "").replace("-", "_"): [v] for name, v in REQUEST.items()}
    pq.write_table(pa.table(renamed), tmp_path / "raw/c.parquet")
    assert enrich(tmp_path, "cloudfront-json") == 0
    [part] = tmp_path.glob("good/run=*/part-*")
    events = [line.split("\t") for line in part.read_text().splitlines()]
    event_id = 6
    assert len({event[event_id] for event in events}) == 3
    assert len({tuple(event[:event_id] + event[event_id + 1 :]) for event in events}) == 1


def test_logs_of_a_site_become_page_views(tmp_path: Path) -> None:
    page = {"x-host-header": "tea.example", "cs-uri-stem": "/green", "cs(User-Agent)": "ClaudeBot/1.0%20(x)"}
    entry = json.dumps({"timestamp(ms)": "1772438400123", **page})
    write(tmp_path / "raw/2026/03/02/08/log.gz", gzip.compress(f'{entry}{entry}\n{{"a":1}}\n'.encode()))
    assert enrich(tmp_path, "ndjson/com.amazon.aws.cloudfront/firehose") == 0
    assert ended(tmp_path) == (2, 1, 0)
    [part] = tmp_path.glob("good/run=*/part-*")
    event = EnrichedEvent.from_tsv(part.read_text().splitlines()[0])
    assert (event["app_id"], event["platform"], event["event"]) == ("cloudfront", "srv", "page_view")
    assert (event["page_url"], event["page_urlhost"]) == ("https://tea.example/green", "tea.example")
    assert (event["useragent"], event["user_ipaddress"]) == ("ClaudeBot/1.0 (x)", None)
    assert event["v_tracker"] == "com.amazon.aws.cloudfront/firehose"
    assert event["collector_tstamp"] == event["dvce_sent_tstamp"] == "2026-03-02 08:00:00.123"


def test_access_logs_of_33_columns_become_events_without_a_registry(tmp_path: Path) -> None:
    columns = [*cloudfront_line(24).split("\t"), "-", "-", "51234", "0.001", "Hit", "text/html", "35", "-", "-"]
    write(tmp_path / "raw/log", "\t".join(columns) + "\n")
    assert enrich(tmp_path, "tsv/com.amazon.aws.cloudfront/wd_access_log") == 0
    assert ended(tmp_path) == (1, 0, 0)


def test_what_firehose_could_not_deliver_is_left_out_with_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "raw/2026/03/02/08/raw-1", thrift_record() * 3)
    for hour in range(2):
        write(tmp_path / f"raw/processing-failed/2026/03/02/0{hour}/raw-1", '{"attemptsMade":4,"rawData":"CwBk"}\n')
    assert enrich(tmp_path, "thrift") == 0
    assert ended(tmp_path) == (3, 0, 0)
    assert report(tmp_path)["input"]["ignored"] == 2
    told = capsys.readouterr().err
    assert "left out 2 files (72 bytes) with what Firehose could not deliver, such as " in told


def test_a_folder_of_nothing_but_failures_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "raw/processing-failed/raw-1", '{"attemptsMade":4,"rawData":"CwBk"}\n')
    assert enrich(tmp_path, "thrift") == 2
    assert "processing-failed: what Firehose could not deliver" in capsys.readouterr().err


def test_a_row_is_explained_with_its_header(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "log", "\n".join([OTHER_HEADER, OTHER_ROW, "x"]))
    (tmp_path / "resolver.json").write_text(json.dumps(RESOLVER))
    given = ("--input-format", "cloudfront-w3c", "--iglu-config", f"{tmp_path}/resolver.json", "--json")
    assert main(["explain", f"{tmp_path}/log:1-3", *given]) == 0
    ways = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    kinds = Counter(verdict["kind"] for way in ways for verdict in way["verdicts"])
    assert kinds == {"discarded": 1, "event": 1, "bad_row": 1}


def test_a_bad_row_of_a_chosen_format_is_explained_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "raw/log", f"{OTHER_HEADER}\n{OTHER_ROW}\nx\n")
    assert enrich(tmp_path, "cloudfront-w3c") == 0
    [bad] = tmp_path.glob("bad/run=*/part-*")
    capsys.readouterr()
    given = ("--input-format", "cloudfront-w3c", "--iglu-config", f"{tmp_path}/resolver.json")
    assert main(["explain", f"{bad}:1", *given]) == 0
    assert "row has 1 columns, but 3 are named" in capsys.readouterr().out
