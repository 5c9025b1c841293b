"""Plans and reports of steps: data both ways; a run that was made otherwise is refused, by name."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from snowetl.errors import NothingToDo, OutputExists, StorageError, TooManyBadRows, UsageError
from snowetl.reporting.enrich import EnrichReport
from snowetl.reporting.transform import TransformReport
from snowetl.steps.base import Unwatched, World
from snowetl.steps.cut import Cut
from snowetl.steps.enrich import EnrichPlan
from snowetl.steps.settings import EnrichSettings
from snowetl.steps.table import ENRICH, STEPS, TRANSFORM
from snowetl.steps.transform_plan import Batch
from snowetl.workers.in_process import InProcess
from tests.integration.support import HEADER, RESOLVER, ROOT, RUN, anon_ip, cloudfront_line, files, write_logs
from tests.steps import transform_support as transforms
from tests.steps.transform_support import enriched, write_run


class Heard(Unwatched):
    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return write_logs(tmp_path / "raw", files=2, lines=30)


def settings(folder: Path, **more: Any) -> EnrichSettings:
    given: dict[str, Any] = {
        "input_folder": (str(folder / "raw"),),
        "input_format": "cloudfront",
        "output_folder": str(folder / "out" / "good"),
        "bad_folder": str(folder / "out" / "bad"),
        "iglu_config": RESOLVER,
        "run_id": RUN,
    }
    return EnrichSettings(**(given | more))


def plan(folder: Path, **more: Any) -> EnrichPlan:
    return ENRICH.plan(settings(folder, **more), World.of_now())


def enrich(folder: Path, **more: Any) -> EnrichReport:
    [report] = ENRICH.execute(plan(folder, **more), InProcess(), Unwatched())
    return report


def test_the_steps_in_their_order() -> None:
    assert list(STEPS) == ["enrich", "transform", "load"]


# --- plans and reports are data --------------------------------------------------------------------------------------


def test_a_plan_is_written_first_and_does_the_same_when_read_back(raw: Path, tmp_path: Path) -> None:
    planned = plan(tmp_path, split_size=1024)
    assert not (tmp_path / "out").exists()
    lines = json.loads(json.dumps(list(planned.work_lines())))
    read = EnrichPlan.from_json(json.loads(json.dumps(planned.to_json())), lines)
    assert read == planned
    [report] = ENRICH.execute(read, InProcess(), Unwatched())
    kept = json.loads((tmp_path / "out" / "good" / f"run={RUN}" / "_plan.json").read_text())
    assert kept == planned.to_json()
    cut = Cut.read(str(tmp_path / "out" / "good" / f"run={RUN}" / "_work.jsonl.gz"))
    assert cut == planned.cut
    assert [(Path(file.url).name, file.size) for file in cut.files] == [
        (file.name, file.stat().st_size) for file in sorted(raw.iterdir())
    ]
    assert kept["fingerprint"] == report.fingerprint == planned.fingerprint.to_json()


def test_a_plan_of_a_transform_is_read_back(tmp_path: Path) -> None:
    write_run(tmp_path / "enriched", [[enriched(1)], [enriched(2)]])
    [batch] = transforms.plan(tmp_path, split_size=1024).batches
    assert Batch.from_json(json.loads(json.dumps(batch.to_json())), list(batch.work_lines())) == batch


def test_a_plan_holds_no_secrets(raw: Path, tmp_path: Path) -> None:
    http = {"uri": "http://127.0.0.1:9/api", "apikey": "5fb4713d-73ad-4163-93a9-2b82f0177c5b"}
    registry = {"name": "Ours", "priority": 1, "vendorPrefixes": ["com.acme"], "connection": {"http": http}}
    resolver = {"schema": RESOLVER["schema"], "data": {"cacheSize": 5, "repositories": [registry]}}
    enrich(tmp_path, iglu_config=resolver)
    for path in (tmp_path / "out").rglob("*"):
        assert not path.is_file() or b"5fb4713d" not in path.read_bytes()


def test_reports_are_read_back(raw: Path, tmp_path: Path) -> None:
    report = enrich(tmp_path)
    kept = json.loads((tmp_path / "out" / "good" / f"run={RUN}" / "_report.json").read_text())
    assert kept == report.to_json()
    assert EnrichReport.from_json(kept) == report
    write_run(tmp_path / "enriched", [[enriched(1), "no event"]])
    [document] = transforms.transform(tmp_path)
    assert TransformReport.from_json(document).to_json() == document
    models = {(table["vendor"], table["name"], table["model"]) for table in document["tables"] if "model" in table}
    assert ("com.acme", "click", 1) in models


def test_reports_of_an_earlier_release_are_read(tmp_path: Path) -> None:
    write_run(tmp_path / "enriched", [[enriched(1)]])
    [document] = transforms.transform(tmp_path, target="redshift")
    older = {key: value for key, value in document.items() if key not in ("fingerprint", "runIdentity")}
    keys = ("table", "rows", "parts", "bytes")
    older |= {
        "format": "snowetl-transform-report/1",
        "tables": [{key: table[key] for key in keys} for table in document["tables"]],
    }
    read = TransformReport.from_json(older)
    assert read.tables == [
        replace(table, schema_criterion=None) for table in TransformReport.from_json(document).tables
    ]


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"format": "snowetl-enrich-report/9"}, "written by a later release"),
        ({"format": "snowetl-transform-report/1"}, "is not the report of a run of enrich"),
        ({"records": "many"}, "records is 'many': it should be int"),
        ({"output": None}, "output is None"),
    ],
)
def test_reports_nobody_can_read(changed: dict[str, Any], error: str, raw: Path, tmp_path: Path) -> None:
    document = enrich(tmp_path).to_json() | changed
    with pytest.raises(StorageError, match=error):
        EnrichReport.from_json(document, "the report")


# --- L2: a run of another configuration -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"enrichments": [anon_ip(2)]}, "enrichments"),
        ({"accept_invalid": True}, "accept-invalid"),
        ({"max_record_bytes": 100_000}, "max-record-bytes"),
        ({"adapters": {"adaptersSchemas": {}}}, "adapters"),
        ({"on_registry_failure": "bad-rows"}, "on-registry-failure"),
        ({"compression": "zstd"}, "compression"),
    ],
)
def test_L2_enrich_with_other_settings_is_refused_by_name(
    changed: dict[str, Any], key: str, raw: Path, tmp_path: Path
) -> None:
    enrich(tmp_path)
    before = files(tmp_path / "out")
    with pytest.raises(OutputExists, match=f"is done already, with other settings: {key}\\. Give another --run-id"):
        enrich(tmp_path, **changed)
    assert files(tmp_path / "out") == before
    assert enrich(tmp_path, master="none", workers=2, split_size=4096).events > 0


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"natural": False, "synthetic": "NONE"}, "natural, synthetic"),
        ({"transformation": "widerow-json"}, "transformation"),
        ({"truncate_atomic_fields": True}, "truncate-atomic-fields"),
    ],
)
@pytest.mark.parametrize("folder", ["enriched", f"enriched/{transforms.RUN}"])
def test_L2_transform_with_other_settings_is_refused_by_name(
    changed: dict[str, Any], key: str, folder: str, tmp_path: Path
) -> None:
    write_run(tmp_path / "enriched", [[enriched(1)]])
    transforms.transform(tmp_path)
    with pytest.raises(OutputExists, match=f"was made with other settings: {key}\\. To do it again, delete"):
        transforms.transform(tmp_path, input_folder=str(tmp_path / folder), **changed)
    assert transforms.transform(tmp_path, input_folder=str(tmp_path / folder)) == []
    write_run(tmp_path / "enriched", [[enriched(2)]], "run=2026-01-02-04-00-00")  # a new run goes on, the other is told
    planned = transforms.plan(tmp_path, **changed)
    assert [batch.run.id for batch in planned.batches] == ["run=2026-01-02-04-00-00"]
    assert len(planned.other) == 1


# --- L3: one run, however it is spelled -----------------------------------------------------------------------------


def test_L3_a_run_is_the_same_wherever_it_lies(raw: Path, tmp_path: Path) -> None:
    identity = enrich(tmp_path).run_identity
    assert len(identity) == 32
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(raw, elsewhere / "raw")
    (tmp_path / "link").symlink_to(elsewhere)
    for number, spelled in enumerate((str(elsewhere / "raw"), f"file://{elsewhere}/raw/", str(tmp_path / "link/raw"))):
        out = {"output_folder": str(tmp_path / f"{number}/good"), "bad_folder": str(tmp_path / f"{number}/bad")}
        assert enrich(elsewhere, input_folder=(spelled,), **out).run_identity == identity
    assert enrich(tmp_path, run_id="2026-01-02-03-04-06").run_identity != identity
    base = tmp_path / "out" / "good"
    found = {
        transforms.plan(tmp_path, input_folder=spelled, output_folder=str(tmp_path / "rows")).batches[0].identity
        for spelled in (str(base / f"run={RUN}"), f"{base}/run={RUN}/", f"file://{base}/run={RUN}")
    }
    assert found == {identity}


# --- B9: too many bad rows, and files that are of another format ----------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "fails"), [("3", True), ("4", False), ("6%", True), ("7%", False), ("0", True), ("100%", False)]
)
def test_B9_more_bad_rows_than_allowed(limit: str, fails: bool, tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    lines = [cloudfront_line(number) for number in range(1, 58) if number not in (39, 49)]
    (tmp_path / "raw" / "log").write_text(HEADER + "\n".join(lines) + "\n" + "bad line\n" * 4)
    if not fails:
        assert enrich(tmp_path, max_bad=limit).bad_rows == {"collector_payload_format_violation": 4}
        return
    for _ in range(2):  # the run is done, and stays too bad
        with pytest.raises(TooManyBadRows, match=f"made 4 bad rows and 55 events .*, more than --max-bad {limit}"):
            enrich(tmp_path, max_bad=limit)
    assert (tmp_path / "out" / "good" / f"run={RUN}" / "_SUCCESS").exists()
    assert enrich(tmp_path, max_bad="100%").events == 55


def test_B9_mostly_bad_rows_are_told(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "log").write_text(cloudfront_line(1) + "\n" + "bad line\n" * 30)
    heard = Heard()
    ENRICH.execute(plan(tmp_path), InProcess(), heard)
    assert ["made 30 bad rows and 1 events (96.8 %)" in text for text in heard.warnings] == [True]


@pytest.mark.parametrize("limit", ["-1", "101%", "many", "nan", "inf", ""])
def test_B9_limits_that_are_none(limit: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="neither a number nor a share such as 5%"):
        settings(tmp_path, max_bad=limit)


def test_B9_every_file_is_looked_at(raw: Path, tmp_path: Path) -> None:
    """A stray file among many: its records become bad rows, and it is named."""
    for number in range(30):
        shutil.copy(raw / "E1.2026-01-01-00.gz", raw / f"copy-{number}.gz")
    shutil.copy(next((ROOT / "fixtures/logs/thrift").iterdir()), raw / "zz-stray")
    heard = Heard()
    planned = plan(tmp_path)
    ENRICH.execute(planned, InProcess(), heard)
    assert heard.warnings[:1] == planned.misread
    assert "zz-stray does not look like 'cloudfront', but like 'thrift'" in heard.warnings[0]


BAD_ROW = json.dumps(
    {"schema": "iglu:com.snowplowanalytics.snowplow.badrows/size_violation/jsonschema/1-0-0", "data": {}}
)
WIDE_ROW = json.dumps({"app_id": "shop", "event_id": "1", "collector_tstamp": "2", "v_etl": "3"})
OUTPUTS = {
    "events": (enriched(1), "enriched events: they are what `snowetl transform` takes"),
    "bad rows": (BAD_ROW, "bad rows: `snowetl load --bad-rows` loads them"),
    "wide rows": (WIDE_ROW, "rows that `snowetl transform` wrote"),
}


@pytest.mark.parametrize(
    "format_", ["thrift", "cloudfront", "clj-tomcat", "tsv/com.example/v1", "ndjson/com.example/v1"]
)
@pytest.mark.parametrize("output", OUTPUTS)
def test_B9_what_a_verb_wrote_is_refused_as_a_raw_log(format_: str, output: str, tmp_path: Path) -> None:
    line, told = OUTPUTS[output]
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "part-0.gz").write_bytes(gzip.compress(f"{line}\n".encode() * 3))
    with pytest.raises(UsageError) as refused:
        plan(tmp_path, input_format=format_)
    assert f"part-0.gz is not '{format_}'" in str(refused.value) and told in str(refused.value)
    assert "--no-check-input" in str(refused.value)
    heard = Heard()
    [report] = ENRICH.execute(plan(tmp_path, input_format=format_, check_input=False), InProcess(), heard)
    assert report.events == 0 and sum(report.bad_rows.values()) == 3
    assert f"does not look like '{format_}', but like {told.partition(':')[0]}" in heard.warnings[0]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([BAD_ROW, BAD_ROW], OUTPUTS["bad rows"][1]),
        ([WIDE_ROW], OUTPUTS["wide rows"][1]),
        ([cloudfront_line(1)], "'cloudfront': give --input-format cloudfront to `snowetl enrich`"),
        ([BAD_ROW, "else"], "If it is a raw log, run `snowetl enrich` first"),
    ],
)
def test_B9_what_transform_does_not_take_is_refused(lines: list[str], told: str, tmp_path: Path) -> None:
    write_run(tmp_path / "enriched", [lines])
    with pytest.raises(UsageError) as refused:
        transforms.plan(tmp_path)
    assert "holds no enriched events" in str(refused.value) and told in str(refused.value)
    assert "--no-check-input" in str(refused.value)
    [report] = TRANSFORM.execute(transforms.plan(tmp_path, check_input=False), InProcess(), Heard())
    assert report.events == 0 and sum(report.bad_rows.values()) == len(lines)


@pytest.mark.parametrize("format_", ["cloudfront", "thrift"])
def test_B9_raw_logs_given_to_transform_are_told(format_: str, tmp_path: Path) -> None:
    source = str(ROOT / "fixtures" / "logs" / format_)
    with pytest.raises(
        UsageError, match=f"holds no enriched events.*give --input-format {format_} to `snowetl enrich`"
    ):
        transforms.plan(tmp_path, input_folder=source, run_id=RUN)


def test_B9_raw_logs_among_enriched_events_are_named(raw: Path, tmp_path: Path) -> None:
    run = write_run(tmp_path / "enriched", [[enriched(1)]])
    shutil.copy(raw / "E1.2026-01-01-00.gz", run / "stray.gz")
    heard = Heard()
    planned = transforms.plan(tmp_path)
    TRANSFORM.execute(planned, InProcess(), heard)
    assert "stray.gz does not look like enriched events, but like 'cloudfront'" in heard.warnings[0]


# --- L11: an input that changes between plan and work ---------------------------------------------------------------


@pytest.mark.parametrize("change", ["shrinks", "grows", "is replaced", "vanishes"])
def test_L11_an_input_that_changes_fails_the_job_and_is_named(change: str, raw: Path, tmp_path: Path) -> None:
    planned = plan(tmp_path)
    path = raw / "E1.2026-01-01-01.gz"
    content = path.read_bytes()
    if change == "vanishes":
        path.unlink()
    elif change == "is replaced":
        os.utime(path, ns=(1, 1))
    else:
        path.write_bytes(content[:-20] if change == "shrinks" else content + content)
    with pytest.raises((StorageError, UsageError), match=r"E1\.2026-01-01-01\.gz"):
        ENRICH.execute(planned, InProcess(), Unwatched())
    assert files(tmp_path / "out") == {}


def test_nothing_but_empty_files(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "empty").touch()
    with pytest.raises(NothingToDo):
        plan(tmp_path)


def test_a_run_that_was_killed_after_its_report_is_completed(raw: Path, tmp_path: Path) -> None:
    enrich(tmp_path)
    run = plan(tmp_path).run
    marks = [Path(folder) / "_SUCCESS" for folder in run.folders]
    for mark in marks:
        mark.unlink()
    Path(run.lock_url).write_text("left by a process that died")
    staged = marks[0].with_name("._staging-_SUCCESS-0")
    staged.touch()
    enrich(tmp_path)
    assert all(mark.exists() for mark in marks)
    assert not staged.exists()
    assert not Path(run.lock_url).exists()
