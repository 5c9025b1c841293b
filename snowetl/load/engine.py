"""Loading one run: check, migrate, copy, note in the manifest, all or nothing (rdb-loader 5.6.3 ``Load``)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from snowetl.load.plan import Dialect, LoadError, ModelSchemas, TablePlan, plan_table
from snowetl.load.report import LoadReport, TableLoad
from snowetl.load.retries import Retries
from snowetl.load.run import ATOMIC, TransformedRun
from snowetl.storage import FileInfo

Progress = Callable[[str], None]


class Session(Protocol):
    """One connection to a warehouse, used by one loader."""

    def transaction(self) -> AbstractContextManager[None]:
        """Commit on leaving, roll back on any error."""
        ...

    def lock(self) -> None:
        """Inside a transaction: wait until no other loader is at work on this schema."""
        ...

    def run(self, statements: Sequence[str]) -> None: ...

    def table_comments(self) -> dict[str, str | None]:
        """Tables of the schema and their comments."""
        ...

    def is_loaded(self, base: str) -> bool: ...

    def note_loaded(self, run: TransformedRun, types: str) -> None:
        """Write the manifest's row of this run."""
        ...

    def copy_events(self, files: list[FileInfo]) -> TableLoad: ...

    def copy_entities(self, plan: TablePlan, files: list[FileInfo]) -> TableLoad: ...

    def copy_bad_rows(self, files: list[FileInfo]) -> TableLoad:
        """Raises :class:`LoadError` where the warehouse has no table for them."""
        ...


class Warehouse(Protocol):
    """A kind of warehouse: how to reach it, and its SQL."""

    name: str
    schema: str

    @property
    def dialect(self) -> Dialect: ...

    def session(self) -> AbstractContextManager[Session]:
        """Connect. Raises ``LoadError`` naming host and database, never the password."""
        ...

    def set_up(self) -> list[str]:
        """Statements that make the schema, the ``events`` table and the manifest where they are missing."""
        ...


class Loader:
    """Puts transformed runs into a warehouse. A run is loaded once: the manifest in the warehouse says so.

    ``progress`` hears each table as its turn comes, ``warn`` (if not given, ``progress``) of tries that failed.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        schemas: ModelSchemas,
        progress: Progress | None = None,
        retries: Retries | None = None,
        warn: Progress | None = None,
    ) -> None:
        self._warehouse = warehouse
        self._schemas = schemas
        self._progress = progress or (lambda text: None)
        self._retries = retries or Retries()
        self._warn = warn or self._progress

    def load(self, run: TransformedRun, bad_rows: Sequence[FileInfo] = ()) -> LoadReport:
        """Load ``run`` in one transaction: all its rows are there afterwards, or none.

        ``bad_rows`` are files of bad rows to load with it. A run that is in the manifest already is left alone;
        transient failures are tried again as a whole. Raises :class:`LoadError` or ``StorageError``; nothing of the
        run is visible then.
        """
        if run.is_empty:
            return LoadReport(run.base, self._warehouse.name, "empty")
        self._refuse_json(run)
        return self._retries.call(
            lambda: self._load(run, list(bad_rows)),
            lambda error: isinstance(error, LoadError) and error.transient,
            self._warn,
        )

    def _load(self, run: TransformedRun, bad_rows: list[FileInfo]) -> LoadReport:
        started = time.monotonic()
        report = LoadReport(run.base, self._warehouse.name, "loaded")
        with self._warehouse.session() as session:
            with session.transaction():
                session.lock()
                session.run(self._warehouse.set_up())
            if session.is_loaded(run.base):
                report.outcome = "already loaded"
                return report
            plans = self._plans(session, run)
            for plan in plans:
                for statement in plan.before:
                    session.run([statement])
            with session.transaction():
                session.lock()
                if session.is_loaded(run.base):  # another loader was faster while this one waited
                    report.outcome = "already loaded"
                    return report
                if any(plan.change for plan in plans):
                    plans = self._plans(session, run)
                self._copy(session, run, plans, report)
                if bad_rows:
                    report.tables.append(session.copy_bad_rows(bad_rows))
                session.note_loaded(run, _types_json(run))
        report.seconds = time.monotonic() - started
        return report

    def _refuse_json(self, run: TransformedRun) -> None:
        names = sorted(f"{model.vendor}/{model.name}" for model in run.models() if model.format != "TSV")
        if names:
            raise LoadError(
                f"{run.base} holds JSON rows of {', '.join(names)}; this loader takes TSV rows: "
                "transform the run with formats.default TSV and nothing under formats.json or formats.skip"
            )

    def _plans(self, session: Session, run: TransformedRun) -> list[TablePlan]:
        comments = session.table_comments()
        plans = []
        for model in run.models():
            versions = self._schemas.versions(model.vendor, model.name, model.model)
            plans.append(plan_table(self._warehouse.dialect, versions, self._warehouse.schema, model, comments))
        return plans

    def _copy(self, session: Session, run: TransformedRun, plans: list[TablePlan], report: LoadReport) -> None:
        for plan in plans:
            session.run(plan.inside)
        self._progress("events")
        report.tables.append(session.copy_events(run.files(ATOMIC)))
        for plan in plans:
            self._progress(plan.table)
            loaded = session.copy_entities(plan, run.files(plan.model))
            loaded.change = plan.change
            report.tables.append(loaded)


def _types_json(run: TransformedRun) -> str:
    """The manifest's ``types``: each schema of the run once."""
    types = list(dict.fromkeys((t.key.uri, t.format) for t in run.types))
    return json.dumps([{"schemaKey": uri, "format": format_} for uri, format_ in types], separators=(",", ":"))
