"""One page for one run: how it ended, where every record went, bad rows by reason, events over time, tables, timings.

The page is one file: no script, no network. Sections are in ``page_*.py``, one file each.
"""

from __future__ import annotations

from collections.abc import Sequence

from snowetl.reporting.markup import Report, section, text
from snowetl.reporting.page_bad_rows import bad_rows
from snowetl.reporting.page_events import events, types
from snowetl.reporting.page_head import Link, head
from snowetl.reporting.page_steps import after, flow, splits, tables, timings
from snowetl.reporting.style import STYLE

__all__ = ["Link", "page", "render"]


def render(run: str, reports: Sequence[Report], whole: Report | None = None, links: Sequence[Link] = ()) -> str:
    """The page of ``run`` from the JSON reports of its steps, in order.

    Keys a report may have: ``step`` (``enrich``, ``transform``, ``load``), ``seconds``, ``started``, ``finished``,
    ``settings``, ``fingerprint``, ``input``, ``records``, ``discarded``, ``events``, ``badRows``, ``badRowSchemas``,
    ``badReasons``, ``eventTypes`` (type -> hour -> count), ``timeline``, ``sources``, ``splits`` (``index``, ``files``,
    ``fileCount``, ``records``, ``seconds``), ``duplicatesByKind``; of a load ``tables`` (``table``, ``rows``,
    ``rejected``, ``change``), ``aside``, ``skipped``, ``warnings``. ``whole`` is the report of the whole run, of which
    these are the steps (``after``: those after the load); ``links`` lead to what lies beside the page. What is absent
    is left out of the page.
    """
    body = [
        head(run, reports, whole, links),
        section("Where every record went", "".join(flow(report) for report in reports)),
        section("Bad rows by reason", bad_rows(reports)),
        events(reports, whole),
        section("New and altered tables", tables(reports)),
        section("Events by type and hour", types(reports)),
        section("After the load", after(whole)),
        section("Timings", timings(reports)),
        section("Slowest splits", splits(reports)),
    ]
    return page(f"snowetl {run}", "".join(body))


def page(title: str, body: str) -> str:
    """A whole document."""
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{text(title)}</title><style>{STYLE}</style></head><body><main>{body}"
        "<footer>made by snowetl; this file needs no network</footer></main></body></html>\n"
    )
