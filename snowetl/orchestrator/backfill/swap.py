"""Puts the schema of a backfill in the place of the pipeline's, in one transaction."""

from __future__ import annotations

from dataclasses import replace

from snowetl.errors import LoadError, OutputExists, UsageError
from snowetl.load.warehouse import Session, Statement, StatementFailed
from snowetl.orchestrator.backfill.record import Record
from snowetl.orchestrator.backfill.settings import BackfillSettings
from snowetl.runs.run import run_id
from snowetl.settings.words import count
from snowetl.steps.base import Watch

_SCHEMAS = "SELECT count(*) FROM pg_namespace WHERE nspname = '{}'"
_TABLES = (
    "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = '{}' AND c.relname = 'events'"
)
_LACKING = (
    "SELECT count(*) FROM {live}.events l LEFT JOIN {new}.events n ON n.event_id = l.event_id WHERE n.event_id IS NULL"
)


def swap(settings: BackfillSettings, record: Record, watch: Watch) -> None:
    """Rename the schemas; what stood there is kept, and named in the record.

    Raises ``UsageError`` for a warehouse that cannot, ``OutputExists`` where the backfill lacks events that are there,
    ``LoadError``.
    """
    backfill = record.backfill
    if backfill is None or backfill.swapped:
        watch.say(f"swapped already; what was there is {backfill.swapped if backfill else 'unknown'}")
        return
    kept = f"{settings.schema}_before_{run_id(backfill.base).replace('-', '')}"
    if not settings.target.capabilities.renames_schemas:
        raise UsageError(
            f"--swap: {settings.warehouse} cannot rename schemas. The backfill is in the schema "
            f"{settings.backfill_schema}: point views at it, or copy its tables"
        )
    with settings.target.open(watch.say) as warehouse, warehouse.session() as session:
        if _is_left(settings, session, kept):
            with session.transaction():
                _rename(settings, session, kept)
            watch.say(f"schema {settings.schema} is the backfill now; what was there is {kept}")
    record.put(replace(backfill, swapped=kept))


def _is_left(settings: BackfillSettings, session: Session, kept: str) -> bool:
    """Whether it is still to be done: an attempt may have been killed after it, before it was noted."""
    live, new = settings.schema, settings.backfill_schema
    if session.number(_SCHEMAS.format(new)):
        return True
    if session.number(_SCHEMAS.format(kept)) and session.number(_SCHEMAS.format(live)):
        return False
    raise LoadError(f"there is no schema {new}: was it dropped or renamed?")


def _rename(settings: BackfillSettings, session: Session, kept: str) -> None:
    live, new = settings.schema, settings.backfill_schema
    if session.number(_SCHEMAS.format(live)):
        session.lock()
        lacking = session.number(_LACKING.format(live=live, new=new)) if session.number(_TABLES.format(live)) else 0
        if lacking and not settings.swap_incomplete:
            raise OutputExists(
                f"--swap: {live}.events holds {count(lacking, 'event')} that the backfill does not have (of other "
                f"times, or loaded since). Backfill them as well, or add --swap-incomplete: they stay in {kept}"
            )
        _do(session, f"ALTER SCHEMA {live} RENAME TO {kept}")
    _do(session, f"ALTER SCHEMA {new} RENAME TO {live}")


def _do(session: Session, sql: str) -> None:
    try:
        session.execute(Statement(sql, sql))
    except StatementFailed as failed:
        raise LoadError(f"{sql}: {failed.reason}") from None
