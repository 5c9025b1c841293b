"""Tables of answers made once per run: on disk, so that memory does not grow with the run's user agents.

The driver gathers the distinct keys of a run (``Enricher.lookup_keys`` over all its records) in a :class:`KeyStore`,
lets each lookup answer them (:func:`answers`, :func:`write_table`), and ships the file to the workers, where it is
known as the asset :func:`table_uri`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import islice
from pathlib import Path

from snowetl.caching import Memo
from snowetl.enrich.enrichments.base import Lookup, Resolve
from snowetl.errors import AssetError, StorageError

_BATCH = 1000
_LATELY = 20_000
_REMEMBERED = 10_000
_LONGEST = 2_048


def table_uri(lookup: Lookup) -> str:
    """What the table's file is called among the files of a configuration."""
    return f"lookup:{lookup.name}"


class KeyStore:
    """Distinct keys by the name of their lookup, in a file. Raises ``StorageError`` where it cannot be written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._open() as store:
            store.execute("CREATE TABLE keys (lookup TEXT, key BLOB, PRIMARY KEY (lookup, key)) WITHOUT ROWID")

    def add(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Store (name of the lookup, key) pairs; those that are there already change nothing."""
        rows = ((name, _bytes(key)) for name, key in _seldom_twice(pairs))
        with self._open() as store:
            while batch := list(islice(rows, _BATCH)):
                store.executemany("INSERT OR IGNORE INTO keys VALUES (?, ?)", batch)
            store.commit()

    def keys(self, lookup: Lookup) -> Iterator[str]:
        """The keys of a lookup, each once, in an order that depends on nothing but them."""
        with self._open() as store:
            for (key,) in store.execute("SELECT key FROM keys WHERE lookup = ? ORDER BY key", (lookup.name,)):
                yield _text(key)

    def count(self, lookup: Lookup) -> int:
        with self._open() as store:
            return int(store.execute("SELECT count(*) FROM keys WHERE lookup = ?", (lookup.name,)).fetchone()[0])

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._path)) as store:
                yield store
        except sqlite3.Error as error:
            raise StorageError(f"cannot keep the keys of lookups in {self._path}: {error}") from None


def _seldom_twice(pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The pairs, those left out that came lately: most splits of a run ask for the same."""
    lately: set[tuple[str, str]] = set()
    for pair in pairs:
        if pair not in lately:
            if len(lately) >= _LATELY:
                lately.clear()
            lately.add(pair)
            yield pair


def answers(lookup: Lookup, keys: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(key, answer) of the keys that have one. Raises what ``lookup`` raises."""
    with lookup.open() as resolve:
        yield from resolve(keys)


def write_table(lookup: Lookup, pairs: Iterable[tuple[str, str]], path: Path) -> int:
    """Store (key, answer) pairs in the new file ``path``; gives their number.

    Raises ``StorageError`` where the file cannot be written.
    """
    rows = ((_bytes(key), _bytes(answer)) for key, answer in pairs)
    try:
        with closing(sqlite3.connect(path)) as table:
            table.execute("CREATE TABLE answers (key BLOB PRIMARY KEY, answer BLOB NOT NULL) WITHOUT ROWID")
            while batch := list(islice(rows, _BATCH)):
                table.executemany("INSERT OR REPLACE INTO answers VALUES (?, ?)", batch)
            table.commit()
            return int(table.execute("SELECT count(*) FROM answers").fetchone()[0])
    except sqlite3.Error as error:
        raise StorageError(f"cannot store the answers of {lookup.name} as {path}: {error}") from None


@contextmanager
def open_table(lookup: Lookup, path: Path) -> Iterator[Callable[[str], str | None]]:
    """What the table at ``path`` answers to a key. Raises ``AssetError``."""
    try:
        table = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)
        table.execute("SELECT answer FROM answers LIMIT 1")
    except sqlite3.Error as error:
        raise AssetError(f"{path} is not a table of answers of {lookup.name}: {error}") from None

    def answer(key: str) -> str | None:
        row = table.execute("SELECT answer FROM answers WHERE key = ?", (_bytes(key),)).fetchone()
        return None if row is None else _text(row[0])

    with closing(table):
        yield Memo(answer, _REMEMBERED, _LONGEST).__getitem__


def live(lookup: Lookup, stack: ExitStack) -> Callable[[str], str | None]:
    """Answers on demand, where no table was made: a single record, a test, the library in a loop.

    What the lookup needs is opened with the first question, and closed with ``stack``. Raises ``ConfigError`` where it
    could not be opened here.
    """
    lookup.check()
    opened: list[Resolve] = []

    def answer(key: str) -> str | None:
        if not opened:
            opened.append(stack.enter_context(lookup.open()))
        return dict(opened[0]([key])).get(key)

    return Memo(answer, _REMEMBERED, _LONGEST).__getitem__


def unasked(key: str) -> str | None:
    """Answers for a step that is opened and closed again."""
    return None


def _bytes(text: str) -> bytes:
    """SQLite takes no lone surrogates as text."""
    return text.encode("utf-8", "surrogatepass")


def _text(stored: bytes) -> str:
    return stored.decode("utf-8", "surrogatepass")
