"""S3 inventories as the source of a run's input."""

from __future__ import annotations

import gzip
import io
import json
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from snowetl.errors import NothingToDo, StorageError, UsageError
from snowetl.orchestrator import RunSettings
from snowetl.orchestrator.choice import Choice, choose
from snowetl.orchestrator.sources import input_of
from snowetl.orchestrator.sources.manifest import DataFile
from snowetl.orchestrator.sources.s3_inventory import csv_rows
from snowetl.steps.base import World
from tests.orchestrator.sources.conftest import BUCKET, Aws
from tests.orchestrator.sources.inventories import FOLDER, row, write, write_manifest, written


def settings(folder: Path, inventory: str | Sequence[str], **changed: Any) -> RunSettings:
    given = {"input_folder": f"s3://{BUCKET}/raw", "output_folder": str(folder / "out"), "input_format": "thrift"}
    return RunSettings(**(given | {"iglu_config": {"name": "x"}, "inventory": inventory} | changed))


def chosen(given: RunSettings) -> Choice:
    return choose(given, World.of_now())


def names(choice: Choice) -> list[str]:
    return [file.url.removeprefix(f"s3://{BUCKET}/") for file in choice.files or ()]


def take(given: RunSettings) -> list[str]:
    """The names that a run takes, which is done then."""
    choice = chosen(given)
    assert choice.files is not None
    choice.entry.begin(given, choice.files)
    choice.entry.finish({"run": choice.entry.id, "steps": []})
    return names(choice)


def test_files_are_those_of_a_listing(aws: Aws, tmp_path: Path) -> None:
    """Whatever their keys are, and in whatever order S3 wrote them."""
    keys = ["raw/ü b+c%2F.gz", "raw/a=1&b", "raw/2026/03/05/x.lzo", "raw/_SUCCESS", "raw/.x", "raw/d/", "raw/_t/x", "r"]
    for key in keys:
        aws.put(key)
    manifest = write(aws, [row(aws, key) for key in keys], files=3)
    given = settings(tmp_path, manifest)
    listed = settings(tmp_path, ())
    for pattern in ("raw", "raw/*", "raw/*/", "raw/2026", "raw/*/{03,04}/*", "r", "", "raw/_t", "raw/_t/x", "raw/a*"):
        place = {"input_folder": f"s3a://{BUCKET}/{pattern}"}
        told = input_of(RunSettings(**{**vars(given), **place})).files()
        every = input_of(RunSettings(**{**vars(listed), **place})).files()
        assert list(told) == [file for file in every if "/inventory/" not in file.url]


def test_the_ledger_takes_each_once(aws: Aws, tmp_path: Path) -> None:
    for key in ("raw/a", "raw/b"):
        aws.put(key)
    first = write(aws, [row(aws, "raw/a")])
    assert take(settings(tmp_path, first)) == ["raw/a"]
    with pytest.raises(NothingToDo):
        chosen(settings(tmp_path, first))
    second = write(aws, [row(aws, "raw/b"), row(aws, "raw/a")], at="2026-03-06T01-00Z")
    assert take(settings(tmp_path, second)) == ["raw/b"]
    aws.put("raw/c")  # newer than the inventory: a listing knows it, and the ledger is the same
    assert names(chosen(settings(tmp_path, ()))) == ["raw/c"]


def test_the_newest_inventory_of_a_folder_is_meant(aws: Aws, tmp_path: Path) -> None:
    aws.put("raw/a")
    aws.put("raw/b")
    write(aws, [row(aws, "raw/a")], at="2026-03-05T01-00Z")
    write(aws, [row(aws, "raw/b")], at="2026-03-06T01-00Z")
    aws.put(f"inventory/{BUCKET}/daily/2026-03-07T01-00Z/manifest.checksum")  # its manifest is not written yet
    aws.put(f"inventory/{BUCKET}/daily/hive/dt=2026-03-08-01-00/symlink.txt")
    assert names(chosen(settings(tmp_path, FOLDER))) == ["raw/b"]
    with pytest.raises(UsageError, match="there is no folder such as 2026-03-05T01-00Z with a manifest.json in"):
        chosen(settings(tmp_path, f"s3://{BUCKET}/raw"))


def test_old_versions_and_deletions_are_not_taken(aws: Aws, tmp_path: Path) -> None:
    for key in ("raw/a", "raw/b", "raw/c"):
        aws.put(key)
    rows = [
        row(aws, "raw/a", VersionId="2"),
        row(aws, "raw/a", VersionId="1", IsLatest="false", ETag="old"),
        row(aws, "raw/b", VersionId="4", IsDeleteMarker="true", Size="", ETag=""),
        row(aws, "raw/b", VersionId="3", IsLatest="false"),
        row(aws, "raw/c"),
    ]
    assert names(chosen(settings(tmp_path, write(aws, rows)))) == ["raw/a", "raw/c"]


def test_what_has_changed_since_the_inventory(aws: Aws, tmp_path: Path) -> None:
    """One that is gone is named; one that was replaced is taken as it is, once."""
    for key in ("raw/a", "raw/b", "raw/c"):
        aws.put(key)
    manifest = write(aws, [row(aws, key) for key in ("raw/a", "raw/b", "raw/c")])
    aws.s3.delete_object(Bucket=BUCKET, Key="raw/a")
    aws.put("raw/b", b"replaced")
    given = settings(tmp_path, manifest)
    choice = chosen(given)
    assert choice.found is not None
    assert choice.found.vanished.names == [f"s3://{BUCKET}/raw/a"]
    assert [(file.url[-1], file.size) for file in choice.files or ()] == [("b", 8), ("c", 1)]
    assert take(given) == ["raw/b", "raw/c"]
    with pytest.raises(NothingToDo, match="2 files taken by earlier runs"):
        chosen(given)


def test_only_the_columns_that_are_there(aws: Aws, tmp_path: Path) -> None:
    aws.put("raw/a")
    manifest = write(aws, [row(aws, "raw/a")], columns=("Bucket", "Key", "Size", "ETag"))
    assert names(chosen(settings(tmp_path, manifest))) == ["raw/a"]
    with pytest.raises(UsageError, match="has no column LastModifiedDate. Add them to the optional fields"):
        chosen(settings(tmp_path, manifest, settle="10m"))
    manifest = write(aws, [row(aws, "raw/a")], columns=("Bucket", "Key"))
    with pytest.raises(UsageError, match="has no column Size and no ETag"):
        chosen(settings(tmp_path, manifest))


def test_times_are_those_of_the_inventory(aws: Aws, tmp_path: Path) -> None:
    aws.put("raw/a")
    one = row(aws, "raw/a")
    manifest = write(aws, [one])
    [file] = input_of(settings(tmp_path, manifest)).files()
    assert file.modified == written(one).timestamp() * 1000
    with pytest.raises(NothingToDo, match="1 file too young"):
        chosen(settings(tmp_path, manifest, settle="1h"))


@pytest.mark.parametrize("file_format", ["ORC", "Parquet"])
def test_orc_and_parquet(aws: Aws, tmp_path: Path, file_format: str) -> None:
    """Keys are not encoded there, and columns are spelled in another way."""
    pa = pytest.importorskip("pyarrow")
    from pyarrow import orc, parquet

    keys = ["raw/a+b c%20", "raw/b"]
    for key in keys:
        aws.put(key)
    rows = [row(aws, key) for key in keys]
    table = pa.table(
        {
            "bucket": [BUCKET, BUCKET, BUCKET],
            "key": [*keys, "raw/c"],
            "version_id": ["1", "2", "3"],
            "is_latest": [True, True, True],
            "is_delete_marker": [False, False, True],
            "size": pa.array([1, 1, None], pa.int64()),
            "last_modified_date": pa.array([*map(written, rows), None], pa.timestamp("ms")),
            "e_tag": [rows[0]["ETag"], rows[1]["ETag"], None],
        }
    )
    file = io.BytesIO()
    (orc if file_format == "ORC" else parquet).write_table(table, file)
    parts = [("inventory/part", file.getvalue())]
    manifest = write_manifest(aws, parts, "2026-03-05T01-00Z", fileFormat=file_format, fileSchema="struct<…>")
    told = input_of(settings(tmp_path, manifest)).files()
    assert list(told) == list(input_of(settings(tmp_path, ())).files())
    lacking = io.BytesIO()
    (orc if file_format == "ORC" else parquet).write_table(table.drop_columns(["e_tag"]), lacking)
    parts = [("inventory/part", lacking.getvalue())]
    manifest = write_manifest(aws, parts, "2026-03-05T01-00Z", fileFormat=file_format, fileSchema="struct<…>")
    with pytest.raises(UsageError, match="part: the inventory has no column ETag"):
        chosen(settings(tmp_path, manifest))
    parts = [("inventory/part", file.getvalue()[:-20])]
    manifest = write_manifest(aws, parts, "2026-03-05T01-00Z", fileFormat=file_format, fileSchema="struct<…>")
    with pytest.raises(StorageError, match="part, after row 0: cannot be read"):
        chosen(settings(tmp_path, manifest))


def test_a_damaged_inventory_takes_nothing_and_says_where(aws: Aws, tmp_path: Path) -> None:
    aws.put("raw/a")
    good = row(aws, "raw/a")

    def message(manifest: str) -> str:
        with pytest.raises((StorageError, UsageError)) as caught:
            chosen(settings(tmp_path, manifest))
        return str(caught.value)

    text = message(write(aws, [good, good | {"Size": "many"}]))
    assert "0.csv.gz, line 2: this is not an object's row" in text
    assert "or wait for the next one" in text
    manifest = write(aws, [good], fileSchema="Bucket, Key, Size, ETag")
    assert "0.csv.gz, line 1: 8 fields, and the manifest names 4 columns" in message(manifest)
    manifest = write(aws, [good])
    key = f"inventory/{BUCKET}/daily/data/2026-03-05T01-00Z-0.csv.gz"
    content = aws.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    aws.s3.put_object(Bucket=BUCKET, Key=key, Body=content[:-9])
    assert "0.csv.gz, after line" in message(manifest)
    aws.s3.put_object(Bucket=BUCKET, Key=key, Body=gzip.compress(gzip.decompress(content), 1))
    assert "is not the file of the manifest: its MD5 is another" in message(manifest)
    aws.s3.delete_object(Bucket=BUCKET, Key=key)
    assert "there is no such object" in message(manifest)
    assert "there is no such object" in message(f"s3://{BUCKET}/none/manifest.json")
    aws.put("x.json", b'{"fileFormat": "CSV"}')
    assert "is not the manifest of an S3 Inventory: lacks 'destinationBucket'" in message(f"s3://{BUCKET}/x.json")
    aws.put("x.json", json.dumps({"fileFormat": "XML"}).encode())
    assert "its fileFormat is 'XML', not one of CSV, ORC, Parquet" in message(f"s3://{BUCKET}/x.json")


def test_every_bucket_of_the_input_has_one(aws: Aws, tmp_path: Path) -> None:
    aws.put("raw/a")
    manifest = write(aws, [row(aws, "raw/a")])
    with pytest.raises(UsageError, match="the inventories are of s3://logs, and the input lies in s3://other"):
        chosen(settings(tmp_path, manifest, input_folder=["s3://other/raw", f"s3://{BUCKET}/raw"]))
    with pytest.raises(UsageError, match="two inventories of one bucket"):
        chosen(settings(tmp_path, [manifest, FOLDER]))
    with pytest.raises(UsageError, match="/raw is not on S3"):
        chosen(settings(tmp_path, manifest, input_folder="/raw"))


@pytest.mark.slow
def test_memory_does_not_grow_with_the_inventory(tmp_path: Path) -> None:
    def peak(rows: int) -> int:
        path = tmp_path / "part.csv.gz"
        with gzip.open(path, "wt") as lines:
            lines.writelines(f'"{BUCKET}","raw/{number:09d}","1","etag"\n' for number in range(rows))
        tracemalloc.start()
        read = csv_rows(DataFile(str(path), ""), ("bucket", "key", "size", "etag"))
        assert sum(1 for _ in read) == rows
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(200_000) < 1.1 * peak(50_000)
