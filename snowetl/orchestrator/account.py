"""What a run accounts for: the counts that must meet before a load, and the report that closes the run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from snowetl.errors import SnowetlError
from snowetl.jvm import timestamps
from snowetl.load.report import LoadReport, TableLoad
from snowetl.orchestrator import counts
from snowetl.orchestrator.archive.record import Archived
from snowetl.orchestrator.entries import Entry
from snowetl.orchestrator.prices import Usage
from snowetl.orchestrator.settings import RunSettings
from snowetl.orchestrator.standing import evidence
from snowetl.orchestrator.step_names import AFTER, NEEDS, TRANSFORM_FAILED, verb_of
from snowetl.orchestrator.store import StateStore
from snowetl.reporting.json_form import to_json
from snowetl.version import __version__

FORMAT = "snowetl-run-report/1"


@dataclass(frozen=True, slots=True)
class Account:
    """The account of one run."""

    settings: RunSettings
    entry: Entry

    def reports(self) -> dict[str, dict[str, Any]]:
        """The reports of all steps that are done, by step, in their order; also of those that were left out now."""
        found = {name: evidence(name, self.settings, self.entry.id) for name in self.settings.all_steps}
        return {name: report.to_json() for name, report in found.items() if report is not None}

    def check_counts(self) -> None:
        """Of good events and, if they are wanted, of failed ones, as far as they are transformed."""
        done = self.reports()
        enriched = done.get("enrich")
        for name, compare in (("transform", counts.before_load), (TRANSFORM_FAILED, counts.failed_before_load)):
            transformed = done.get(name)
            if enriched is None or transformed is None:
                continue
            differences = compare(enriched, transformed)
            if differences:
                raise SnowetlError(
                    f"run={self.entry.id}: the counts do not add up ({'; '.join(differences)}): somebody has changed "
                    f"its files, and nothing of them is loaded. Make them anew: add --run-id {self.entry.id} "
                    "--redo-from enrich"
                )

    def close(self, started: int, finished: int, archived: Archived | None = None) -> dict[str, Any]:
        """The report of the run, which is done with it. ``archived``: what became of its raw files, if it was asked."""
        settings, entry = self.settings, self.entry
        done = self.reports()
        differences: list[str] = []
        if "load" in settings.steps:
            differences = self._check_load(done)
        else:
            self.check_counts()
        steps = [report for name, report in done.items() if name not in AFTER]
        after = [report for name, report in done.items() if name in AFTER]
        left_out = [name for name in settings.all_steps if name not in done]
        usage = self._usage()
        seconds = sum(float(step.get("seconds", 0)) for step in done.values())
        used = sum(usage.values(), Usage()) if usage else None
        cost = None if settings.price_per_hour is None else settings.price_per_hour.of(seconds, used)
        report = {
            "format": FORMAT,
            "run": entry.id,
            "snowetl": __version__,
            "started": timestamps.to_iso(started),
            "finished": timestamps.to_iso(finished),
            "seconds": (finished - started) / 1000,
            "settings": settings.about(),
            "fingerprint": settings.fingerprint().to_json(),
            "target": str(settings.target) if "load" in done else None,
            "runIdentity": done.get("transform", {}).get("runIdentity"),
            "counts": [[line.name, line.number, line.level] for line in counts.table_of(steps)],
            "differences": differences,
            "steps": steps,
            **({"usage": {name: to_json(each) for name, each in usage.items()}} if usage else {}),
            **({} if cost is None else {"cost": cost}),
            **({"after": after} if after else {}),
            **({"skipped": left_out} if left_out else {}),
            **({"archive": to_json(archived)} if archived is not None else {}),
        }
        entry.finish(report)
        return report

    def _usage(self) -> dict[str, Usage]:
        """What EMR Serverless billed, by step, failed attempts included."""
        known = StateStore(self.settings.runs_folder).get(self.entry.id).state
        steps = () if known is None else known.steps
        return {step.name: step.usage for step in steps if step.usage is not None}

    def _check_load(self, done: dict[str, dict[str, Any]]) -> list[str]:
        """Where the warehouse holds other numbers than were transformed; a load that found its rows is filled in."""
        differences: list[str] = []
        for name in [name for name in done if verb_of(name) == "load" and NEEDS[name] in done]:
            transformed = done[NEEDS[name]]
            bad = self._bad_to_load(transformed) + (self._bad_to_load(done["enrich"]) if name == "load" else 0)
            loaded = done[name] = self._filled_in(done[name], transformed, bad)
            limit = self.settings.target.capabilities.max_identifier
            differences += counts.after_load(transformed, loaded, limit, bad)
        return differences

    def _bad_to_load(self, report: dict[str, Any]) -> int:
        wanted = self.settings.load_bad_rows and self.settings.target.capabilities.bad_rows_table
        return counts.bad_rows(report) if wanted else 0

    def _filled_in(self, loaded: dict[str, Any], transformed: dict[str, Any], bad: int) -> dict[str, Any]:
        """The report of a load, with its rows where the warehouse had them already."""
        if loaded["outcome"] != "already loaded":
            return loaded
        limit = self.settings.target.capabilities.max_identifier
        rows = counts.rows_by_table(transformed, limit) | ({"bad_rows": bad} if bad else {})
        report = LoadReport.from_json(loaded)
        report.tables = [TableLoad(f"{self.settings.schema}.{table}", number) for table, number in rows.items()]
        return report.to_json()
