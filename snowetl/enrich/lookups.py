"""Tables of answers made once per run: on disk, so that a worker's memory does not grow with the run's user agents.

The driver gathers the distinct keys of a run (``Enricher.lookup_keys`` over all its records), lets each lookup answer
them (:func:`write_table`), and ships the file to the workers, where it is known as the asset :func:`table_uri`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from snowetl.caching import Memo
from snowetl.enrich.enrichments.base import Lookup
from snowetl.errors import AssetError

_BATCH = 1000
_REMEMBERED = 10_000
_LONGEST = 2_048


def table_uri(lookup: Lookup) -> str:
    """What the table's file is called among the files of a configuration."""
    return f"lookup:{lookup.name}"


def write_table(lookup: Lookup, keys: Iterable[str], path: Path) -> int:
    """Answer the (distinct) keys and store the answers in the new file ``path``; gives their number.

    Raises what ``lookup.resolve`` raises, and ``AssetError`` where the file cannot be written.
    """
    try:
        with closing(sqlite3.connect(path)) as table:
            table.execute("CREATE TABLE answers (key TEXT PRIMARY KEY, answer TEXT NOT NULL) WITHOUT ROWID")
            batch: list[tuple[str, str]] = []
            for pair in lookup.resolve(keys):
                batch.append(pair)
                if len(batch) == _BATCH:
                    table.executemany("INSERT OR REPLACE INTO answers VALUES (?, ?)", batch)
                    batch.clear()
            table.executemany("INSERT OR REPLACE INTO answers VALUES (?, ?)", batch)
            table.commit()
            return int(table.execute("SELECT count(*) FROM answers").fetchone()[0])
    except sqlite3.Error as error:
        raise AssetError(f"cannot store the answers of {lookup.name} as {path}: {error}") from None


@contextmanager
def open_table(lookup: Lookup, path: Path) -> Iterator[Callable[[str], str | None]]:
    """What the table at ``path`` answers to a key. Raises ``AssetError``."""
    try:
        table = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)
        table.execute("SELECT answer FROM answers LIMIT 1")
    except sqlite3.Error as error:
        raise AssetError(f"{path} is not a table of answers of {lookup.name}: {error}") from None

    def answer(key: str) -> str | None:
        row = table.execute("SELECT answer FROM answers WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    with closing(table):
        yield Memo(answer, _REMEMBERED, _LONGEST).__getitem__


def live(lookup: Lookup) -> Callable[[str], str | None]:
    """Answers on demand, where no table was made: a single record, a test, the library in a loop."""

    def answer(key: str) -> str | None:
        return dict(lookup.resolve([key])).get(key)

    return Memo(answer, _REMEMBERED, _LONGEST).__getitem__
