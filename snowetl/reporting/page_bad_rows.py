"""Bad rows of a report page, by reason: what fails and how often, who sends it, the rows themselves behind a click."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from snowetl.reporting.markup import Report, bar, cut, name, number, share, text, total

_EXAMPLE_CHARS = 4000
_SENDERS = 4
_SENDER_CHARS = 40
_MAX_REASONS = 30


def bad_rows(reports: Sequence[Report]) -> str:
    """All reasons of all steps, the commonest first."""
    known = [reason for report in reports for reason in report.get("badReasons") or ()]
    known.sort(key=lambda reason: -int(reason["count"]))
    counted: dict[str, int] = {}
    for reason in known:
        counted[reason["schema"]] = counted.get(reason["schema"], 0) + reason["count"]
    for report in reports:  # of an earlier release, or more reasons than are kept
        for schema, count in (report.get("badRowSchemas") or {}).items():
            if count > counted.get(schema, 0):
                known.append({"schema": schema, "count": count - counted.get(schema, 0)})
                counted[schema] = count
    whole = sum(reason["count"] for reason in known) or sum(total(report.get("badRows")) for report in reports)
    if not known:
        return "" if whole else "<p>None.</p>"
    shown = [_reason(reason, whole) for reason in known]
    if len(shown) <= _MAX_REASONS:
        return "".join(shown)
    rest = known[_MAX_REASONS:]
    more = f"<summary>{len(rest)} rarer reasons, {number(sum(reason['count'] for reason in rest))} rows</summary>"
    return f"{''.join(shown[:_MAX_REASONS])}<details>{more}{''.join(shown[_MAX_REASONS:])}</details>"


def _reason(reason: Mapping[str, Any], whole: int) -> str:
    count = reason["count"]
    words = str(reason.get("reason") or "no reason was noted")
    field = str(reason.get("field") or "")
    rest = words.removeprefix(field)
    shown = f"<b>{name(cut(field))}</b>{name(cut(rest))}" if words.startswith(field) else name(cut(words))
    kind = reason["schema"].split("/")[1] if reason["schema"].count("/") >= 3 else reason["schema"]
    senders = "".join(
        _senders(label, reason.get(key) or {}) for label, key in (("app", "apps"), ("tracker", "trackers"))
    )
    return (
        f'<details class="reason"><summary><span class="n">{number(count)}</span>'
        f'<span class="soft n">{share(count, whole)}</span><span class="what">{shown}'
        f"<small>{name(kind)}{senders}</small></span></summary>"
        f'<table class="flow bad"><tr>{bar(count, whole)}</tr></table>'
        f"<p><small>{name(reason['schema'])}</small></p>{_examples(reason)}</details>"
    )


def _senders(label: str, counts: Mapping[str, int]) -> str:
    """``· app shop, web and 3 more``: those that are known, the most frequent first."""
    names = sorted((sender for sender in counts if sender), key=lambda sender: (-counts[sender], sender))
    if not names:
        return ""
    more = f" and {len(names) - _SENDERS} more" if len(names) > _SENDERS else ""
    return f" · {label} {', '.join(name(cut(each, _SENDER_CHARS)) for each in names[:_SENDERS])}{more}"


def _examples(reason: Mapping[str, Any]) -> str:
    rows, faults = reason.get("examples") or (), reason.get("faults") or ()
    shown = ""
    for place, row in enumerate(rows):
        fault = f"<figcaption>{name(cut(str(faults[place])))}</figcaption>" if place < len(faults) else ""
        shown += f"<figure>{fault}<pre>{_example(row)}</pre></figure>"
    return shown or "<p>no example was kept</p>"


def _example(row: Any) -> str:
    """A bad row, its failure first: that is what one looks for."""
    shown = row if isinstance(row, str) else json.dumps(row, ensure_ascii=False)
    with suppress(ValueError, AttributeError, RecursionError):  # an example that was cut is shown as it is
        shown = json.dumps(_failure_first(json.loads(shown)), indent=1, ensure_ascii=False)
    if len(shown) > _EXAMPLE_CHARS:
        shown = f"{shown[:_EXAMPLE_CHARS]}\n… ({number(len(shown))} characters)"
    return text(shown)


def _failure_first(row: Any) -> Any:
    data = row["data"] if isinstance(row, dict) and isinstance(row.get("data"), dict) else None
    if data is None:
        return row
    first = {key: data[key] for key in ("failure", "payload") if key in data}
    return {"data": first | data} | {key: value for key, value in row.items() if key != "data"}
