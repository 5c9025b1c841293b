"""Parquet files as JSON records."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from snowetl.errors import UsageError
from snowetl.storage import Damage, Record, filesystem, parquet_rows, splits
from snowetl.storage.records import TextForm

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

OBJECTS = TextForm(objects=True)


def write(file: Path, columns: dict[str, Any], rows_of_a_group: int = 1000) -> Path:
    pq.write_table(pa.table(columns), file, row_group_size=rows_of_a_group)
    return file


def read(file: Path, text: TextForm = OBJECTS) -> list[Record | Damage]:
    return list(splits.read(splits.Slice(str(file)), binary=False, text=text))


def rows(items: list[Record | Damage]) -> list[Any]:
    return [json.loads(item.data) for item in items if isinstance(item, Record)]


def test_rows_become_objects_numbered_in_order(tmp_path: Path) -> None:
    columns = {"cs-uri-stem": [f"/{n}" for n in range(3000)], "sc-bytes": list(range(3000)), "x": [None] * 3000}
    items = read(write(tmp_path / "log.parquet", columns))
    assert rows(items) == [{"cs-uri-stem": f"/{n}", "sc-bytes": n, "x": None} for n in range(3000)]
    assert [item.number for item in items if isinstance(item, Record)] == list(range(3000))


def test_every_type_has_a_form_in_json(tmp_path: Path) -> None:
    instant = datetime(2026, 3, 2, 8, tzinfo=UTC)
    file = write(
        tmp_path / "log",
        {
            "bytes": pa.array([b"a\xff"]),
            "time": pa.array([instant], pa.timestamp("ms", "UTC")),
            "decimal": pa.array([1], pa.decimal128(5, 2)),
            "float": pa.array([float("nan")]),
            "list": pa.array([["a"]]),
            "struct": pa.array([{"a": b"x"}]),
        },
    )
    [row] = rows(read(file))
    assert row["bytes"] == "a\ufffd"
    assert (row["list"], row["struct"], row["float"]) == (["a"], {"a": "eA=="}, None)  # bytes within others: base64


def test_texts_that_are_not_utf_8(tmp_path: Path) -> None:
    raw = pa.array([b"caf\xe9", b"ok"]).view(pa.string())
    assert rows(read(write(tmp_path / "log", {"a": raw}))) == [{"a": "caf\ufffd"}, {"a": "ok"}]


def test_a_plan_reads_parquet_only_for_formats_of_objects(tmp_path: Path) -> None:
    write(tmp_path / "log.parquet", {"a": ["x"]})
    files = filesystem(str(tmp_path)).list(str(tmp_path))
    assert [split.slices[0].url for split in splits.plan(files, binary=False, text=OBJECTS)] == [files[0].url]
    for binary, text in ((True, OBJECTS), (False, TextForm())):
        plan = splits.plan(files, binary=binary, text=text)
        assert not plan
        assert "Parquet file" in plan.ignored[0].reason
    [damage] = read(tmp_path / "log.parquet", TextForm())
    assert isinstance(damage, Damage)


def test_without_pyarrow_the_plan_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "log.parquet", {"a": ["x"]})
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    files = filesystem(str(tmp_path)).list(str(tmp_path))
    with pytest.raises(UsageError, match=r"pip install 'snowetl\[parquet\]'"):
        splits.plan(files, binary=False, text=OBJECTS)


def test_a_broken_row_group_is_damage_and_the_others_are_read(tmp_path: Path) -> None:
    file = write(tmp_path / "log", {"a": [f"{n:0100d}" for n in random.Random(1).sample(range(10**9), 4000)]}, 1000)
    data = bytearray(file.read_bytes())
    group = pq.ParquetFile(file).metadata.row_group(1).column(0)
    start = group.dictionary_page_offset or group.data_page_offset
    data[start : start + 200] = b"\xff" * 200
    file.write_bytes(data)
    items = read(file)
    [damage] = [item for item in items if isinstance(item, Damage)]
    assert "row group 1 of this Parquet file is broken at row 1000" in damage.reason
    numbers = [item.number for item in items if isinstance(item, Record)]
    assert numbers == [*range(1000), *range(2000, 4000)]


@pytest.mark.parametrize("data", [b"PAR1", b"PAR1PAR1", b"PAR1" + b"\xff" * 100 + b"PAR1", b"PAR1" + b"x" * 1000])
def test_what_is_no_parquet_behind_its_magic_is_damage(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "log"
    file.write_bytes(data)
    [damage] = read(file)
    assert isinstance(damage, Damage)
    assert "this Parquet file cannot be read" in damage.reason


def test_damaged_files_end_as_records_and_damages(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole", {"a": [f"text {n}" for n in range(300)], "b": list(range(300))}, 100).read_bytes()
    randomness, file = random.Random(3), tmp_path / "log"
    for _ in range(300):
        data = bytearray(whole[: randomness.choice([len(whole), randomness.randrange(4, len(whole))])])
        for _ in range(randomness.randint(1, 5)):
            data[randomness.randrange(4, len(data))] = randomness.randrange(256)
        file.write_bytes(data)
        assert all(isinstance(item, (Record, Damage)) for item in read(file))


@pytest.mark.slow
def test_a_large_file_is_read_in_bounded_memory(tmp_path: Path) -> None:
    """Counted in what Arrow holds, which nothing else in this process touches."""
    text = "x" * 1000
    file = tmp_path / "log.parquet"
    schema = pa.schema([("a", pa.string()), ("n", pa.int64())])
    with pq.ParquetWriter(file, schema, compression="none", use_dictionary=False) as writer:
        for group in range(8):
            numbers = range(group * 10_000, group * 10_000 + 10_000)
            writer.write_table(pa.table({"a": [f"{n}{text}" for n in numbers], "n": list(numbers)}, schema=schema))
    assert file.stat().st_size > 80_000_000
    before, most = pa.total_allocated_bytes(), 0
    count = 0
    for count, _ in enumerate(splits.read(splits.Slice(str(file)), binary=False, text=OBJECTS), 1):
        if count % 500 == 0:
            most = max(most, pa.total_allocated_bytes() - before)
    assert count == 80_000
    assert most < 32_000_000


def test_magic_alone_decides(tmp_path: Path) -> None:
    assert parquet_rows.MAGIC == b"PAR1"
    assert rows(read(write(tmp_path / "log.gz", {"a": ["x"]}))) == [{"a": "x"}]
