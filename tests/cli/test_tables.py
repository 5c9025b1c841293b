"""Plans and reports as text."""

from __future__ import annotations

from snowetl.cli import tables
from snowetl.cli.progress import _State
from snowetl.reporting.enrich import EnrichReport
from snowetl.settings import words
from snowetl.settings.words import duration_text

REPORT = {
    "format": "snowetl-enrich-report/1",
    "started": "2026-01-02T03:04:05.000Z",
    "finished": "2026-01-02T03:04:07.000Z",
    "snowetl": "1",
    "badRowSchemas": {},
    "workers": {"seconds": 1.5, "peakMemory": 7},
    "run": "2026-01-02-03-04-05",
    "seconds": 2.0,
    "settings": {"outputFolder": "/good/run=x", "badFolder": "/bad/run=x"},
    "input": {"files": 3, "ignored": 0, "bytes": 2048, "splits": 2},
    "records": 12000,
    "discarded": {"header or empty line": 4},
    "payloads": 11996,
    "events": 13000,
    "badRows": {"schema_violations": 12, "adapter_failures": 1},
    "damages": 1,
    "output": {
        "good": {"parts": 2, "lines": 13000, "bytes": 5 << 20},
        "bad": {"parts": 1, "lines": 13, "bytes": 900},
    },
}


def test_report() -> None:
    assert tables.enrich_report(EnrichReport.from_json(REPORT)).splitlines() == [
        "run=2026-01-02-03-04-05",
        "  records      12,000  3 files, 2.0 KB",
        "    discarded       4  header or empty line",
        "  events       13,000  5.0 MB",
        "  bad rows         13  900 B",
        "                   12  schema_violations",
        "                    1  adapter_failures",
        "  damages           1  places where a file is damaged; each is a bad row",
        "  time            2 s  6,000 records/s",
        "  events    /good/run=x",
        "  bad rows  /bad/run=x",
    ]


def test_size() -> None:
    assert [words.size(n) for n in (0, 1023, 1024, 1536, 5 << 30, 1 << 50)] == [
        "0 B",
        "1023 B",
        "1.0 KB",
        "1.5 KB",
        "5.0 GB",
        "1024.0 TB",
    ]


def test_duration() -> None:
    assert [duration_text(s) for s in (0.4, 59.4, 185, 7800)] == ["0 s", "59 s", "3 min 05 s", "2 h 10 min"]


def test_time_left_is_told_once_something_is_done() -> None:
    state = _State(1000)
    assert "left" not in state.describe()
    state.add(10, 500)
    assert state.percent() == 50
    assert "10 records" in state.describe()
    assert "left" in state.describe()
    state.add(10, 500)
    assert "left" not in state.describe()
