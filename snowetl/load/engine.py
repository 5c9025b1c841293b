"""Loading runs: plan, copy, count, note in the manifest; all of a run or nothing (rdb-loader 5.6.3 ``Load``)."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import cast

from snowetl.errors import LoadError, TargetError
from snowetl.load import legacy_manifest, manifest
from snowetl.load.layouts import LAYOUTS
from snowetl.load.manifest import ManifestRow
from snowetl.load.plan import Aside, LoadPlan, Planned, Rejected, Request, TablePlan, require_whole
from snowetl.load.report import ALREADY, EMPTY, LOADED, AsideLoad, LoadReport, TableLoad
from snowetl.load.retries import Retries
from snowetl.load.run import SHREDDED, Model, RowFolder, TransformedRun, run_name
from snowetl.load.schemas import ModelSchemas
from snowetl.load.warehouse import Say, Session, StagingSession, Statement, StatementFailed, Tables, Warehouse
from snowetl.model.schema import SchemaCriterion
from snowetl.storage import FileInfo
from snowetl.storage.base import scheme_of


class _NoTable(Exception):
    """The server refuses the table of one model: the load begins again without that model."""

    def __init__(self, model: Model, reason: str) -> None:
        super().__init__(reason)
        self.model = model
        self.reason = reason


class RunLoader:
    """Puts transformed runs into a warehouse. A run is loaded once: the manifest in the warehouse says so.

    ``progress`` hears each table as its turn comes, ``warn`` (if not given, ``progress``) of tries that failed.
    ``skip`` are schemas whose rows are left out.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        schemas: ModelSchemas,
        progress: Say | None = None,
        retries: Retries | None = None,
        warn: Say | None = None,
        skip: Sequence[SchemaCriterion] = (),
    ) -> None:
        self._warehouse = warehouse
        self._schemas = schemas
        self._progress = progress or (lambda text: None)
        self._retries = retries or Retries()
        self._warn = warn or self._progress
        self._skip = tuple(skip)

    def plan(self, run: TransformedRun) -> LoadPlan | None:
        """What :meth:`load` would do, without doing it; ``None`` for a run that is in the manifest or empty."""
        if run.is_empty:
            return None
        folders = self._folders(run)
        with self._warehouse.session() as session:
            tables = session.tables()
            return None if _in_manifest(run, session, tables) else self._plan(run, folders, tables, {})

    def loaded(self, runs: Iterable[TransformedRun]) -> list[TransformedRun]:
        """Those of ``runs`` that the warehouse has loaded: its manifest says so."""
        with self._warehouse.session() as session:
            tables = session.tables()
            return [run for run in runs if _in_manifest(run, session, tables)]

    def load(self, run: TransformedRun, bad_rows: Sequence[FileInfo] = ()) -> LoadReport:
        """Load ``run`` in one transaction: all its rows are there afterwards, or none.

        ``bad_rows`` are files of bad rows to load with it. Of a run that is in the manifest already they are loaded if
        that was left out then; else it is left alone. Transient failures are tried again as a whole. A run without
        events is noted only where it brings bad rows.
        Raises :class:`LoadError` or ``StorageError``; nothing of the run is visible then.
        """
        if run.is_empty and not bad_rows:
            return LoadReport(run.base, self._warehouse.name, EMPTY, of_failed_events=run.failed_events)
        folders = [] if run.is_empty else self._folders(run)
        try:
            return self._retries.call(lambda: self._load(run, folders, list(bad_rows)), _is_passing, self._warn)
        except TargetError as error:
            if not error.transient:
                raise
            raise LoadError(str(error), transient=True) from error  # a server that went away is not the user's mistake

    def retry_rejected(self) -> list[LoadReport]:
        """Load the rows that earlier loads put aside, all in one transaction; what still does not fit stays aside."""
        with self._warehouse.session() as session:
            tables = session.tables()
            if "rejected_rows" not in tables.comments:
                return []
            self._set_up(session)
            impossible: dict[Model, str] = {}
            while True:
                try:
                    with session.transaction():
                        session.lock()
                        return [self._retry(session, one, impossible) for one in session.rejected()]
                except _NoTable as error:
                    impossible[error.model] = error.reason

    # --- one run ------------------------------------------------------------------------------------------------------

    def _folders(self, run: TransformedRun) -> list[RowFolder]:
        """Folders of a run's rows. Raises ``LoadError`` where this warehouse cannot read them or one is missing."""
        capabilities = self._warehouse.capabilities
        if run.layout not in capabilities.layouts:
            raise LoadError(
                f"{run.base} holds {run.layout} rows; {self._warehouse.name} loads "
                f"{' or '.join(sorted(capabilities.layouts))} ones: transform the run with --transformation "
                f"{capabilities.transformation}"
            )
        if capabilities.reads_from is not None and scheme_of(run.base) not in capabilities.reads_from:
            raise LoadError(
                f"{self._warehouse.name} reads rows from {', '.join(sorted(capabilities.reads_from))}: "
                f"copy {run.base} there, and load that"
            )
        if run.failed_events and not capabilities.failed_events:
            raise LoadError(f"{run.base} holds failed events; {self._warehouse.name} has no tables for them")
        folders = run.row_folders()
        require_whole(run, folders)
        return folders

    def _plan(
        self, run: TransformedRun, folders: Sequence[RowFolder], tables: Tables, impossible: dict[Model, str]
    ) -> LoadPlan:
        request = Request(run, folders, tables, self._schemas, self._warehouse, self._skip, impossible)
        planned = LAYOUTS[run.layout](request) if folders else Planned([], [], [])
        in_transaction = self._warehouse.capabilities.ddl_in_transaction
        return LoadPlan(
            run=run,
            set_up=tuple(self._warehouse.set_up(tables)),
            tables=tuple(planned.tables if in_transaction else (table.changed_before() for table in planned.tables)),
            aside=tuple(planned.aside),
            skipped=tuple(planned.skipped),
            manifest=manifest.row_of(run),
            warnings=planned.warnings,
        )

    def _load(self, run: TransformedRun, folders: Sequence[RowFolder], bad_rows: list[FileInfo]) -> LoadReport:
        started = time.monotonic()
        with self._warehouse.session() as session:
            self._set_up(session)
            impossible: dict[Model, str] = {}
            while True:
                report = LoadReport(run.base, self._warehouse.name, LOADED, of_failed_events=run.failed_events)
                try:
                    self._load_once(session, run, folders, bad_rows, impossible, report)
                    break
                except _NoTable as error:
                    impossible[error.model] = error.reason
        report.seconds = time.monotonic() - started
        return report

    def _set_up(self, session: Session) -> None:
        tables = session.tables()
        lacking = self._warehouse.set_up(tables)
        if not lacking:
            return
        self._refuse_a_lost_manifest(session, tables, lacking)
        if not self._warehouse.capabilities.ddl_in_transaction:  # each of them does nothing where it was done
            _make(session, lacking)
            return
        with session.transaction():
            session.lock()
            _make(session, self._warehouse.set_up(session.tables()))

    def _refuse_a_lost_manifest(self, session: Session, tables: Tables, lacking: Sequence[Statement]) -> None:
        schema = self._warehouse.schema
        some = f"SELECT count(*) FROM (SELECT 1 AS one FROM {schema}.events LIMIT 1) AS some_events"
        if manifest.is_lost(tables) and session.number(some):
            make = next(" ".join(one.sql.split()) for one in lacking if one.name == f"create {schema}.{manifest.TABLE}")
            raise LoadError(
                f"{schema}.{manifest.TABLE} is missing, which says what runs are in {schema}.events: they would be "
                f"loaded again. Restore it from a backup; or, if none of them will be given again, make it anew: {make}"
            )

    def _load_once(
        self,
        session: Session,
        run: TransformedRun,
        folders: Sequence[RowFolder],
        bad_rows: list[FileInfo],
        impossible: dict[Model, str],
        report: LoadReport,
    ) -> None:
        if self._is_done(session, run, bad_rows, report):
            return
        plan = self._plan(run, folders, session.tables(), impossible)
        whole = {table.table: self._change_before(session, table, report) for table in plan.tables}
        notes = {table.table: table.note for table in plan.tables}
        if self._warehouse.capabilities.stages:
            cast(StagingSession, session).stage(run, folders, bad_rows)
        with session.transaction():
            session.lock()
            found = self._found(session, run, report)
            if found is not None:  # loaded already, maybe by another loader while this one waited
                if bad_rows and session.lacks_bad_rows(found):
                    self._copy_bad_rows(session, found, run, bad_rows, report)
                return
            plan = self._plan(run, folders, session.tables(), impossible)
            for table in plan.tables:
                self._change_inside(session, table, report, whole.get(table.table, True))
            for table in plan.tables:
                report.tables.append(self._copy(session, table, run, notes.get(table.table)))
            for aside in plan.aside:
                report.aside.append(self._put_aside(session, aside, run))
            report.skipped += [model.schema for model in plan.skipped]
            report.warnings += plan.warnings
            session.note_loaded(plan.manifest)
            if self._warehouse.capabilities.bad_rows_table:
                session.note_bad_rows(plan.manifest, 0)
            if bad_rows:
                self._copy_bad_rows(session, plan.manifest, run, bad_rows, report)

    def _is_done(self, session: Session, run: TransformedRun, bad_rows: list[FileInfo], report: LoadReport) -> bool:
        """Whether the warehouse holds the run, and its bad rows where they are wanted."""
        found = self._found(session, run, report)
        return found is not None and not (bad_rows and session.lacks_bad_rows(found))

    def _found(self, session: Session, run: TransformedRun, report: LoadReport) -> ManifestRow | None:
        """The manifest's row of a run that is loaded already; the report says so then."""
        found = manifest.find(run, session.manifest_rows(run))
        if found is None:
            return None
        report.outcome = ALREADY
        if found.run_identity not in (None, run.identity) and run.identity is not None:
            warning = (
                f"{run.base} was transformed again, from other input or with other settings, since it was loaded; "
                "the warehouse holds the earlier rows. To replace them, delete them and the manifest's row first"
            )
            if warning not in report.warnings:
                report.warnings.append(warning)
        return found

    def _copy_bad_rows(
        self, session: Session, row: ManifestRow, run: TransformedRun, files: list[FileInfo], report: LoadReport
    ) -> None:
        self._progress("bad_rows")
        loaded = session.copy_bad_rows(files, run)
        session.note_bad_rows(row, loaded.rows + loaded.rejected)
        report.tables.append(loaded)

    # --- tables -------------------------------------------------------------------------------------------------------

    def _change_before(self, session: Session, table: TablePlan, report: LoadReport) -> bool:
        """Whether all that must be done outside of the transaction was done."""
        return all([self._change(session, table, statement, report) for statement in table.change.before])  # noqa: C419

    def _change_inside(self, session: Session, table: TablePlan, report: LoadReport, whole: bool) -> None:
        """The rest, and the comment that the table is at its latest version, if ``whole``: if nothing was left out."""
        done = [self._change(session, table, statement, report) for statement in table.change.inside]
        if whole and all(done) and table.change.comment is not None:
            self._change(session, table, table.change.comment, report)

    def _change(self, session: Session, table: TablePlan, statement: Statement, report: LoadReport) -> bool:
        """Whether it was done. Raises ``_NoTable`` where the server refuses what must be done."""
        try:
            refusal = session.execute(statement)
        except StatementFailed as error:
            reason = f"{error.statement.name} is refused: {error.reason}; `snowetl ddl --check {table.model.schema}`"
            raise _NoTable(table.model, reason) from error
        if refusal is not None:
            warning = (
                f"{self._warehouse.schema}.{table.table} stays as it is ({refusal}): texts are cut to their columns, "
                "other values that do not fit are kept aside. To widen it, drop what depends on the column, load "
                "again, and recreate it"
            )
            if warning not in report.warnings:
                report.warnings.append(warning)
                self._warn(warning)
        return refusal is None

    def _copy(self, session: Session, table: TablePlan, run: TransformedRun, note: str | None) -> TableLoad:
        """All rows of one table. ``note`` says what was done to it before the transaction.

        Raises ``LoadError`` where they are not as many as were written.
        """
        self._progress(table.table)
        total = TableLoad(f"{self._warehouse.schema}.{table.table}", change=table.note or note)
        for copy in table.copies:
            loaded = session.copy(copy, run)
            _require_count(copy.folder, loaded.rows + loaded.rejected, total.table)
            total.add(loaded)
        return total

    def _put_aside(self, session: Session, aside: Aside, run: TransformedRun) -> AsideLoad:
        self._warn(f"{aside.model.schema} is not loaded, its rows are kept aside: {aside.reason}")
        kept = session.put_aside(aside, run)
        return AsideLoad(aside.model.schema, aside.reason, kept.rejected)

    def _retry(self, session: Session, rejected: Rejected, impossible: dict[Model, str]) -> LoadReport:
        report = LoadReport(rejected.base, self._warehouse.name, LOADED, of_failed_events=rejected.model.failed)
        folder = RowFolder(rejected.model, rejected.folder or "", rows=rejected.rows)
        run = _retried_run(rejected, self._warehouse.capabilities.layouts)
        noted = manifest.find(run, session.manifest_rows(run))
        if noted is not None:
            run = replace(run, started=noted.shredding_started)
        plan = self._plan(run, [folder], session.tables(), impossible)
        for aside in plan.aside:
            report.aside.append(AsideLoad(aside.model.schema, aside.reason, rejected.rows))
        for table in plan.tables:
            self._change_inside(session, table, report, self._change_before(session, table, report))
            [copy] = table.copies
            columns = rejected.columns or copy.columns
            known = set(session.tables().columns[copy.table])
            cells = tuple(name if name in known else "" for name in columns)
            loaded = session.retry(rejected, replace(copy, columns=cells), run)
            loaded.change = table.note
            report.tables.append(loaded)
        return report


def _make(session: Session, statements: Sequence[Statement]) -> None:
    """Make tables of ours. Raises ``LoadError``."""
    try:
        for statement in statements:
            session.execute(statement)
    except StatementFailed as error:
        raise LoadError(f"{error.statement.name} is refused: {error.reason}") from error


def _in_manifest(run: TransformedRun, session: Session, tables: Tables) -> bool:
    if manifest.TABLE not in tables.comments or legacy_manifest.is_there(tables):
        return False
    return manifest.find(run, session.manifest_rows(run)) is not None


def _is_passing(error: Exception) -> bool:
    return isinstance(error, LoadError | TargetError) and error.transient


def _require_count(folder: RowFolder, found: int, table: str) -> None:
    if folder.rows is not None and folder.rows != found:
        raise LoadError(
            f"{table}: {found:,} rows were read from {folder.path}, but {folder.rows:,} were written there: a file is "
            "missing, damaged or changed. Copy the run again, or transform it again; nothing is loaded"
        )


def _retried_run(rejected: Rejected, layouts: Collection[str]) -> TransformedRun:
    """What is known of the run whose rows were put aside. A warehouse of wide rows has only these."""
    return TransformedRun(
        base=rejected.base, types=(), started="1970-01-01T00:00:00Z", completed="1970-01-01T00:00:00Z",
        min_collector_tstamp=None, max_collector_tstamp=None, compression="GZIP", processor=("", ""), good=None,
        name=run_name(rejected.base), failed_events=rejected.model.failed,
        layout=SHREDDED if SHREDDED in layouts else next(iter(layouts)),
    )  # fmt: skip
