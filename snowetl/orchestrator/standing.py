"""The state of a run: which steps are done, by their reports, and the plan of the others."""

from __future__ import annotations

from typing import Any

from snowetl.load import bad_rows
from snowetl.load.report import ALREADY, LoadReport, kept
from snowetl.orchestrator import counts, entries, run_folders
from snowetl.orchestrator.after import report as after_report
from snowetl.orchestrator.after.report import AfterReport
from snowetl.orchestrator.choice import Choice
from snowetl.orchestrator.entries import Entry
from snowetl.orchestrator.planner import DONE, NEW, WAITS, KnownRun, RunPlan, RunRequest, plan_run
from snowetl.orchestrator.prices import Usage
from snowetl.orchestrator.settings import RunSettings
from snowetl.orchestrator.step_choice import check_order
from snowetl.orchestrator.step_names import AFTER, LOAD_FAILED, TRANSFORM_FAILED, verb_of
from snowetl.reporting.enrich import EnrichReport
from snowetl.reporting.json_form import from_json
from snowetl.reporting.parts import StepReport
from snowetl.reporting.transform import TransformReport
from snowetl.runs.input_list import Amount
from snowetl.runs.run import Run
from snowetl.settings import Fingerprint
from snowetl.steps.lifecycle import done_report
from snowetl.steps.transform_plan import FolderRun

_LOOKED_AT = 3
"""So many runs are looked at for estimates, and for what has changed since."""


def done_run(entry: Entry, settings: RunSettings) -> dict[str, Any] | None:
    """The report of a run that is done; ``None`` where it waits, or something of it is left to do."""
    report = entry.report() if settings.redo_from is None else None
    if report is None or _was_left_out(report, settings):
        return None
    return None if "load" in settings.steps and _is_load_left(report, settings) else report


def _was_left_out(report: dict[str, Any], settings: RunSettings) -> bool:
    """Whether a run that is done was done without a step that is wanted now."""
    wanted = (*settings.steps, *settings.after)
    return any(name in wanted for name in report.get("skipped", ()))


def _is_load_left(report: dict[str, Any], settings: RunSettings) -> bool:
    """Whether a run that is done was loaded into another warehouse than this, or without its bad rows."""
    target = settings.target
    if report.get("target") not in (None, str(target)):
        return True
    if not (settings.load_bad_rows and target.capabilities.bad_rows_table):
        return False
    loads = [step for step in report["steps"] if step["step"] == "load"]
    bad = sum(counts.bad_rows(step) for step in report["steps"] if step["step"] in ("enrich", "transform"))
    return bad > 0 and not any(_has_bad_rows(LoadReport.from_json(load)) for load in loads)


def _has_bad_rows(load: LoadReport) -> bool:
    """Whether a load brought the run's bad rows, or found them in the warehouse."""
    return load.with_bad_rows or any(table.table.endswith(f".{bad_rows.TABLE}") for table in load.tables)


def plan_of(settings: RunSettings, entry: Entry, chosen: Choice | None = None) -> RunPlan:
    """The plan of a run as of now: its finished steps, and the others."""
    if chosen is not None and chosen.files is not None:
        inputs, state_of = Amount(len(chosen.files), sum(file.size for file in chosen.files)), NEW
    else:
        inputs = entries.amount_of(entry.plan() or {})
        state_of = DONE if done_run(entry, settings) is not None else WAITS
    reported = checked_steps(settings, entry)
    done = frozenset(name for name in reported if verb_of(name) != "load")  # that, the warehouse alone knows
    request = RunRequest(settings=settings, run=entry.id, state=state_of, done=done)
    input_list = entry.inputs_url if entry.has_inputs() or (chosen is not None and chosen.files is not None) else None
    return plan_run(request, inputs, None if chosen is None else chosen.found, _known(settings), input_list)


def checked_steps(settings: RunSettings, entry: Entry) -> frozenset[str]:
    """The steps that have a report. Raises ``ConfigError`` where a step would lack what one that is left out makes."""
    reported = frozenset(name for name in settings.all_steps if evidence(name, settings, entry.id) is not None)
    check_order(settings, entry.id, reported)
    return reported


def _known(settings: RunSettings) -> list[KnownRun]:
    """The last runs, for estimates and for what has changed since."""
    latest = run_folders.latest(settings.runs_folder, _LOOKED_AT, entries.REPORT)
    return [_known_run(Entry(id_, settings.runs_folder)) for id_ in latest]


def _known_run(entry: Entry) -> KnownRun:
    begun, report = entry.plan() or {}, entry.report() or {}
    return KnownRun(
        run=entry.id,
        bytes=entries.amount_of(begun).bytes,
        seconds={
            step["step"]: float(step.get("seconds", 0)) for step in (*report.get("steps", ()), *report.get("after", ()))
        },
        usage={step: from_json(Usage, usage) for step, usage in (report.get("usage") or {}).items()},
        fingerprint=Fingerprint.from_json(begun["fingerprint"]) if begun.get("fingerprint") else None,
    )


def evidence(name: str, settings: RunSettings, id_: str) -> StepReport | LoadReport | AfterReport | None:
    """The report of a step that is done with these settings; ``None`` while it is not."""
    if name in AFTER:
        return after_report.evidence(Entry(id_, settings.runs_folder), name)
    own, outputs = settings.step(name, id_)
    run_ = run_of(name, settings, id_)
    if name == "enrich":
        return done_report(run_, EnrichReport, own.fingerprint())
    if isinstance(run_, FolderRun) and name in ("transform", TRANSFORM_FAILED):
        return _transformed(run_) if run_.is_complete() else None
    report = kept(run_.folders[0])
    if report is None or report.target != outputs[0] or _lacks_bad_rows(report, name, settings, id_):
        return None
    return report


def _lacks_bad_rows(report: LoadReport, name: str, settings: RunSettings, id_: str) -> bool:
    """Whether a load was done without the bad rows that are wanted now. One that found its rows in the warehouse has
    looked for them there.
    """
    wanted = settings.load_bad_rows and settings.target.capabilities.bad_rows_table
    if not wanted or report.outcome == ALREADY or _has_bad_rows(report):
        return False
    sources = (TRANSFORM_FAILED,) if name == LOAD_FAILED else ("enrich", "transform")
    found = (evidence(source, settings, id_) for source in sources)
    return any(counts.bad_rows(source.to_json()) for source in found if source is not None)


def run_of(name: str, settings: RunSettings, id_: str) -> Run:
    """The folders in which a step leaves its report."""
    if name == "enrich":
        return Run(id_, settings.enriched_outputs())
    folder = settings.transformed(id_, failed=name in (TRANSFORM_FAILED, LOAD_FAILED)).rpartition("/")[0]
    return FolderRun(f"run={id_}", (folder,))


def _transformed(run_: FolderRun) -> TransformReport:
    from snowetl.steps.table import TRANSFORM

    [report] = TRANSFORM.reports([run_])
    return report
