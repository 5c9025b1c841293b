"""Tables of answers made before the run: written once, read by workers, answered on demand where there is none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from snowetl.enrich import lookups
from snowetl.enrich.draft import Draft
from snowetl.enrich.enrichments.base import Resolve
from snowetl.errors import AssetError, ConfigError, StorageError


@dataclass
class Upper:
    """Answers in upper case; has no answer for what is upper case already."""

    name: str = "upper"
    asked: int = 0

    columns: ClassVar[tuple[str, ...]] = ("useragent",)
    opened: int = 0

    def key(self, draft: Draft) -> str | None:
        return draft.event["useragent"]

    def check(self) -> None:
        if self.name == "broken":
            raise ConfigError("there is no JVM")

    @contextmanager
    def open(self) -> Iterator[Resolve]:
        self.opened += 1
        yield self.resolve
        self.opened -= 1

    def resolve(self, keys: Iterable[str]) -> Iterator[tuple[str, str]]:
        for key in keys:
            self.asked += 1
            if key != key.upper():
                yield key, key.upper()


def test_a_table_answers_as_the_lookup_did(tmp_path: Path) -> None:
    lookup = Upper()
    keys = [f"agent {number} ü" for number in range(2500)] + ["NONE", "", "a\x00b", "lone \ud800", "x" * 100_000]
    pairs = lookups.answers(lookup, iter(keys))
    assert lookups.write_table(lookup, pairs, tmp_path / "a table.sqlite") == len(keys) - 2
    assert lookup.opened == 0
    with lookups.open_table(lookup, tmp_path / "a table.sqlite") as answer:
        assert [answer(key) for key in keys] == [None if key == key.upper() else key.upper() for key in keys]
        assert answer("never asked") is None
    assert lookup.asked == len(keys)


def test_without_a_table_it_is_asked_on_demand_and_once() -> None:
    lookup = Upper()
    with ExitStack() as stack:
        answer = lookups.live(lookup, stack)
        assert lookup.opened == 0
        assert [answer(key) for key in ("a", "B", "a", "B")] == ["A", None, "A", None]
        assert lookup.opened == 1
    assert (lookup.asked, lookup.opened) == (2, 0)


def test_what_cannot_be_opened_is_told_before_the_first_question() -> None:
    with ExitStack() as stack, pytest.raises(ConfigError, match="no JVM"):
        lookups.live(Upper("broken"), stack)


def test_keys_are_told_apart_and_sorted(tmp_path: Path) -> None:
    keys = lookups.KeyStore(tmp_path / "keys")
    agents = [f"agent {number % 30_000}" for number in range(60_000)] + ["lone \ud800", ""]
    keys.add(("upper", agent) for agent in agents)
    keys.add([("upper", "agent 1"), ("other", "agent 1")])
    assert list(keys.keys(Upper())) == sorted(set(agents))
    assert (keys.count(Upper()), keys.count(Upper("other")), keys.count(Upper("none"))) == (30_002, 1, 0)
    with pytest.raises(StorageError, match="cannot keep the keys"):
        lookups.KeyStore(tmp_path / "missing" / "keys")


def test_what_fails_while_answering_fails_the_run(tmp_path: Path) -> None:
    class Broken(Upper):
        def resolve(self, keys: Iterable[str]) -> Iterator[tuple[str, str]]:
            yield "a", "b"
            raise StorageError("no JVM")

    with pytest.raises(StorageError, match="no JVM"):
        lookups.write_table(Broken(), lookups.answers(Broken(), ["a"]), tmp_path / "table")


def test_files_that_are_no_tables(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a database, and long enough to see that " * 100)
    for path in (tmp_path / "file", tmp_path / "missing"):
        with pytest.raises(AssetError, match="is not a table of answers of upper"), lookups.open_table(Upper(), path):
            pass
    with pytest.raises(StorageError, match="cannot store the answers of upper"):
        lookups.write_table(Upper(), [("a", "A")], tmp_path / "missing" / "table")
