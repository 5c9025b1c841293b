"""Pure parts of the load: identity of runs, rows as COPY reads them, error codes, reports."""

from __future__ import annotations

import gzip
from dataclasses import replace

import pytest

from snowetl.ddl.models import Version
from snowetl.errors import LoadError
from snowetl.iglu.client import IgluClient
from snowetl.iglu.config import ResolverConfig
from snowetl.load import manifest, rows, sqlstate
from snowetl.load.plan import Copy
from snowetl.load.report import PAGE, REPORT, AsideLoad, LoadReport, TableLoad, save
from snowetl.load.run import ATOMIC, RowFolder, parse_message
from snowetl.load.schemas import NoSchema, RegistrySchemas
from snowetl.load.warehouses.postgres.copier import copy_sql
from snowetl.model.schema import SchemaKey
from snowetl.storage import filesystem

MESSAGE = """{"schema":"iglu:com.snowplowanalytics.snowplow.storage.rdbloader/shredding_complete/jsonschema/2-0-1",
"data":{"base":"%s","typesInfo":{"transformation":"SHREDDED","types":[]},"timestamps":{"jobStarted":
"2026-01-02T04:00:00Z","jobCompleted":"2026-01-02T04:01:00.5Z","min":"2026-01-02T03:04:05.678Z","max":null},
"compression":"GZIP","processor":{"artifact":"x","version":"1"},"count":{"good":%d}}}"""


def run(base, said="s3://bucket/run=1/", good=3, identity=None):
    return replace(parse_message(MESSAGE % (said, good), base), identity=identity)


# --- L3 -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (run("s3://a/run=1/"), run("s3a://a/run=1/"), True),
        (run("s3://a/run=1/"), run("s3n://elsewhere/copied/run=1/"), True),
        (run("s3://a/run=1/"), run("hdfs://h/x/run=1/"), True),
        (run("s3://a/run=1/"), run("/mnt/moved/renamed/"), True),
        (run("s3://a/run=1/", good=4), run("s3://b/run=1/"), False),
        (run("s3://a/run=1/"), run("s3://a/run=2/", said="s3://bucket/run=2/"), False),
        (run("s3://a/run=1/", identity="i"), run("s3://b/run=1/", good=9, identity="i"), True),
        (run("s3://a/run=1/", identity="i"), run("s3://a/run=1/", good=9, identity="j"), True),
    ],
)
def test_L3_the_same_run(one, other, same):
    assert (manifest.find(one, [manifest.row_of(other)]) is not None) is same
    assert (manifest.find(other, [manifest.row_of(one)]) is not None) is same


def test_L3_rows_that_know_no_identity_are_known_by_address(tmp_path):
    known = manifest.row_of(run("s3://a/run=1/", good=7))._replace(run_identity=None)
    assert manifest.find(run("s3a://a/run=1", identity="i"), [known]) == known


def test_long_addresses_fit_the_manifest():
    base = f"s3://{'x' * 700}/run=1/"
    row = manifest.row_of(run(base))
    assert len(row.base) <= manifest.MAX_BASE and row.base.endswith("/run=1/")
    assert manifest.find(run(base), [row]) == row
    assert manifest.row_of(run(base.replace("x", "y"))).base != row.base


# --- rows -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "copied"),
    [
        (["a", "\\N", "\\N", "\\N"], ["a", "\\N", "\\N", "\\N"]),
        (["\\", "\\Nx", "x\\N", "\\N"], ["\\\\", "\\\\Nx", "x\\\\N", "\\N"]),
        (["a\rb", "c\x00d", "", "e"], ["a\\rb", "cd", "", "e"]),
    ],
)
def test_cells_are_escaped_for_copy(cells, copied):
    line = "\t".join(["first", *cells]) + "\n"
    assert rows.escaped(line.encode() * 3, b"\\N").decode() == ("\t".join(["first", *copied]) + "\n") * 3


def test_cells_are_read_as_copy_reads_them():
    assert [rows.unescaped(cell) for cell in ("a", "\\N", "\\\\N", "a\\tb\\n\\\\", "\\r\\x")] == [
        "a", None, "\\N", "a\tb\n\\", "\rx",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("chunk", "shaped"),
    [
        (b"1\t2\t3\n", b"1\t2\t3\n"),
        (b"1\t2\n3\t4\n", b"1\t2\t\\N\n3\t4\t\\N\n"),
        (b"1\t2\n3\t4\t5\n", b"1\t2\t\\N\n3\t4\t5\n"),
        (b"1\n", b"1\n"),
        (b"1\t2\n3\t4\t5\t6\n", b"1\t2\t\\N\n3\t4\t5\t6\n"),
    ],
)
def test_L7_missing_cells_at_the_end_are_null(chunk, shaped):
    assert rows.padded(chunk, 3, 2, b"\\N") == shaped
    assert rows.shaped(chunk, ("a", "b", "c"), 2, rows.ENTITY_TSV) in (shaped, chunk)


def test_cells_without_a_column_go():
    assert rows.shaped(b"1\t2\t3\t4\n1\t2\n", ("a", "", "", "d"), 4, rows.ENTITY_TSV) == b"1\t4\n1\t2\n"
    assert rows.shaped(b"1\t2\t3\t4\n", ("", "b", "", "d"), 4, rows.ENTITY_TSV) == b"2\t4\n"


def test_copy_statements_quote_names():
    key = SchemaKey.parse("iglu:a/b/jsonschema/1-0-0")
    copy = Copy("7up_1", key, ('a"b', "", "%s"), rows.ENTITY_TSV, RowFolder(ATOMIC, ""), 0)
    assert copy_sql("s", copy) == 'COPY s."7up_1" ("a""b", "%s") FROM STDIN'
    assert copy_sql("s", replace(copy, format=rows.ATOMIC_TSV)).endswith("FROM STDIN WITH (NULL '')")


# --- errors, reports, schemas ---------------------------------------------------------------------------------------


def test_error_codes():
    assert [sqlstate.is_passing(code) for code in (None, "08006", "40001", "57P01", "53300")] == [True] * 5
    assert [sqlstate.is_passing(code) for code in ("53100", "42501", "22003", "23505", "57014")] == [False] * 5
    assert sqlstate.caused_by_rows("23502") and not sqlstate.caused_by_rows("42P01")
    assert sqlstate.is_lasting_refusal('FATAL:  password authentication failed for user "x"')
    assert not sqlstate.is_lasting_refusal("connection refused") and not sqlstate.is_lasting_refusal("timeout expired")
    assert not sqlstate.is_lasting_refusal("could not translate host name: Temporary failure in name resolution")


def test_reports_survive_json():
    tables, aside = [TableLoad("atomic.events", 3, 1, 2)], [AsideLoad("iglu:a/b/jsonschema/1", "why", 4)]
    report = LoadReport("s3://a/run=1/", "postgres", "loaded", tables, aside, ["iglu:c/d/jsonschema/1"], ["!"], 1.5)
    assert LoadReport.from_json(report.to_json()) == report
    assert report.rejected == 5 and report.to_json()["run"] == "1"


def test_a_report_that_was_cut_off_leaves_nothing_once_it_is_saved(tmp_path):
    """The load was killed between writing the page and its name."""
    (tmp_path / "run=1").mkdir()
    filesystem(str(tmp_path)).stage(f"{tmp_path}/run=1/{PAGE}").write(b"<html>")
    assert next(file.name for file in (tmp_path / "run=1").iterdir()).startswith("._staging-")
    save(LoadReport(f"{tmp_path}/run=1/", "postgres", "already loaded", [], [], [], [], 1.5))
    assert sorted(file.name for file in (tmp_path / "run=1").iterdir()) == [PAGE, REPORT]


def test_L13_a_schema_with_a_property_called_error_is_a_schema(tmp_path):
    import json

    own = {"vendor": "com.acme", "name": "fault", "format": "jsonschema", "version": "1-0-0"}
    file = tmp_path / "schemas/com.acme/fault/jsonschema/1-0-0"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"self": own, "type": "object", "error": "a key of ours", "properties": {}}))
    repository = {"name": "Here", "priority": 0, "vendorPrefixes": [],
                  "connection": {"http": {"uri": tmp_path.as_uri()}}}  # fmt: skip
    document = {
        "schema": "iglu:com.snowplowanalytics.iglu/resolver-config/jsonschema/1-0-3",
        "data": {"cacheSize": 10, "repositories": [repository]},
    }
    schemas = RegistrySchemas(IgluClient(ResolverConfig.load(document), now=0))
    [version] = schemas.versions("com.acme", "fault", 1)
    assert isinstance(version, Version)
    missing = schemas.versions("com.acme", "gone", 1)
    assert isinstance(missing, NoSchema)
    assert "iglu:com.acme/gone/jsonschema/1" in missing.reason and "ResolutionFailure" not in missing.reason
    assert "add their registry to --iglu-config" in missing.reason


@pytest.mark.parametrize("end", [b"", b"\n"])
@pytest.mark.parametrize("size", [0, 1, rows._PIECE - 1, rows._PIECE, 3 * rows._PIECE + 5])
def test_pieces_are_the_bytes_of_the_lines(tmp_path, size, end):
    data = (b"a line of a table\n" * (size // 18 + 1))[:size].rstrip(b"\n") + end
    (tmp_path / "one.txt").write_bytes(data)
    (tmp_path / "two.txt.gz").write_bytes(gzip.compress(data))
    files = filesystem(str(tmp_path)).list(str(tmp_path))
    assert b"".join(rows.read_pieces(files)) == b"".join(rows.read_chunks(files))


def test_a_damaged_file_is_named_by_whoever_reads_it(tmp_path):
    (tmp_path / "one.txt.gz").write_bytes(gzip.compress(b"a\n" * 100_000)[:-40])
    files = filesystem(str(tmp_path)).list(str(tmp_path))
    for read in (rows.read_pieces, rows.read_chunks):
        with pytest.raises(LoadError, match=r"one\.txt\.gz is damaged"):
            list(read(files))
