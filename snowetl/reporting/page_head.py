"""The head of a report page: how the run ended, what it was made from, its numbers, and where to look next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from snowetl.reporting.markup import (
    Report,
    duration,
    link,
    name,
    number,
    share,
    size,
    text,
    time,
    total,
)

Link = tuple[str, str | None, str]
"""What it leads to, the address relative to the page (``None``: it lies elsewhere), and the address as it is."""


def status(reports: Sequence[Report], whole: Report | None) -> tuple[str, str]:
    """(kind, words): ``good``, ``warn`` or ``bad``."""
    if whole is not None and whole.get("differences"):
        return "bad", "the counts do not add up"
    loads = [report for report in reports if report.get("step") == "load"]
    if aside := sum(map(rows_aside, loads)):
        return "warn", f"done; {number(aside)} rows are put aside"
    if loads and loads[0].get("outcome") == "already loaded":
        return "good", "done; it was loaded before"
    return "good", "done"


def rows_aside(load: Report) -> int:
    rejected = sum(table.get("rejected", 0) for table in load.get("tables", ()))
    return int(rejected + sum(aside.get("rows", 0) for aside in load.get("aside", ())))


def rows_loaded(load: Report) -> int:
    return sum(table["rows"] for table in load.get("tables", ())) if load.get("step") == "load" else 0


def head(run: str, reports: Sequence[Report], whole: Report | None, links: Sequence[Link]) -> str:
    kind, words = status(reports, whole)
    facts = "".join(f"<dt>{text(label)}</dt><dd>{value}</dd>" for label, value in _facts(reports, whole))
    differences = "".join(f"<li>{text(each)}</li>" for each in (whole or {}).get("differences", ()))
    wrong = f'<ul class="wrong">{differences}</ul>' if differences else ""
    return (
        f'<header><h1>{text(run)} <span class="status {kind}">{text(words)}</span></h1>{wrong}{_tiles(reports)}'
        f"<dl>{facts}{_links(links)}</dl></header>"
    )


def _facts(reports: Sequence[Report], whole: Report | None) -> Iterator[tuple[str, str]]:
    """What the run was made from, as far as the reports tell."""
    first: Report = whole or (reports[0] if reports else {})
    made: Report = next((report for report in reports if report.get("input")), {})
    settings = (whole or made).get("settings") or {}
    folders = settings.get("inputFolder")
    if folders:
        shown = ", ".join(name(str(each)) for each in (folders if isinstance(folders, list) else [folders]))
        input_format = settings.get("inputFormat")
        yield "input", f"{shown} <small>{text(input_format)}</small>" if input_format else shown
    if made:
        files, stored = made["input"].get("files", 0), made["input"].get("bytes", 0)
        yield "files", f"{number(files)} <small>{size(stored)}{_ignored(made)}</small>"
    if first.get("started"):
        finished = f" to {time(first['finished'])}" if first.get("finished") else ""
        yield "time", f"{time(first['started'])}{finished} UTC <small>{duration(first.get('seconds', 0))}</small>"
    warehouse = next((report["warehouse"] for report in reports if report.get("warehouse")), None)
    if warehouse:
        yield "warehouse", name(str(warehouse))
    if first.get("snowetl"):
        yield "version", f"snowetl {text(first['snowetl'])}"
    fingerprint = first.get("fingerprint") or {}
    if fingerprint.get("digest"):
        keys = ", ".join(fingerprint.get("keys", ()))
        yield "configuration", f"<code>{text(str(fingerprint['digest'])[:12])}</code> <small>{name(keys)}</small>"
    for asset in made.get("assets", ()):
        about = f"{size(asset['bytes'])}, SHA-256 {text(asset['sha256'][:12])}…"
        yield "file of enrichments", f"{name(asset['uri'])} <small>{about}</small>"


def _ignored(report: Report) -> str:
    ignored = report["input"].get("ignored", 0)
    return f", {number(ignored)} left out" if ignored else ""


def _links(links: Sequence[Link]) -> str:
    if not links:
        return ""
    shown = "".join(
        f"<li>{link(href, what)}{'' if href is not None else f' <small>{name(address)}</small>'}</li>"
        for what, href, address in links
    )
    return f'<dt>see also</dt><dd><ul class="links">{shown}</ul></dd>'


def _tiles(reports: Sequence[Report]) -> str:
    tiles: list[tuple[str, str, str]] = []
    for report in reports:
        records, bad = report.get("records", 0), total(report.get("badRows"))
        if report.get("step") == "enrich":
            tiles.append((number(records), "records read", ""))
            tiles.append((number(report.get("events", 0)), "enriched events", "good"))
            tiles.append((number(bad), f"bad rows {share(bad, bad + report.get('events', 0))}", "bad" if bad else ""))
            if "failedEvents" in report:
                tiles.append((number(report["failedEvents"]), "failed events kept", ""))
        elif report.get("ofFailedEvents"):
            continue
        elif report.get("step") == "transform":
            dropped = report.get("duplicates") or total(report.get("duplicatesByKind"))
            tiles.append((number(dropped), f"duplicates {share(dropped, records)}", ""))
        elif report.get("step") == "load":
            tiles.append((number(rows_loaded(report)), "rows loaded", "good"))
    what = "in all steps" if len(reports) > 1 else "altogether"
    tiles.append((duration(sum(report.get("seconds", 0) for report in reports)), what, ""))
    cells = "".join(f'<li class="{kind}"><b>{value}</b>{label}</li>' for value, label, kind in tiles)
    return f'<ul class="tiles">{cells}</ul>'
