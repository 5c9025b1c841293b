"""Vacuums the tables that a run has loaded: ``--include vacuum``, as EmrEtlRunner had it."""

from __future__ import annotations

import time

from snowetl.load.report import kept
from snowetl.orchestrator.after import report
from snowetl.orchestrator.after.report import AfterReport, Part
from snowetl.orchestrator.entries import Entry
from snowetl.orchestrator.settings import RunSettings
from snowetl.orchestrator.step_names import VACUUM
from snowetl.settings.words import count
from snowetl.steps.base import Watch


class Vacuum:
    """The step: see :class:`snowetl.orchestrator.after.AfterStep`."""

    def check(self, settings: RunSettings) -> None:
        """Whoever may load may vacuum: the tables are the loader's own."""

    def check_program(self, settings: RunSettings) -> None:
        """The warehouse does the work."""

    def run(self, settings: RunSettings, entry: Entry, watch: Watch) -> None:
        """Vacuum table by table. Raises ``LoadError``."""
        loaded = kept(settings.transformed(entry.id))
        tables = [] if loaded is None else [load.table for load in loaded.tables if load.rows]
        done = AfterReport(step=VACUUM, words=count(len(tables), "table"))
        with settings.target.open(watch.say) as warehouse, warehouse.session() as session:
            for table in tables:
                started = time.monotonic()
                session.vacuum(table.rpartition(".")[2])
                done = done.with_part(Part(name=table, seconds=round(time.monotonic() - started, 3)))
        report.save(done, entry)
