"""Header lines that govern what follows, and JSON objects side by side."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowetl.storage import Damage, FileInfo, Record, filesystem, splits
from snowetl.storage.records import LONGEST_HEADER, TextForm
from snowetl.storage.text_forms import shaped
from tests.examples import examples
from tests.growth import assert_linear

HEADED = TextForm(header="#Fields:")
OBJECTS = TextForm(objects=True)


def read(lines: list[str | Damage], form: TextForm) -> list[str | Damage]:
    items = [line if isinstance(line, Damage) else Record(line, number) for number, line in enumerate(lines)]
    return [item if isinstance(item, Damage) else str(item.data) for item in shaped(iter(items), form)]


def test_each_line_comes_with_the_last_header_before_it() -> None:
    assert read(["a", "#Version: 1.0", "#Fields: x", "b", "", "#Fields: y z", "c", "d"], HEADED) == [
        *("a", "#Version: 1.0", "#Fields: x", "#Fields: x\nb", "", "#Fields: y z", "#Fields: y z\nc"),
        "#Fields: y z\nd",
    ]


def test_a_header_holds_across_damage() -> None:
    damage = Damage("log", 7, "broken", b"x")
    assert read(["#Fields: x", damage, "b"], HEADED) == ["#Fields: x", damage, "#Fields: x\nb"]


def test_a_line_too_long_for_a_header_is_none() -> None:
    longest, longer = "#Fields:".ljust(LONGEST_HEADER, "x"), "#Fields:".ljust(LONGEST_HEADER + 1, "x")
    assert read([longest, "a", longer, "b"], HEADED) == [longest, f"{longest}\na", longer, "b"]


def test_a_large_file_that_a_header_governs_is_read_as_one(tmp_path: Path) -> None:
    file = tmp_path / "log"
    lines = [f"row {number}" for number in range(5000)]
    file.write_text("#Fields: x\n" + "\n".join(lines))
    listed = filesystem(str(file)).list(str(file))
    assert len(splits.plan(listed, binary=False, target_bytes=1000)) > 10
    [split] = splits.plan(listed, binary=False, text=HEADED, target_bytes=1000)
    [slice_] = split.slices
    records = [str(item.data) for item in splits.read(slice_, binary=False, text=HEADED)]
    assert records == ["#Fields: x", *(f"#Fields: x\n{line}" for line in lines)]


@pytest.mark.parametrize(
    ("line", "objects"),
    [
        ('{"a":1}', ['{"a":1}']),
        ('{"a":1}{"b":2} \t{"c":{}}', ['{"a":1}', '{"b":2}', '{"c":{}}']),
        ('{"a":"}{"}', ['{"a":"}{"}']),
        ('{"a":1}{"b":', ['{"a":1}', '{"b":']),
        ('{"a":1}{"b":2}x{"c":3}', ['{"a":1}', '{"b":2}', 'x{"c":3}']),
        ("}{", ["}{"]),
        ('  {"a":1}{"b":2}', ['{"a":1}', '{"b":2}']),
        ("", [""]),
        ("plain", ["plain"]),
    ],
)
def test_objects_side_by_side_come_apart(line: str, objects: list[str]) -> None:
    assert read([line], OBJECTS) == objects


def test_objects_keep_their_places() -> None:
    items = list(shaped(iter([Record('{"a":1}{"b":2}', 100), Record('{"c":3}', 115)]), OBJECTS))
    assert [item.number for item in items if isinstance(item, Record)] == [100, 107, 115]


@examples(1.0)
@given(st.lists(st.dictionaries(st.text(max_size=3), st.text(max_size=5) | st.integers(), max_size=3), max_size=6))
def test_no_object_is_lost_or_changed(objects: list[dict[str, object]]) -> None:
    line = "".join(map(json.dumps, objects))
    assert [json.loads(str(item)) for item in read([line], OBJECTS)] == objects if objects else True


def test_deep_and_endless_lines_take_linear_time() -> None:
    for make in (
        lambda size: '{"a":1}' * (size // 7),
        lambda size: "}{" * (size // 2),
        lambda size: '{"a":1}{"b":' + "[" * size,
        lambda size: '{"a":1}{' + '"a":{' * (size // 5),
    ):
        assert_linear(lambda size, make=make: lambda: read([make(size)], OBJECTS), 400_000)  # type: ignore[misc]


def test_plain_lines_stay_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / "log.gz"
    file.write_bytes(gzip.compress(b'#Fields: x\n{"a":1}{"b":2}\n'))
    [split] = splits.plan([FileInfo(str(file), file.stat().st_size, "")], binary=False)
    assert [item.data for item in splits.read(split.slices[0], binary=False)] == ["#Fields: x", '{"a":1}{"b":2}']
