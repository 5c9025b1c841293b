"""Loaders take turns at a ClickHouse database, which has neither locks nor transactions over tables.

A turn is a table ``snowetl_turn_<number>``. Making a table succeeds for one loader only, so numbers are given once;
whoever has the highest one is at work. Its comment says who that is, and how far they are; a loader that lives renews
it. Whoever takes over from a dead loader renames its turn first: one that was only slow cannot say any more that it
publishes. Then the tables that it has filled are taken away, which bear the number of the turn.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from snowetl.ddl.clickhouse import qualified, text
from snowetl.errors import LoadError, SnowetlError
from snowetl.jvm import jsontext
from snowetl.load.warehouse import Say
from snowetl.load.warehouses.clickhouse.client import TABLE_EXISTS, UNKNOWN_TABLE, ClickHouseError, Client
from snowetl.runs.holder import Holder

OURS = "snowetl_"
"""What names of tables begin with that are no tables of the warehouse."""
_TURN, _STAGE = f"{OURS}turn_", f"{OURS}load_"
LOADING, PUBLISHING, ENDED = "loading", "publishing", "ended"
"""How far a turn is. What is being published has to be published to the end, by whoever comes next if need be; the
tables of any other turn are dropped.
"""
BEAT_SECONDS = 10.0
EXPIRES_SECONDS = 90
"""A turn that was not renewed for so long, by the server's clock, is a dead loader's."""
_PAUSE_SECONDS = 0.5
_TAKEN = "_taken"
_NAME = re.compile(rf"{_TURN}(\d+)(?:{_TAKEN})?")


_ACTIVE: set[str] = set()
"""Tokens of the loaders of this process that have a turn."""


class Turn(NamedTuple):
    """``table`` says it. ``phase`` is empty of a turn that says nothing that we know; ``age`` is in seconds."""

    table: str
    number: int
    phase: str
    holder: Holder | None
    age: float

    @property
    def is_over(self) -> bool:
        if self.phase == ENDED or self.age > EXPIRES_SECONDS:
            return True
        if self.holder is None:
            return bool(self.phase)
        return self.holder.fate() == "dead" or (_is_here(self.holder) and self.holder.token not in _ACTIVE)


class Turns:
    """The turns of one loader, of which it has at most one at a time."""

    def __init__(self, client: Client, schema: str, say: Say) -> None:
        self._client = client
        self._schema = schema
        self._say = say
        self._me = Holder.this_process()
        self._number = 0
        self._phase = ENDED
        self._noting = threading.Lock()
        self._stop = threading.Event()
        self._heart: threading.Thread | None = None

    def begin(self) -> list[Turn]:
        """Wait for a turn, and take it. Gives those before it, the oldest first: what they left is to be cleared."""
        waits = False
        while True:
            before = self._all()
            last = before[-1] if before else None
            if last is None or last.is_over:
                number = (last.number if last else 0) + 1
                if self._make(number):
                    if max(turn.number for turn in self._all()) == number:
                        self._start(number)
                        self._fence(number)
                        return [turn for turn in self._all() if turn.number < number]
                    self._drop(f"{_TURN}{number:09d}")  # a number that was gone already
                continue
            if not waits:
                self._say(f"waiting for another loader of {self._schema}: {last.holder or 'an unknown one'}")
                waits = True
            time.sleep(_PAUSE_SECONDS)

    def note(self, phase: str) -> None:
        """Say how far the turn is. Raises ``LoadError`` where another loader has taken over."""
        with self._noting:
            self._write(phase, self._me)
            self._phase = phase

    def end(self) -> None:
        """Leave the turn, for another loader to go on at once. One that is half published says so."""
        self._stop.set()
        if self._heart is not None:
            self._heart.join()
            self._heart = None
        with self._noting, suppress(SnowetlError):  # else it expires
            if self._number:
                self._write(self._phase if self._phase == PUBLISHING else ENDED, None)
        self._number, self._phase = 0, ENDED
        _ACTIVE.discard(self._me.token)

    def forget(self, turn: Turn) -> None:
        """All that it left is cleared."""
        self._drop(turn.table)

    def stage(self, number: int | None = None) -> str:
        """What the names of the tables begin with that a turn fills: our turn, or the one of a number."""
        return f"{_STAGE}{self._number if number is None else number:09d}_"

    @property
    def is_ours(self) -> bool:
        return bool(self._number)

    def _start(self, number: int) -> None:
        self._number, self._phase = number, LOADING
        _ACTIVE.add(self._me.token)
        self._stop = threading.Event()
        self._heart = threading.Thread(target=self._beat, args=(self._stop,), name="turn", daemon=True)
        self._heart.start()

    def _fence(self, number: int) -> None:
        """From now on, no loader of an earlier turn says anything."""
        for turn in self._all():
            if turn.number < number and not turn.table.endswith(_TAKEN):
                old, new = (qualified(self._schema, name) for name in (turn.table, turn.table + _TAKEN))
                try:
                    self._client.run(f"RENAME TABLE {old} TO {new}")
                except ClickHouseError as error:
                    if error.code == TABLE_EXISTS:  # it is another loader's, who came too late with this number
                        self._drop(turn.table)
                    elif error.code != UNKNOWN_TABLE:
                        raise

    def _drop(self, table: str) -> None:
        self._client.run(f"DROP TABLE IF EXISTS {qualified(self._schema, table)} SYNC")

    def _beat(self, stop: threading.Event) -> None:
        while not stop.wait(BEAT_SECONDS):
            with self._noting, suppress(SnowetlError):  # a server that fails for a moment; the next beat tries again
                if not stop.is_set():
                    self._write(self._phase, self._me)

    def _make(self, number: int) -> bool:
        """Whether the turn of this number is ours."""
        comment = text(_comment(LOADING, self._me))
        table = self._qualified(number)
        try:
            self._client.run(
                f"CREATE TABLE {table} (nothing UInt8) ENGINE = MergeTree ORDER BY tuple() COMMENT {comment}"
            )
        except ClickHouseError as error:
            if error.code != TABLE_EXISTS:
                raise
            return False
        return True

    def _write(self, phase: str, holder: Holder | None) -> None:
        comment = text(_comment(phase, holder))
        self._client.run(f"ALTER TABLE {self._qualified(self._number)} MODIFY COMMENT {comment}")

    def _qualified(self, number: int) -> str:
        return qualified(self._schema, f"{_TURN}{number:09d}")

    def _all(self) -> list[Turn]:
        """The turns there are, the oldest first."""
        found = self._client.rows(
            "SELECT name, comment, dateDiff('second', metadata_modification_time, now()) FROM system.tables "
            f"WHERE database = {text(self._schema)} AND startsWith(name, {text(_TURN)})"
        )
        turns = [
            Turn(name, int(match[1]), *_parsed(comment), float(age))
            for name, comment, age in found
            if (match := _NAME.fullmatch(name))
        ]
        return sorted(turns, key=lambda turn: turn.number)


def _is_here(holder: Holder) -> bool:
    """Whether it is this process."""
    me = Holder.this_process()
    return (holder.host, holder.pid, holder.boot, holder.started, holder.namespace) == (
        me.host, me.pid, me.boot, me.started, me.namespace,
    )  # fmt: skip


def _comment(phase: str, holder: Holder | None) -> str:
    return jsontext.dumps({"phase": phase, "holder": holder and holder.content().decode("utf-8")})


def _parsed(comment: str) -> tuple[str, Holder | None]:
    try:
        document: Any = jsontext.loads(comment)
        holder = document["holder"]
        return str(document["phase"]), None if holder is None else Holder.parse(holder.encode("utf-8"))
    except (jsontext.JsonError, KeyError, TypeError, AttributeError):
        return "", None


@contextmanager
def turn_of(turns: Turns) -> Iterator[None]:
    """Whatever happens, the turn is left."""
    try:
        yield
    finally:
        turns.end()


def taken_over(error: ClickHouseError) -> LoadError:
    """What a loader is told whose tables are gone."""
    return LoadError(
        "another loader has taken over, because this one gave no sign of life for "
        f"{EXPIRES_SECONDS} seconds ({error}); nothing is lost, and nothing is loaded twice",
        transient=True,
    )
