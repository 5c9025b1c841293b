"""From the plan of a run to its report: what the steps that write folders have in common.

The plan is written first, the report last. A run with a report is done; what lies there without one is the debris of an
attempt that died, and is wiped. A run that was done with another configuration is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import groupby, islice
from typing import Protocol, TypeVar

from snowetl.errors import OutputExists, SnowetlError
from snowetl.jvm import jsontext
from snowetl.jvm.strings import to_utf8
from snowetl.reporting import html
from snowetl.reporting.parts import StepReport
from snowetl.runs import scratch
from snowetl.runs.lease import Lease
from snowetl.runs.parts import Part
from snowetl.runs.run import PAGE, Run
from snowetl.settings import Fingerprint
from snowetl.steps.base import Plan
from snowetl.storage import filesystem
from snowetl.storage.base import scheme_of

R = TypeVar("R", bound=StepReport)
T = TypeVar("T", bound="Totals")
_PARTS_AT_ONCE = 2_000
"""So many parts are taken from the list of all of them, and published."""


class Totals(Protocol):
    """What came of the work: parts that are staged, to be published."""

    @property
    def parts(self) -> Iterable[Part]: ...


def carry_out(
    run: Run,
    plan: Plan,
    kind: type[R],
    work: Callable[[], T],
    report_of: Callable[[T], R],
    seal: Callable[[R], None] = lambda report: None,
) -> R:
    """Do the ``work`` of a run that nobody has done, publish what it staged, and keep the report.

    ``seal`` is the last act, done for a run that lacks nothing else, too.

    Raises :class:`OutputExists` where another job is at work on the run, or has done it with another configuration.
    """
    with Lease(run.lock_url) as lease:
        report = done_report(run, kind, plan.fingerprint)  # another job may have done it since we looked
        if report is None:
            report = _do(run, plan, lease, work, report_of)
        else:
            _complete(run)
        seal(report)
        return report


def _do(run: Run, plan: Plan, lease: Lease, work: Callable[[], T], report_of: Callable[[T], R]) -> R:
    run.wipe()
    try:
        run.begin(jsontext.dumps(plan.to_json()), plan.work_lines())
        totals = work()
        lease.check()
        publish(totals.parts)
        report = report_of(totals)
        run.finish(jsontext.dumps(report.to_json()), {PAGE: to_utf8(page_of(report))})
    except BaseException:
        with suppress(SnowetlError):  # what stopped the job says more than what stops the cleaning
            if lease.is_ours():
                run.wipe()
        raise
    with suppress(SnowetlError):  # the run is done; leftovers are invisible
        run.sweep()
    return report


def tidy(run: Run) -> None:
    """Complete a run that is done, but whose process was killed between the report and its end."""
    scratch.sweep()
    if run.is_tidy():
        return
    with suppress(OutputExists), Lease(run.lock_url):  # held by a job that is just about to do the same
        _complete(run)


def _complete(run: Run) -> None:
    run.mark()
    run.sweep()


def done_report(run: Run, kind: type[R], fingerprint: Fingerprint) -> R | None:
    """The report of a run that is done with this configuration; ``None`` for a run that is not done.

    Raises :class:`OutputExists`, naming what differs, where it was done with another one.
    """
    report = read_report(run, kind)
    if report is None:
        return None
    changed = differences(report, fingerprint)
    if changed:
        raise OutputExists(
            f"{run.folders[0]} is done already, with other settings: {', '.join(changed)}. "
            f"Give another --run-id, or, to do it again, delete that folder"
        )
    return report


def read_report(run: Run, kind: type[R]) -> R | None:
    """The report of a run; ``None`` for a run that is not done. Raises :class:`StorageError`."""
    document = run.report()
    return None if document is None else kind.from_json(document, run.report_url)


def differences(report: StepReport, fingerprint: Fingerprint) -> list[str]:
    """Settings in which a run that is done differs. Reports of releases that did not note them differ in none."""
    return fingerprint.differences(Fingerprint.from_json(report.fingerprint)) if report.fingerprint else []


def page_of(report: StepReport) -> str:
    return html.render(f"run={report.run}", [report.to_json()])


def publish(parts: Iterable[Part]) -> None:
    """Commit the parts of the attempts that count. A part of any other attempt stays invisible, and is swept."""
    remaining = iter(parts)
    while some := list(islice(remaining, _PARTS_AT_ONCE)):
        by_storage = sorted(some, key=lambda part: scheme_of(part.url))
        for _, group in groupby(by_storage, key=lambda part: scheme_of(part.url)):
            members = list(group)
            filesystem(members[0].url).commit_all([part.token for part in members])
