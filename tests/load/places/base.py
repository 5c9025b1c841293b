"""A warehouse of a test: how runs get into it, and what its tables hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest

from snowetl.errors import LoadError
from snowetl.load.engine import RunLoader
from snowetl.load.report import LoadReport
from snowetl.load.retries import Retries
from snowetl.load.run import read_run
from snowetl.load.target import Target
from snowetl.load.warehouse import Capabilities, Warehouse
from snowetl.load.warehouses import warehouse_class
from snowetl.storage import filesystem
from tests.load.runs import CLICK, Registry
from tests.load.transformed import RUN, Versions, transformed_run


class Place:
    """One warehouse, empty. A target is a subclass with ``kind``, :meth:`start` and :meth:`query`."""

    kind: ClassVar[str]
    """Its name in ``WAREHOUSES``."""
    transformation: ClassVar[str | None] = None
    """The ``--transformation`` of its runs, where it is not the warehouse's usual one."""
    keeps_the_runs_time: ClassVar[bool] = True
    """Whether ``load_tstamp`` is the run's own time; else it is the server's time of the load."""
    keeps_rows_aside: ClassVar[bool] = True
    """Whether what a warehouse with ``rejected_rows`` keeps there are rows, not only tables that could not be made."""
    serves_processes: ClassVar[bool] = True
    """Whether ``snowetl load`` in a process of its own reaches it by ``target``."""
    holds_null_composites: ClassVar[bool] = True
    """Else a null array is read as an empty one, a null struct as one of nulls."""
    holds_nulls_in_arrays: ClassVar[bool] = True
    """Else they are left out."""
    calls: ClassVar[tuple[str, ...]] = (
        "execute", "tables", "manifest_rows", "lock", "copy", "copy_bad_rows", "note_bad_rows", "note_loaded",
    )  # fmt: skip
    """Methods of a session that a load calls."""
    can: ClassVar[Capabilities]

    def __init_subclass__(cls) -> None:
        if hasattr(cls, "kind"):
            cls.can = warehouse_class(cls.kind).capabilities

    @classmethod
    def rows(cls) -> str:
        """The ``--transformation`` of its runs."""
        return cls.transformation or cls.can.transformation

    def __init__(self, request: pytest.FixtureRequest, folder: Path) -> None:
        self.folder = folder
        """Of this place alone."""
        self.said: list[str] = []
        """Warnings of loads."""
        self.registry = Registry(click=CLICK)
        """Schemas of loads that name none."""
        self.target = self.start(request)

    # --- what a target says -------------------------------------------------------------------------------------------

    def start(self, request: pytest.FixtureRequest) -> Target:
        """Make it ready, empty. Skips the test, saying so, where it cannot be had."""
        raise NotImplementedError

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query that names tables without their schema: structs as dicts, arrays as lists."""
        raise NotImplementedError

    def open(self) -> AbstractContextManager[Warehouse]:
        return self.target.open()

    def put(self, folder: str) -> str:
        """Bring a run to where the warehouse reads from."""
        return folder

    def hang_up(self, session: Any) -> None:
        """The server goes away: what follows in the session fails, or this does."""
        raise LoadError("the server went away", transient=True)

    # --- runs ---------------------------------------------------------------------------------------------------------

    def make(self, name: str, lines: Sequence[str], run: str = RUN, failed: bool = False, **models: Versions) -> str:
        """Transform enriched lines into the rows that this warehouse loads, in the folder ``name`` of its own.

        Loads that follow know the models.
        """
        self.registry = Registry(**models)
        return transformed_run(
            self.folder / name, lines, self.rows(), self.can.rows_for, run=run, failed=failed, **models
        )

    def run(self, name: str, lines: Sequence[str], run: str = RUN, failed: bool = False, **models: Versions) -> str:
        """The same, put to where the warehouse reads from."""
        return self.put(self.make(name, lines, run, failed, **models))

    def load(self, folder: str, **more: Any) -> LoadReport:
        """Load a run on this machine; see :meth:`load_from`."""
        return self.load_from(self.put(folder), **more)

    def load_from(
        self,
        url: str,
        *,
        bad: str | None = None,
        retries: int = 0,
        skip: Sequence[Any] = (),
        dies_in: str | None = None,
        dies_on: str = "",
        **models: Any,
    ) -> LoadReport:
        """Load a run. ``dies_in``: the method of the session after whose work the server goes away, for the table
        ``dies_on``. ``models``: versions of the models of com.acme; those of the latest :meth:`run` by default."""
        registry = Registry(**models) if models else self.registry
        with self.open() as warehouse:
            if dies_in is not None:
                warehouse = _Dying(warehouse, dies_in, dies_on, self.hang_up)  # type: ignore[assignment]
            loader = RunLoader(
                warehouse, registry, retries=Retries(retries, backoff=0.01), warn=self.said.append, skip=skip
            )
            return loader.load(read_run(url), filesystem(bad).list(bad) if bad else ())

    def retry_rejected(self, **models: Any) -> list[LoadReport]:
        with self.loader(**models) as loader:
            return loader.retry_rejected()

    @contextmanager
    def loader(self, **models: Any) -> Iterator[RunLoader]:
        with self.open() as warehouse:
            yield RunLoader(warehouse, Registry(**models) if models else self.registry, warn=self.said.append)

    # --- what is there ------------------------------------------------------------------------------------------------

    def tables(self) -> set[str]:
        with self.open() as warehouse, warehouse.session() as session:
            return set(session.tables().comments)

    def columns(self, table: str = "events") -> list[str]:
        with self.open() as warehouse, warehouse.session() as session:
            return list(session.tables().columns.get(table, {}))

    def count(self, table: str = "events") -> int:
        return int(self.query(f"SELECT count(*) FROM {table}")[0][0]) if table in self.tables() else 0

    def counts(self) -> dict[str, int]:
        """Rows of the tables that each load writes."""
        return {table: self.count(table) for table in ("events", "manifest", "bad_rows")}

    def events(self, *columns: str, table: str = "events") -> list[tuple[Any, ...]]:
        """Columns of the events, by event id. Times are of UTC."""
        found = self.query(f"SELECT {', '.join(columns)} FROM {table} ORDER BY event_id")
        return [tuple(_plain(value) for value in row) for row in found]

    def entities(self, name: str, *properties: str, table: str = "events") -> list[tuple[Any, ...]]:
        """Properties of the data of com.acme/``name``, whether it is an event's own or an entity, by event id."""
        known = self.columns(table)
        columns = [f"unstruct_event_com_acme_{name}_1", f"contexts_com_acme_{name}_1"]
        columns = [column for column in columns if column in known]
        if not columns:
            return []
        found = []
        for row in self.query(f"SELECT {', '.join(columns)} FROM {table} ORDER BY event_id"):
            for value in row:
                found += [one for one in (value if isinstance(value, list) else [value]) if one is not None]
        return [tuple(_plain(one.get(name)) for name in properties) for one in found]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).replace(tzinfo=None)
    return value


class _Dying:
    """A warehouse whose server goes away after a method of its session has done its work."""

    def __init__(self, inner: Any, method: str, table: str, hang_up: Callable[[Any], None]) -> None:
        self._inner = inner
        self._method = method
        self._on = table
        self._hang_up = hang_up

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    @contextmanager
    def session(self) -> Iterator[Any]:
        with self._inner.session() as session:
            method = getattr(session, self._method)

            def dying(*values: Any) -> Any:
                done = method(*values)
                if not self._on or getattr(values[0], "table", None) == self._on:
                    self._hang_up(session)
                return done

            setattr(session, self._method, dying)
            yield session
