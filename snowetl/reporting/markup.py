"""Texts and small pieces of report pages. Whatever an event says of itself is escaped here."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from typing import Any

from snowetl.settings.words import printable

Report = Mapping[str, Any]
"""The JSON report of a step, or of a whole run."""

_BREAKS = re.compile(r"([._/])(?=\w)")
_SHOWN_CHARS = 300


def text(value: object) -> str:
    """Escaped for HTML; characters that cannot be shown, or that turn the text around, as ``\\x9b`` and the like."""
    return html.escape(printable(str(value)))


def step_of(report: Report) -> str:
    """The step a report is of, as text."""
    return f"{report.get('step', '')}{' of failed events' if report.get('ofFailedEvents') else ''}"


def name(value: str) -> str:
    """Escaped; a long name may be broken where it has a dot, an underscore or a slash."""
    return _BREAKS.sub(r"\1<wbr>", text(value))


def cut(value: str, most: int = _SHOWN_CHARS) -> str:
    return value if len(value) <= most else f"{value[:most]}…"


def number(count: float) -> str:
    return f"{count:,}"


def short(count: float) -> str:
    """``1.2k``, ``3.4m``."""
    if count >= 1_000_000:
        return f"{count / 1_000_000:.1f}m"
    return f"{count / 1000:.1f}k" if count >= 1000 else str(count)


def share(part: float, whole: float) -> str:
    """``12%``, ``0.3%``, ``<0.1%``; nothing of nothing is ''."""
    if not whole:
        return ""
    percent = 100 * part / whole
    if 0 < percent < 0.1:
        return "<0.1%"
    if percent >= 10 or percent == 0:
        return ">99.9%" if 99.9 < percent < 100 else f"{percent:.0f}%"
    return f"{percent:.1f}%"


def duration(seconds: float) -> str:
    """``12.5 s``, ``3 min 05 s``, ``2 h 10 min``, ``5 d 3 h``."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours < 48 else f"{hours // 24:,} d {hours % 24} h"


def size(count: float) -> str:
    """``12.5 MB``."""
    for unit in ("bytes", "KB", "MB", "GB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TB"


def time(iso: object) -> str:
    """``2026-03-05 01:00:12`` of an ISO instant."""
    return text(str(iso)[:19].replace("T", " "))


def bar(part: float, whole: float) -> str:
    """A table cell that shows a share as a bar."""
    return f'<td class="bar"><i style="width:{100 * part / whole if whole else 0:.2f}%"></i></td>'


def section(title: str, body: str, note: str = "") -> str:
    small = f" <small>{note}</small>" if note else ""
    return f"<section><h2>{text(title)}{small}</h2>{body}</section>" if body else ""


def shares(title: str, counts: Iterable[tuple[str, int]], whole: int) -> str:
    """A table of names, counts, shares and bars."""
    rows = "".join(
        f'<tr><th>{name(cut(label, 80)) or "<em>none</em>"}</th><td class="n">{number(count)}</td>'
        f'<td class="n soft">{share(count, whole)}</td>{bar(count, whole)}</tr>'
        for label, count in counts
    )
    return f'<div class="card"><h3>{text(title)}</h3><table class="flow">{rows}</table></div>' if rows else ""


def link(href: str | None, label: str) -> str:
    """A link to something beside the page; an address of elsewhere is shown, not linked."""
    return f'<a href="{text(href)}">{name(label)}</a>' if href is not None else name(label)


def total(counts: Mapping[str, int] | None) -> int:
    return sum((counts or {}).values())
