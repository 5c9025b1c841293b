"""Plans and reports as text a person reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from snowetl.jvm import jsontext
from snowetl.settings.words import amount, count, duration_text, size

if TYPE_CHECKING:
    from snowetl.load.report import LoadReport
    from snowetl.orchestrator.overview import RunView
    from snowetl.orchestrator.planner import RunPlan
    from snowetl.reporting.enrich import EnrichReport
    from snowetl.reporting.transform import TransformReport
    from snowetl.steps.enrich import EnrichPlan
    from snowetl.steps.load import PlannedLoad
    from snowetl.steps.transform_plan import TransformPlan

_SHOWN_FILES = 5
_OUTPUTS = ("events", "bad rows", "failed")

Row = tuple[str, str, str]


def enrich_report(done: EnrichReport) -> str:
    """The report of an enrich run: what went in, what came out, how fast."""
    output = done.output
    rate = done.records / done.seconds if done.seconds else 0
    rows: list[Row] = [
        ("records", f"{done.records:,}", f"{count(done.input.files, 'file')}, {size(done.input.bytes)}"),
        *(("  discarded", f"{number:,}", reason) for reason, number in done.discarded.items()),
        ("events", f"{done.events:,}", size(output.good.bytes)),
        ("bad rows", f"{sum(done.bad_rows.values()):,}", size(output.bad.bytes)),
        *(("", f"{number:,}", kind) for kind, number in done.bad_rows.items()),
    ]
    if done.failed_events is not None and output.failed is not None:
        rows.append(("failed", f"{done.failed_events:,}", f"{size(output.failed.bytes)}, what is valid of bad events"))
    if done.damages:
        rows.append(("damages", f"{done.damages:,}", "places where a file is damaged; each is a bad row"))
    rows.append(("time", duration_text(done.seconds), f"{rate:,.0f} records/s"))
    return "\n".join(
        [
            f"run={done.run}",
            *_aligned(rows),
            f"  events    {done.settings['outputFolder']}",
            f"  bad rows  {done.settings['badFolder']}",
            *([f"  failed    {done.settings['failedFolder']}"] if "failedFolder" in done.settings else []),
        ]
    )


def transform_report(report: TransformReport) -> str:
    """What became of a run, as text."""
    rows = [
        ("lines", report.records),
        ("events", report.events),
        ("duplicates", report.duplicates),
        ("new ids", report.new_ids),
        ("bad rows", sum(report.bad_rows.values())),
        *((f"  {name}", count) for name, count in report.bad_rows.items()),
        ("schemas", len(report.types)),
        ("folders", len(report.tables)),
    ]
    width = max(len(name) for name, _ in rows)
    rate = report.records / report.seconds if report.seconds else 0
    lines = [f"run={report.run}", *(f"  {name:<{width}}  {count:>12,}" for name, count in rows)]
    lines.append(f"  {'time':<{width}}  {duration_text(report.seconds):>12}  {rate:,.0f} lines/s")
    return "\n".join([*lines, f"  {report.settings['outputFolder']}"])


def load_report(report: LoadReport) -> str:
    """A report as text: a line per table, then what was put aside and why."""
    lines = [f"{report.base}: {report.outcome}"]
    width = max((len(table.table) for table in report.tables), default=0)
    for one in report.tables:
        notes = [
            one.change or "",
            f"{one.rejected:,} rejected" if one.rejected else "",
            f"{one.values:,} value{'' if one.values == 1 else 's'} put aside" if one.values else "",
        ]
        note = ", ".join(note for note in notes if note)
        lines.append(f"  {one.table:<{width}}  {one.rows:>10,} rows  {one.seconds:6.1f} s  {note}".rstrip())
    for aside in report.aside:
        lines.append(f"  {aside.schema}: {aside.rows:,} rows put aside: {aside.reason}")
    lines += [f"  {schema}: left out (--skip-schema)" for schema in report.skipped]
    if report.aside:
        lines.append("  fix the schema, then load the rows that were put aside: snowetl load --retry-rejected")
    return "\n".join([*lines, *(f"  warning: {warning}" for warning in report.warnings)])


def run_report(report: dict[str, Any]) -> str:
    """The counts of a run, and how long its steps took."""
    names = ["  " * level + name for name, _, level in report["counts"]]
    width = max(map(len, names))
    lines = [f"  {name:<{width}}  {row[1]:>12,}" for name, row in zip(names, report["counts"], strict=True)]
    after = report.get("after", ())
    times = ", ".join(f"{step['step']} {duration_text(step['seconds'])}" for step in (*report["steps"], *after))
    lines += [f"  {step['step']:<{width}}  {step['words']}" for step in after]
    if report.get("cost") is not None:
        lines.append(f"  {'cost, by --price-per-hour':<{width}}  {report['cost']:>12,.2f}")
    if report.get("usage"):
        for name, key in (("vCPU hours", "vcpuHours"), ("GB hours", "gbHours")):
            hours = sum(float(step[key]) for step in report["usage"].values())
            lines.append(f"  {name:<{width}}  {hours:>12,.2f}")
    if report.get("skipped"):
        lines.append(f"  {'left out':<{width}}  {', '.join(report['skipped'])} (--skip)")
    return "\n".join(
        [f"run={report['run']}", *lines, f"  {'time':<{width}}  {duration_text(report['seconds']):>12}  {times}"]
    )


def planned_request(request: Mapping[str, Any]) -> str:
    """A request to AWS that was not sent (``--executor dry``)."""
    return str(jsontext.dumps(dict(request)))


def planned_run(planned: EnrichPlan, target: str | None = None) -> str:
    """What a job would do (``--dry-run``); ``target`` is the warehouse, if the run ends there."""
    end = [] if target is None else [f"  tables    {target}"]
    if planned.done is not None:
        return "\n".join([f"run={planned.run.id}: enriched already (dry run: nothing is written)", *end])
    config, run = planned.config(), planned.run
    rows: list[Row] = [
        ("input", f"{len(planned.files):,}", f"files, {size(planned.bytes)}, {planned.settings.input_format}"),
        ("tasks", f"{len(planned.work):,}", f"the largest {size(max(work.bytes for work in planned.work))}"),
        ("ignored", f"{len(planned.ignored):,}", "files"),
    ]
    lines = [f"run={run.id} (dry run: nothing is written)", *_aligned(rows)]
    lines += [f"    {file.url}: {file.reason}" for file in planned.ignored[:_SHOWN_FILES]]
    if len(planned.ignored) > _SHOWN_FILES:
        lines.append(f"    and {len(planned.ignored) - _SHOWN_FILES:,} more")
    lines += [f"  needs     {asset.uri}" for asset in config.assets()]
    lines += [f"  {what:<8}  {folder}" for what, folder in zip(_OUTPUTS, run.folders, strict=False)] + end
    return "\n".join(lines)


def planned_pipeline(plan: RunPlan) -> str:
    """A plan (``snowetl plan``): the run, its input, its steps and why, what is odd, what has changed."""
    head = {"new": "a new run", "waits": "begun, not finished", "done": "done"}[plan.state]
    lines = [f"run={plan.run} ({head}), executor {plan.executor}"]
    lines.append(f"  input  {count(plan.inputs.files, 'file')}, {size(plan.inputs.bytes)}")
    found = plan.inventory
    if found is not None:
        kinds = (
            (found.taken, "taken by earlier runs"),
            (found.replaced, "changed since a run took them: left alone"),
            (found.vanished, "gone since a run took them"),
            (found.late, "late"),
            (found.too_young, "too young (--settle, --until)"),
            (found.too_old, "too old (--since)"),
            (found.too_many, "left for the next run (--max-bytes)"),
        )
        lines += [f"    {count(some.files, 'file')} {words}, such as {some.names[0]}" for some, words in kinds if some]
    width = max(map(len, (*(step.name for step in plan.steps), *plan.skipped)))
    for step in plan.steps:
        todo = "done" if step.done else "do"
        time = "" if step.seconds is None else f", about {duration_text(step.seconds)}"
        lines.append(f"  {step.name:<{width}}  {todo:<4}  {step.why}{time}")
        lines += [f"  {'':<{width}}        {output}" for output in step.outputs]
    lines += [f"  {name:<{width}}  skip  --skip leaves it out" for name in plan.skipped]
    lines += _estimates(plan)
    if plan.changes:
        lines.append(f"  settings changed since the last run: {', '.join(plan.changes)}")
    return "\n".join(lines)


def _estimates(plan: RunPlan) -> Iterator[str]:
    """Time and cost of what is left, and what they are made from."""
    if plan.seconds is not None:
        cost = (
            "" if plan.cost is None or plan.price is None else f", cost about {plan.cost:,.2f} (at {plan.price.text})"
        )
        yield f"  in all about {duration_text(plan.seconds)}, by the last runs{cost}"
    if plan.price is not None and plan.cost is None and plan.state != "done":
        what = "how long the steps take" if plan.price.hour is not None else "what EMR Serverless bills for each step"
        yield f"  cost: unknown, for no earlier run tells {what}"


def runs(views: Sequence[RunView]) -> str:
    """The runs of a pipeline (``snowetl status``), the last first."""
    lines = []
    for view in views:
        numbers = f"{count(view.files, 'file')}, {size(view.bytes)}"
        if view.state == "done":
            numbers += f", {view.events:,} events, {view.bad_rows:,} bad rows, {duration_text(view.seconds)}"
        step = f" at {view.step}" if view.step else ""
        why = f": {view.why}" if view.why else ""
        lines.append(f"run={view.run}  {view.state}{step}  {numbers}{why}")
    return "\n".join(lines)


def planned_runs(planned: TransformPlan) -> str:
    """What a transform would do (``--dry-run``)."""
    return "\n".join(
        f"{batch.run.id} (dry run: nothing is written)\n"
        f"  input   {amount(len(batch.files), batch.bytes, len(batch.work))}\n"
        f"  output  {batch.run.folder}"
        for batch in planned.batches
    )


def planned_statements(planned: PlannedLoad) -> str:
    """What the load of a run would send to the warehouse (``--dry-run``)."""
    if planned.statements is None:
        return f"-- {planned.run.base}: empty, or loaded already (dry run: nothing is changed)"
    lines = [f"-- {planned.run.base} (dry run: nothing is changed)"]
    lines += [f"-- {statement.name}\n{statement.sql.strip()};" for statement in planned.statements]
    return "\n".join(lines)


def _aligned(rows: Iterable[Row]) -> list[str]:
    rows = list(rows)
    names, numbers = (max(len(row[column]) for row in rows) for column in (0, 1))
    return [f"  {name:<{names}}  {number:>{numbers}}  {note}".rstrip() for name, number, note in rows]
