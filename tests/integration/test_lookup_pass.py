"""The lookup pass through the whole enrich step: each day's rates are asked for once, and kept with the run."""

from __future__ import annotations

import gzip
import json
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from snowetl.cli.main import main
from snowetl.enrich.enrichments.currency_conversion import ENDPOINT_VARIABLE
from snowetl.model.fields import INDEX
from tests.iglu.server import Answer, Server, serving
from tests.integration.support import RUN, files, options, output_lines, report, write_json

DAYS = [f"2025-12-{day:02d}" for day in range(1, 7)]
MASTERS = [
    pytest.param(("--master", "none"), id="in process"),
    pytest.param(("--master", "none", "--workers", "2"), id="process pool", marks=pytest.mark.slow),
    pytest.param(("--master", "local[2]"), id="Spark", marks=pytest.mark.spark),
]
CONFIG = {
    "schema": "iglu:com.snowplowanalytics.snowplow/currency_conversion_config/jsonschema/1-0-0",
    "data": {
        "vendor": "com.snowplowanalytics.snowplow",
        "name": "currency_conversion_config",
        "enabled": True,
        "parameters": {"apiKey": "s3cret", "accountType": "DEVELOPER", "baseCurrency": "EUR", "rateAt": "EOD_PRIOR"},
    },
}


def order(day: str, number: int) -> str:
    query = f"e=tr&p=web&tv=js-3.5.0&tid={number}&tr_id={number}&tr_tt={number}&tr_cu=USD"
    if number % 10 == 0:
        query = "e=pv&p=web&tv=js-3.5.0"
    return "\t".join(
        [day, "12:00:00", "FRA2", "1", "192.0.2.1", "GET", "d1.cloudfront.net", "/i", "200", "-", "Agent", query]
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Twelve logs, each with orders of two days, a damaged line, and a day on which nothing was sold."""
    for file in range(12):
        lines = [order(DAYS[(file + number % 2) % 6], number) for number in range(1, 60)]
        lines += ["no log line", order("2025-12-20", 10)]
        folder = tmp_path / "raw"
        folder.mkdir(exist_ok=True)
        (folder / f"E1.{file:02d}.gz").write_bytes(gzip.compress("\n".join(lines).encode(), mtime=0))
    write_json(tmp_path / "currency.json", CONFIG)
    return tmp_path


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    def rates(path: str) -> Answer:
        day = int(path.partition(".json")[0][-2:])
        return Answer(body=json.dumps({"rates": {"USD": 1, "EUR": 0.5 + day / 100}}).encode())

    with serving(rates) as server:
        monkeypatch.setenv(ENDPOINT_VARIABLE, server.uri)
        yield server


def enrich(folder: Path, *extra: str) -> int:
    return main(options(folder, "--enrichments", str(folder / "currency.json"), *extra))


@pytest.mark.parametrize("master", MASTERS)
def test_each_day_is_asked_for_once_and_a_second_run_asks_nobody(
    project: Path, service: Server, master: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert enrich(project, *master) == 0
    assert Counter(service.paths) == Counter(f"/{day}.json?app_id=s3cret" for day in DAYS)
    assert "reading the input for what to look up: currency-rates" in capsys.readouterr().err
    [made] = report(project)["lookups"]
    assert (made["name"], made["keys"], made["answers"]) == ("currency-rates", 6, 6)
    rows = [line.split("\t") for line in output_lines(project / "out" / "good")]
    sold = [row for row in rows if row[INDEX["event"]] == "transaction"]
    assert len(rows) == 12 * 60
    for row in sold:
        day = int(row[INDEX["collector_tstamp"]][8:10])
        expected = float(row[INDEX["tr_total"]]) * (0.5 + day / 100)
        assert abs(float(row[INDEX["tr_total_base"]]) - expected) < 0.0051
    first = files(project / "out")

    shutil.rmtree(project / "out" / "good" / f"run={RUN}")
    shutil.rmtree(project / "out" / "bad" / f"run={RUN}")
    service.answer = lambda path: Answer(500)
    asked = len(service.paths)
    assert enrich(project, *master) == 0
    assert len(service.paths) == asked
    assert files(project / "out") == first
    assert "the answers of an earlier attempt at this run are used again" in capsys.readouterr().err
    assert [one["keys"] for one in report(project)["lookups"]] == [0]


def test_other_settings_or_input_are_other_answers(project: Path, service: Server) -> None:
    assert enrich(project, "--master", "none") == 0
    for folder in ("good", "bad"):
        shutil.rmtree(project / "out" / folder / f"run={RUN}")
    (project / "raw" / "E1.99.gz").write_bytes(gzip.compress(order("2025-12-09", 1).encode(), mtime=0))
    assert enrich(project, "--master", "none") == 0
    assert len(service.paths) == 6 + 7


def test_a_service_that_is_down_publishes_nothing(
    project: Path, service: Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("snowetl.http.time.sleep", lambda seconds: None)
    service.answer = lambda path: Answer(503)
    assert enrich(project, "--master", "none") == 1
    said = capsys.readouterr().err
    assert "exchange rates of 2025-12-01" in said
    assert "s3cret" not in said
    assert not list((project / "out").rglob("part-*"))
    assert not list((project / "out").rglob("*.jsonl.gz"))


def test_answers_that_were_damaged_are_named(
    project: Path, service: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    assert enrich(project, "--master", "none") == 0
    for folder in ("good", "bad"):
        shutil.rmtree(project / "out" / folder / f"run={RUN}")
    [kept] = (project / "out" / "good").rglob("*.jsonl.gz")
    kept.write_bytes(kept.read_bytes()[:40])
    assert enrich(project, "--master", "none") == 1
    assert f"{kept.name} holds no answers" in capsys.readouterr().err
