"""Listed files beside those that were taken."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from snowetl.orchestrator.inventory import Inventory, Window, compare, count
from snowetl.orchestrator.ledger import Taken
from snowetl.storage import FileInfo

RUN = "2026-01-02-03-04-05"
ALL = Window()


def found(
    listed: list[FileInfo], taken: list[Taken], window: Window = ALL, again: bool = False
) -> tuple[list[str], Inventory]:
    inventory = Inventory()
    within = compare(listed, taken, window, lambda url: url.startswith("/raw/"), again=again)
    return [file.url for file in count(within, inventory)], inventory


def file(name: str, size: int = 1, etag: str = "t", modified: int = 0) -> FileInfo:
    return FileInfo(f"/raw/{name}", size, etag, modified)


def taken(name: str, etag: str = "t", run: str = RUN) -> Taken:
    return Taken(f"/raw/{name}", 1, etag, run)


def test_what_was_taken_is_not_taken_again() -> None:
    new, inventory = found([file("a"), file("b"), file("c")], [taken("a"), taken("c")])
    assert new == ["/raw/b"]
    assert (inventory.taken.files, inventory.runs) == (2, {RUN: 2})


def test_a_file_with_other_content_is_left_alone_and_named() -> None:
    new, inventory = found([file("a", etag="later"), file("b", size=2)], [taken("a"), taken("b")])
    assert new == []
    assert inventory.replaced.names == ["/raw/a", "/raw/b"]


def test_a_file_taken_twice_is_known_by_either_content() -> None:
    twice = [taken("a", "t", "1"), taken("a", "later", "2")]
    assert found([file("a", etag="later")], twice)[1].runs == {"2": 1}
    assert found([file("a")], twice)[1].runs == {"1": 1}


def test_what_is_gone_is_counted_where_it_lay_in_the_input() -> None:
    elsewhere = Taken("/other/x", 1, "t", RUN)
    assert found([file("b")], [elsewhere, taken("a"), taken("b"), taken("c")])[1].vanished.names == ["/raw/a", "/raw/c"]


def test_all_are_taken_again_where_that_is_wanted() -> None:
    assert found([file("a"), file("b")], [taken("a")], again=True)[0] == ["/raw/a", "/raw/b"]


def test_files_of_a_span_of_time() -> None:
    files = [file("a", modified=10), file("b", modified=20), file("c", modified=30)]
    new, inventory = found(files, [], Window(since=20, until=30))
    assert new == ["/raw/b"]
    assert (inventory.too_old.names, inventory.too_young.names) == (["/raw/a"], ["/raw/c"])


def test_no_more_than_so_many_bytes_but_one_file() -> None:
    files = [file("a", 5), file("b", 4), file("c", 9), file("d", 1)]
    new, inventory = found(files, [], Window(max_bytes=9))
    assert new == ["/raw/a", "/raw/b"]
    assert inventory.too_many.bytes == 10
    assert found(files, [], Window(max_bytes=1))[0] == ["/raw/a"]


names = st.sets(st.text("abc", min_size=1, max_size=3))


@given(names, names, st.one_of(st.none(), st.integers(1, 20)))
def test_each_file_is_of_one_kind(listed: set[str], known: set[str], most: int | None) -> None:
    files = [file(name, 2) for name in sorted(listed)]
    before = [Taken(f"/raw/{name}", 2, "t", RUN) for name in sorted(known)]
    new, inventory = found(files, before, Window(max_bytes=most))
    assert inventory.new.files + inventory.taken.files + inventory.too_many.files == len(listed)
    assert inventory.taken.files == len(listed & known)
    assert inventory.vanished.files == len(known - listed)
    assert len(new) == inventory.new.files
    assert bool(new) == bool(listed - known)


def test_a_new_file_before_taken_ones_of_its_folder_is_late() -> None:
    listed = [file("1/b"), file("1/c"), file("2/a"), file("2/b"), file("2/d"), file("3/a")]
    new, inventory = found(listed, [taken("1/a"), taken("1/c"), taken("2/c")])
    assert len(new) == 5
    assert inventory.late.names == ["/raw/1/b", "/raw/2/a", "/raw/2/b"]  # 2/c is gone since
