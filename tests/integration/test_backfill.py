"""``snowetl backfill``: an archive in many runs, resumed, several at once, estimated, swapped in."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from snowetl.cli.main import main
from snowetl.load.embedded import embedded_postgres
from tests.integration.support import ROOT, environment
from tests.integration.test_growing import hit

pytestmark = pytest.mark.slow
DAYS = 4


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Two files of two events each a day, from 1 to 4 March; the database server runs as another user."""
    tmp_path.chmod(0o755)
    for day in range(1, DAYS + 1):
        for part in range(2):
            number = (day - 1) * 4 + part * 2
            path = tmp_path / "raw" / f"2026/03/{day:02d}" / f"{part}.log"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(hit(number) + hit(number + 1))
    return tmp_path


def arguments(
    folder: Path, *more: str, verb: str = "backfill", raw: str = "raw", resolver: str = "fixtures/resolver.json"
) -> list[str]:
    return [
        *(verb, "--input-folder", str(folder / raw), "--input-format", "cloudfront", "--master", "none"),
        *("--output-folder", str(folder / "out"), "--iglu-config", resolver, "--workers", "1", *more),
    ]


MARCH = ("--from", "2026-03-01", "--to", "2026-03-05")


def run_bytes(folder: Path) -> tuple[str, str]:
    """As much as a day has."""
    days = (folder / "raw/2026/03").iterdir()
    return "--run-bytes", str(max(sum(path.stat().st_size for path in day.iterdir()) for day in days))


def rows(folder: Path, schema: str) -> list[int]:
    with embedded_postgres(folder / "out" / "warehouse") as url, psycopg.connect(url) as connection:
        found = connection.execute(f"SELECT event_id FROM {schema}.events").fetchall()  # type: ignore[call-overload]
    return sorted(int(str(row[0])[-12:]) for row in found)


def schemas(folder: Path) -> list[str]:
    with embedded_postgres(folder / "out" / "warehouse") as url, psycopg.connect(url) as connection:
        found = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'atomic%'").fetchall()
    return sorted(row[0] for row in found)


def record(folder: Path) -> dict[str, object]:
    [path] = (folder / "out" / "backfill").glob("*/backfill.json")
    found: dict[str, object] = json.loads(path.read_text())
    return found


def test_an_archive_in_runs_of_one_size_several_at_once(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = arguments(archive, "--from", "2026-03-02", "--to", "2026-03-05", "--parallel", "2", *run_bytes(archive))
    assert main([*given, "--price-per-hour", "3600"]) == 0
    told = capsys.readouterr()
    assert "3 of 3 runs done" in told.out and "cost" in told.out
    assert rows(archive, "atomic_backfill") == list(range(4, 16))
    pieces = record(archive)["pieces"]
    assert isinstance(pieces, list)
    assert [piece["files"] for piece in pieces] == [2, 2, 2]
    assert main(given) == 0, "all is done"
    assert rows(archive, "atomic_backfill") == list(range(4, 16))
    assert main([*given, "--accept-invalid"]) == 2
    assert "begun with other settings: accept-invalid" in " ".join(capsys.readouterr().err.split())


def test_a_run_that_fails_holds_up_no_other_and_is_gone_on_with(
    archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (archive / "raw/2026/03/02/0.log").write_text("no line\n" * 3)
    given = arguments(archive, *MARCH, *run_bytes(archive))
    assert main([*given, "--max-bad", "10%"]) == 1
    told = " ".join(capsys.readouterr().err.split())
    assert "bad rows" in told and "1 of 4 runs failed" in told
    assert rows(archive, "atomic_backfill") == [0, 1, 2, 3, *range(8, 16)]
    assert main([*given, "--max-bad", "100%"]) == 0
    assert rows(archive, "atomic_backfill") == [0, 1, 2, 3, *range(6, 16)]


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_complaint_13_an_archive_is_loaded_anew_by_date_and_touches_nothing_of_the_pipeline(archive: Path) -> None:
    """Reference 09 §4: reprocessing meant to move files by hand, and to load into the tables that are there."""
    assert main(arguments(archive, verb="run")) == 0
    kept = {name: files(archive / "out" / name) for name in ("enriched", "bad", "transformed", "runs")}
    raw = files(archive / "raw")
    assert main(arguments(archive, "--from", "2026-03-02", "--to", "2026-03-04")) == 0
    assert rows(archive, "atomic_backfill") == list(range(4, 12))
    assert rows(archive, "atomic") == list(range(16))
    assert {name: files(archive / "out" / name) for name in kept} == kept and files(archive / "raw") == raw


def child_of(pid: int) -> int | None:
    """The run that a backfill has started; it may be started by another process of it."""
    told = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    parents = {int(line.split()[0]): int(line.split()[1]) for line in told.splitlines()}
    runs = [int(line.split()[0]) for line in told.splitlines() if "-m snowetl run" in line and "guard.py" not in line]

    def descends(one: int) -> bool:
        return one == pid or (one in parents and parents[one] != one and descends(parents[one]))

    return next((each for each in runs if descends(each)), None)


def waited_for(what: Callable[[], Any]) -> Any:
    give_up = time.monotonic() + 60
    while not (found := what()):
        assert time.monotonic() < give_up
        time.sleep(0.05)
    return found


def test_runs_do_not_go_on_alone_when_the_backfill_is_killed(archive: Path) -> None:
    given = arguments(archive, *MARCH, *run_bytes(archive))
    backfill = subprocess.Popen([sys.executable, "-m", "snowetl", *given], cwd=ROOT, env=environment())
    child = waited_for(lambda: child_of(backfill.pid))
    backfill.kill()
    backfill.wait()
    waited_for(lambda: subprocess.run(["ps", "-p", str(child)], capture_output=True).returncode)
    assert main(given) == 0
    assert rows(archive, "atomic_backfill") == list(range(16))


def test_swap_takes_the_place_of_what_was_there(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments(archive, verb="run", raw="raw/2026/03/01")) == 0
    given = arguments(archive, *MARCH, "--swap")
    assert main(given) == 0
    assert rows(archive, "atomic") == list(range(16))
    kept = str(record(archive)["swapped"])
    assert schemas(archive) == ["atomic", kept]
    assert rows(archive, kept) == [0, 1, 2, 3]
    assert main(given) == 0, "once"
    assert schemas(archive) == ["atomic", kept]
    assert "swapped already" in capsys.readouterr().err


def test_a_swap_that_would_lose_events_is_refused(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments(archive, verb="run")) == 0
    given = arguments(archive, "--from", "2026-03-02", "--to", "2026-03-05", "--swap")
    assert main(given) == 2
    assert "holds 4 events that the backfill does not have" in " ".join(capsys.readouterr().err.split())
    assert schemas(archive) == ["atomic", "atomic_backfill"]
    assert main([*given, "--swap-incomplete"]) == 0
    assert rows(archive, "atomic") == list(range(4, 16))


def test_a_sample_gives_the_estimate(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = arguments(archive, *MARCH, "--sample", "50%", "--price-per-hour", "10", "--parallel", "2")
    assert main(given) == 0
    told = capsys.readouterr().out
    assert "estimate: " in told and "with 2 at once" in told and "cost" in told
    assert schemas(archive) == ["atomic_sample"]


def test_what_is_wrong_is_said_before_work_starts(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments(archive, "--from", "2026-03-05", "--to", "2026-03-01")) == 2
    assert main(arguments(archive, *MARCH, "--run-id", "2026-03-05-00-00-00")) == 2
    assert main(arguments(archive, "--from", "2020-01-01", "--to", "2020-02-01")) == 3
    (archive / "raw" / "nameless.log").write_text(hit(99))
    assert main(arguments(archive, *MARCH)) == 2
    assert "1 file of the input name no day" in " ".join(capsys.readouterr().err.split())
    assert main(arguments(archive, "--by", "modified", "--from", "2020-01-01", "--to", "2099-01-01")) == 0
    assert len(rows(archive, "atomic_backfill")) == 17


SCHEMA = {
    "$schema": "http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#",
    "self": {"vendor": "com.acme", "name": "sale", "format": "jsonschema", "version": "1-0-0"},
    "type": "object",
    "properties": {"amount": {"type": "integer"}},
    "required": ["amount"],
}


def sale(number: int, amount: object) -> str:
    """A line of a CloudFront log with an event whose schema is missing at first."""
    data = {"schema": "iglu:com.acme/sale/jsonschema/1-0-0", "data": {"amount": amount}}
    document = {"schema": "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0", "data": data}
    return hit(number).replace("e=pv", "e=ue&ue_pr=" + quote(json.dumps(document)))


def test_only_bad_rows_are_sent_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A schema was missing for an hour: what is good since is loaded beside, what is still bad stays a bad row."""
    tmp_path.chmod(0o755)
    registry = {"name": "Ours", "priority": 0, "vendorPrefixes": ["com.acme"]}
    registry |= {"connection": {"embedded": {"path": str(tmp_path / "registry")}}}
    resolver = json.loads(Path("fixtures/resolver.json").read_text())
    resolver["data"]["repositories"].append(registry)
    (tmp_path / "resolver.json").write_text(json.dumps(resolver))
    place = tmp_path / "registry/schemas/com.acme/sale/jsonschema/1-0-0"
    place.parent.mkdir(parents=True)
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw/a.log").write_text(hit(0) + sale(1, 10) + sale(2, "ten") + sale(3, 30) + "no line\n")

    def call(*more: str, verb: str = "backfill") -> int:
        return main(arguments(tmp_path, *more, verb=verb, resolver=str(tmp_path / "resolver.json")))

    assert call("--run-id", "2026-03-05-10-00-00", verb="run") == 0
    assert rows(tmp_path, "atomic") == [0]
    hour = ("--from", "2026-03-05T10:00:00Z", "--to", "2026-03-05T11:00:00Z", "--only-bad")
    assert call(*hour, "--swap") == 2
    assert "cannot stand in for atomic" in " ".join(capsys.readouterr().err.split())
    place.write_text(json.dumps(SCHEMA))
    other = ("--from", "2026-03-05T11:00:00Z", "--to", "2026-03-05T12:00:00Z", "--only-bad")
    assert call(*other) == 3
    assert call(*hour) == 0
    assert rows(tmp_path, "atomic_recovered") == [1, 3]
    assert rows(tmp_path, "atomic") == [0]
    [folder] = (tmp_path / "out/backfill").glob("2026-03-05-10*_bad")
    [report] = folder.glob("runs/run=*/report.json")
    [enrich, *_] = json.loads(report.read_text())["steps"]
    assert (enrich["records"], enrich["events"]) == (4, 2)
    parts = [gzip.decompress(path.read_bytes()) for path in folder.glob("bad/run=*/part-*")]
    kinds = sorted(json.loads(line)["schema"].split("/")[1] for part in parts for line in part.splitlines())
    assert kinds == ["collector_payload_format_violation", "schema_violations"]
    assert call(*hour) == 0, "all is done"
    assert rows(tmp_path, "atomic_recovered") == [1, 3]


def test_bad_rows_are_mended_before_they_are_sent_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A tracker sent an amount in words: a configuration of Event Recovery mends it."""
    tmp_path.chmod(0o755)
    place = tmp_path / "registry/schemas/com.acme/sale/jsonschema/1-0-0"
    place.parent.mkdir(parents=True)
    place.write_text(json.dumps(SCHEMA))
    registry = {"name": "Ours", "priority": 0, "vendorPrefixes": ["com.acme"]}
    registry |= {"connection": {"embedded": {"path": str(tmp_path / "registry")}}}
    resolver = json.loads(Path("fixtures/resolver.json").read_text())
    resolver["data"]["repositories"].append(registry)
    (tmp_path / "resolver.json").write_text(json.dumps(resolver))
    path = "$.raw.parameters.ue_pr.data.data.amount"
    asked = {"op": "Test", "path": f"$.payload{path[1:]}", "value": {"value": "ten"}}
    step = {"op": "Replace", "path": path.removesuffix(".amount"), "match": '"ten"', "value": "10"}
    flow = {"name": "ten", "conditions": [asked], "steps": [step]}
    data = {"iglu:com.snowplowanalytics.snowplow.badrows/schema_violations/jsonschema/2-0-*": [flow]}
    document = {"schema": "iglu:com.snowplowanalytics.snowplow/recoveries/jsonschema/4-0-0", "data": data}
    (tmp_path / "recoveries.json").write_text(json.dumps(document))
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw/a.log").write_text(hit(0) + sale(1, 10) + sale(2, "ten") + sale(3, "many") + "no line\n")

    def call(*more: str, verb: str = "backfill") -> int:
        return main(arguments(tmp_path, *more, verb=verb, resolver=str(tmp_path / "resolver.json")))

    recoveries = ("--recoveries", str(tmp_path / "recoveries.json"))
    hour = ("--from", "2026-03-05T10:00:00Z", "--to", "2026-03-05T11:00:00Z")
    assert call("--run-id", "2026-03-05-10-00-00", "--max-bad", "1", verb="run") == 1
    assert call(*hour, "--only-bad", *recoveries) == 2
    assert "1 run of that time is not done (2026-03-05-10-00-00)" in " ".join(capsys.readouterr().err.split())
    assert call("--run-id", "2026-03-05-10-00-00", "--max-bad", "100%", verb="run") == 0
    assert call(*hour, *recoveries) == 2
    assert "Add --only-bad" in " ".join(capsys.readouterr().err.split())
    assert call(*hour, "--only-bad", *recoveries) == 0
    assert rows(tmp_path, "atomic_recovered") == [2]
    [folder] = (tmp_path / "out/backfill").glob("2026-03-05-10*_bad")
    parts = [gzip.decompress(path.read_bytes()) for path in folder.glob("bad/run=*/part-*")]
    left = [json.loads(line) for part in parts for line in part.splitlines()]
    assert {row["schema"].split("/")[1] for row in left} == {"recovery_error"}
    assert sorted(row["data"]["payload"]["schema"].split("/")[1] for row in left) == [
        "collector_payload_format_violation",
        "schema_violations",
    ]


def test_without_bad_rows_there_is_nothing_to_do(archive: Path) -> None:
    assert main(arguments(archive, *MARCH, "--only-bad")) == 3
