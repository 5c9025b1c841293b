"""Tables of answers made before the run: written once, read by workers, answered on demand where there is none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from snowetl.enrich import lookups
from snowetl.enrich.draft import Draft
from snowetl.errors import AssetError, StorageError


@dataclass
class Upper:
    """Answers in upper case; has no answer for what is upper case already."""

    name: str = "upper"
    asked: int = 0

    def key(self, draft: Draft) -> str | None:
        return draft.event["useragent"]

    def resolve(self, keys: Iterable[str]) -> Iterator[tuple[str, str]]:
        for key in keys:
            self.asked += 1
            if key != key.upper():
                yield key, key.upper()


def test_a_table_answers_as_the_lookup_did(tmp_path: Path) -> None:
    lookup = Upper()
    keys = [f"agent {number} ü" for number in range(2500)] + ["NONE", "", "a\x00b", "x" * 100_000]
    assert lookups.write_table(lookup, iter(keys), tmp_path / "a table.sqlite") == len(keys) - 2
    with lookups.open_table(lookup, tmp_path / "a table.sqlite") as answer:
        assert [answer(key) for key in keys] == [None if key == key.upper() else key.upper() for key in keys]
        assert answer("never asked") is None
    assert lookup.asked == len(keys)


def test_without_a_table_it_is_asked_on_demand_and_once() -> None:
    lookup = Upper()
    answer = lookups.live(lookup)
    assert [answer(key) for key in ("a", "B", "a", "B")] == ["A", None, "A", None]
    assert lookup.asked == 2


def test_what_fails_while_answering_fails_the_run(tmp_path: Path) -> None:
    class Broken(Upper):
        def resolve(self, keys: Iterable[str]) -> Iterator[tuple[str, str]]:
            yield "a", "b"
            raise StorageError("no JVM")

    with pytest.raises(StorageError, match="no JVM"):
        lookups.write_table(Broken(), ["a"], tmp_path / "table")


def test_files_that_are_no_tables(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a database, and long enough to see that " * 100)
    for path in (tmp_path / "file", tmp_path / "missing"):
        with pytest.raises(AssetError, match="is not a table of answers of upper"), lookups.open_table(Upper(), path):
            pass
    with pytest.raises(AssetError, match="cannot store the answers of upper"):
        lookups.write_table(Upper(), ["a"], tmp_path / "missing" / "table")
