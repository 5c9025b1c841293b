"""How many bad rows are too many: a share (``5%``) or a number, asked of the report of a run."""

from __future__ import annotations

from snowetl.errors import TooManyBadRows
from snowetl.reporting.enrich import EnrichReport
from snowetl.reporting.transform import TransformReport
from snowetl.steps.base import Watch

WARNS_ABOVE = 0.5
"""The share of bad rows that causes a warning if the user has set no limit."""


def judge(report: EnrichReport | TransformReport, limit: str | None, watch: Watch) -> None:
    """Warn of a run that is mostly bad rows; with a ``limit``, raise :class:`TooManyBadRows` for one above it."""
    bad = sum(report.bad_rows.values())
    whole = report.events + bad
    if not bad:
        return
    share = f"{bad:,} bad rows and {report.events:,} events ({100 * bad / whole:.3g} %)"
    commonest = max(report.bad_rows, key=lambda kind: report.bad_rows[kind])
    if limit is None:
        if bad > WARNS_ABOVE * whole:
            watch.warn(
                f"{report.step} of run={report.run} made {share}, most of them {commonest}. "
                "Is it the right input? --max-bad 5% makes this a failure"
            )
        return
    number = float(limit.removesuffix("%")) / 100 * whole if limit.endswith("%") else float(limit)
    if bad > number:
        raise TooManyBadRows(
            f"{report.step} of run={report.run} made {share}, more than --max-bad {limit}; most of them {commonest}. "
            "The run is kept as it is: see its report. Fix the cause and give another --run-id, or raise --max-bad"
        )
