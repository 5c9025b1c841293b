"""``snowetl load`` as a user types it: what is refused before any work, what is printed, a warehouse from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from snowetl.cli.main import main
from tests.load.runs import click_line, event_line, make_run, query

ROOT = Path(__file__).parents[2]


@pytest.fixture
def resolver(tmp_path: Path) -> str:
    """A resolver of a registry that has com.acme/click 1-0-0."""
    schema = {
        "$schema": "http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#",
        "self": {"vendor": "com.acme", "name": "click", "format": "jsonschema", "version": "1-0-0"},
        "type": "object",
        "properties": {"n": {"type": "integer"}, "url": {"type": "string", "maxLength": 10}},
        "required": ["url"],
    }
    file = tmp_path / "registry/schemas/com.acme/click/jsonschema/1-0-0"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(schema))
    repository = {"name": "Here", "priority": 0, "vendorPrefixes": [],
                  "connection": {"http": {"uri": (tmp_path / "registry").as_uri()}}}  # fmt: skip
    document = {
        "schema": "iglu:com.snowplowanalytics.iglu/resolver-config/jsonschema/1-0-3",
        "data": {"cacheSize": 100, "repositories": [repository]},
    }
    path = tmp_path / "resolver.json"
    path.write_text(json.dumps(document))
    return str(path)


@pytest.fixture
def run(tmp_path: Path) -> str:
    return make_run(tmp_path / "transformed", [event_line(1)], [click_line(1, "x", "5")])


def load(resolver: str, *arguments: str) -> int:
    return main(["load", "--iglu-config", resolver, *arguments])


def test_runs_are_loaded_and_told(database, resolver, run, capsys):
    assert load(resolver, "-i", run, "--database", database) == 0
    out = capsys.readouterr().out
    assert "atomic.com_acme_click_1" in out and "created" in out
    assert load(resolver, "-i", run, "--database", database) == 0
    assert "already loaded" in capsys.readouterr().out


def test_a_dry_run_prints_the_statements(database, resolver, run, capsys):
    assert load(resolver, "-i", run, "--database", database, "--dry-run") == 0
    out = capsys.readouterr().out
    assert "-- create atomic.com_acme_click_1\nCREATE TABLE" in out
    assert query(database, "SELECT 1 FROM pg_namespace WHERE nspname = 'atomic'") == []


def test_H4_what_is_written_is_not_for_others_to_read(database, resolver, run):
    assert load(resolver, "-i", run, "--database", database) == 0
    assert Path(run, "_load_report.json").stat().st_mode & 0o007 == 0


def test_a_dry_run_makes_no_data_folder(resolver, run, tmp_path):
    folder = tmp_path / "pg"
    assert load(resolver, "-i", run, "--data-folder", str(folder), "--dry-run") == 3
    assert not folder.exists()


def test_rejected_rows_need_no_input(database, resolver, run, capsys):
    assert load(resolver, "-i", run, "--database", database) == 0
    assert load(resolver, "--retry-rejected", "--database", database) == 0
    assert load(resolver, "--database", database) == 2
    assert "--input-folder" in capsys.readouterr().err


def bad_rows(folder, *ids):
    """A folder of bad rows of the runs ``ids``, one in each."""
    for id_ in ids:
        (folder / f"run={id_}").mkdir(parents=True)
        (folder / f"run={id_}" / "part-0.txt").write_text(f'"bad in {id_}"\n')
    return str(folder)


def test_B1_bad_rows_go_with_their_run_and_are_not_loaded_again(database, resolver, tmp_path, capsys):
    """The folder of bad rows grows with that of the runs: each hour the same command loads what is new."""
    transformed, seen = tmp_path / "transformed", []
    for hour in ("00", "01", "02"):
        make_run(transformed, [event_line(int(hour))], run=f"run=2026-03-05-{hour}-00-00")
        bad = bad_rows(tmp_path / "bad", f"2026-03-05-{hour}-00-00")
        assert load(resolver, "-i", str(transformed), "--bad-rows", bad, "--database", database) == 0
        seen.append(query(database, "SELECT count(*) FROM atomic.bad_rows")[0][0])
    assert seen == [1, 2, 3]
    bases = query(database, "SELECT base, payload #>> '{}' FROM atomic.bad_rows")
    assert all(payload.removeprefix('"bad in ').rstrip('"') in base for base, payload in bases)
    bad_rows(tmp_path / "bad", "2026-03-06-00-00-00", "2026-03-06-01-00-00")
    capsys.readouterr()
    assert load(resolver, "-i", str(transformed), "--bad-rows", bad, "--database", database) == 0
    assert "run=2026-03-06-00-00-00 and 1 other run are not loaded" in " ".join(capsys.readouterr().err.split())


def test_bad_rows_that_were_left_out_are_loaded_when_they_are_given(database, resolver, run, tmp_path, capsys):
    """Once: what somebody has deleted since stays deleted."""
    bad = bad_rows(tmp_path / "bad", "2026-01-02-03-04-05")
    assert load(resolver, "-i", run, "--database", database) == 0
    capsys.readouterr()
    for _ in range(2):
        assert load(resolver, "-i", run, "--bad-rows", bad, "--database", database) == 0
        assert query(database, "SELECT count(*) FROM atomic.bad_rows") == [(1,)]
    assert capsys.readouterr().out.count("atomic.bad_rows") == 1
    assert query(database, "SELECT count(*), max(bad_rows) FROM atomic.manifest") == [(1, 1)]
    query(database, "DELETE FROM atomic.bad_rows RETURNING 1")
    assert load(resolver, "-i", run, "--bad-rows", bad, "--database", database) == 0
    assert query(database, "SELECT count(*) FROM atomic.bad_rows") == [(0,)]


def test_of_a_transformed_folder_only_bad_rows_are_loaded_as_bad_rows(database, resolver, tmp_path):
    """`--bad-rows` with the folder that `--input-folder` has: its good rows stay what they are."""
    run = Path(make_run(tmp_path / "transformed", [event_line(0), event_line(1)]))
    assert list(run.glob("output=good/**/part*"))
    (run / "output=bad").mkdir()
    (run / "output=bad" / "part-0.txt").write_text('"bad"\n')
    folder = str(tmp_path / "transformed")
    assert load(resolver, "-i", folder, "--bad-rows", folder, "--database", database) == 0
    assert query(database, "SELECT payload #>> '{}' FROM atomic.bad_rows") == [('"bad"',)]


def test_B1_a_run_without_events_brings_its_bad_rows(database, resolver, tmp_path):
    run = make_run(tmp_path / "transformed", [])
    message = json.loads(Path(run, "shredding_complete.json").read_text())
    message["data"]["timestamps"] |= {"min": None, "max": None}
    Path(run, "shredding_complete.json").write_text(json.dumps(message))
    assert load(resolver, "-i", run, "--database", database) == 0
    assert query(database, "SELECT to_regclass('atomic.manifest')") == [(None,)]
    bad = bad_rows(tmp_path / "bad", "2026-01-02-03-04-05")
    for _ in range(2):
        assert load(resolver, "-i", run, "--bad-rows", bad, "--database", database) == 0
    assert query(database, "SELECT count(*) FROM atomic.bad_rows") == [(1,)]
    assert query(database, "SELECT count_good FROM atomic.manifest") == [(0,)]


def test_B1_a_run_that_cannot_be_loaded_does_not_hold_up_the_others(database, resolver, tmp_path, capsys):
    transformed = tmp_path / "transformed"
    runs = [make_run(transformed, [event_line(hour)], run=f"run=2026-03-05-0{hour}-00-00") for hour in range(4)]
    Path(runs[0], "shredding_complete.json").write_text('{"schema":')
    part = next(Path(runs[2]).rglob("part-*"))
    part.write_bytes(part.read_bytes()[:-9])
    assert load(resolver, "-i", str(transformed), "--database", database) == 1
    err = " ".join(capsys.readouterr().err.split())
    assert "2 of 4 runs not loaded" in err
    assert "run=2026-03-05-00-00-00/ is not loaded" in err
    assert "run=2026-03-05-02-00-00/ is not loaded" in err
    assert query(database, "SELECT count(*) FROM atomic.events") == [(2,)]
    assert query(database, "SELECT count(*) FROM atomic.manifest") == [(2,)]


def test_an_input_folder_that_is_not_there_is_a_mistake(database, resolver, tmp_path, capsys):
    assert load(resolver, "-i", str(tmp_path / "typo"), "--database", database) == 2
    assert "typo" in capsys.readouterr().err


def test_a_skipped_schema_must_be_a_criterion(database, resolver, run, capsys):
    assert load(resolver, "-i", run, "--database", database, "--skip-schema", "click") == 2
    assert "iglu:com.acme/event/jsonschema/1-*-*" in capsys.readouterr().err


@pytest.mark.parametrize("schema", ["pg_catalog", "PG_toast", "information_schema"])
def test_B7_schemas_of_the_server_are_refused(database, resolver, run, capsys, schema):
    assert load(resolver, "-i", run, "--database", database, "--schema", schema) == 2
    assert "the server's own" in capsys.readouterr().err


# --- B7 -------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://me:pw@127.0.0.1/db", "MySQL"),
        ("jdbc:postgresql://127.0.0.1/db", "jdbc"),
        ("postgresql://me:pw@127.0.0.1:1/db", "refused"),
        ("postgresql://me:pw@no-such-host.invalid/db", "no-such-host"),
        ("postgresql://me:pw@pw@127.0.0.1/db", "%40"),
        ("POSTGRESQL://me:pw@127.0.0.1:1/db", "refused"),
    ],
)
def test_B7_a_wrong_address_is_told_before_any_work(resolver, run, tmp_path, capsys, url, words):
    before = sorted(tmp_path.rglob("*"))
    assert load(resolver, "-i", run, "--database", url) == 2
    err = capsys.readouterr().err
    assert words in err and "pw" not in err
    assert "trying again" not in err or "refused" in words
    assert sorted(tmp_path.rglob("*")) == before


def test_B7_a_database_or_role_that_is_not_there(database, resolver, run, capsys):
    for wrong in (database.replace("/test_", "/missing_"), database.replace("//postgres@", "//stranger@")):
        assert load(resolver, "-i", run, "--database", wrong) == 2
        err = capsys.readouterr().err
        assert "missing_" in err or "stranger" in err
        assert "trying again" not in err


def test_B7_rights_that_are_missing_are_told_with_their_grants(database, resolver, run, capsys):
    role = f"weak_{abs(hash(database))}"
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {role}")
        admin.execute("CREATE SCHEMA atomic")
    weak = f"{database}&options=-c%20role%3D{role}"
    assert load(resolver, "-i", run, "--database", weak) == 2
    assert f'GRANT USAGE, CREATE ON SCHEMA atomic TO "{role}"' in capsys.readouterr().err
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute(f"GRANT USAGE, CREATE ON SCHEMA atomic TO {role}")
        admin.execute("CREATE TABLE atomic.events (event_id uuid)")
    assert load(resolver, "-i", run, "--database", weak) == 2
    assert "events cannot be written: GRANT SELECT, INSERT" in capsys.readouterr().err


def test_B7_a_data_folder_of_something_else(resolver, run, tmp_path, capsys):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "precious.txt").touch()
    assert load(resolver, "-i", run, "--data-folder", str(folder)) == 2
    assert "neither empty nor a data folder" in capsys.readouterr().err
    assert [path.name for path in folder.iterdir()] == ["precious.txt"]


def test_B7_a_missing_driver_is_named_with_its_extra(resolver, run, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert load(resolver, "-i", run, "--database", "postgresql://me@127.0.0.1/db") == 2
    assert "pip install 'snowetl[postgres]'" in capsys.readouterr().err


def test_B7_run_looks_at_the_target_first(resolver, tmp_path, capsys):
    arguments = ["run", "-i", "fixtures/logs/webhooks", "-f", "thrift", "-o", str(tmp_path / "out")]
    arguments += ["--iglu-config", resolver, "--master", "none", "--database", "mysql://me@host/db"]
    assert main(arguments) == 2
    assert "MySQL" in capsys.readouterr().err
    assert main([*arguments, "--dry-run"]) == 2
    assert not (tmp_path / "out").exists()


def test_redshift_without_a_role_names_the_options(resolver, run, monkeypatch, capsys):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    arguments = ["--warehouse", "redshift", "--database", "redshift://me:pw@host/db"]
    assert load(resolver, "-i", run, *arguments) == 2
    err = capsys.readouterr().err
    assert "--role-arn" in err and "--assume-role-arn" in err
    assert load(resolver, "-i", run, "--warehouse", "redshift") == 2
    assert "redshift://USER:PASSWORD@HOST:5439/DATABASE" in capsys.readouterr().err


def test_a_warehouse_that_is_unknown(resolver, run, capsys):
    assert load(resolver, "-i", run, "--warehouse", "snowfall") == 2
    assert "there are bigquery, clickhouse, databricks, delta, duckdb, iceberg," in capsys.readouterr().err


# --- a warehouse from outside the package ---------------------------------------------------------------------------

OUTSIDE = '''
"""A warehouse of folders: a table is a file."""
from contextlib import contextmanager
from pathlib import Path

from snowetl.ddl.dialects import DIALECTS
from snowetl.load.report import TableLoad
from snowetl.load.rows import read_chunks
from snowetl.load.warehouse import Capabilities, Statement, Tables


class FolderWarehouse:
    name = "folder"
    capabilities = Capabilities(
        layouts=frozenset(("shredded",)), rows_for="redshift", row_formats=frozenset(("TSV",)), max_identifier=100,
    )
    dialect = DIALECTS["redshift"]

    def __init__(self, folder, schema):
        self.folder, self.schema = folder, schema

    @classmethod
    def check(cls, target):
        pass

    @classmethod
    @contextmanager
    def open(cls, target, say):
        yield cls(Path(target.database.removeprefix("folder://")), target.schema)

    def set_up(self, tables):
        return [] if "manifest" in tables.comments else [Statement("create manifest", "manifest")]

    def preflight(self):
        return []

    @contextmanager
    def session(self):
        yield Session(self.folder)

    def copy_statement(self, copy, run):
        return Statement(f"copy {copy.table}", copy.table)


class Session:
    def __init__(self, folder):
        self.folder = folder

    @contextmanager
    def transaction(self):
        yield

    def lock(self):
        pass

    def execute(self, statement):
        if statement.sql == "manifest":
            (self.folder / "manifest").touch()

    def tables(self):
        return Tables({path.name: None for path in self.folder.iterdir() if path.name == "manifest"}, {}, True)

    def manifest_rows(self, run):
        return []

    def note_loaded(self, row):
        with (self.folder / "manifest").open("a") as file:
            file.write(row.base + "\\n")

    def copy(self, copy, run):
        data = b"".join(read_chunks(copy.files))
        (self.folder / copy.table).write_bytes(data)
        return TableLoad(copy.table, rows=data.count(b"\\n"))
'''


@pytest.mark.slow
def test_a_warehouse_of_another_package_is_one_file(resolver, run, tmp_path):
    package = tmp_path / "elsewhere"
    info = package / "snowetl_folder-1.0.dist-info"
    info.mkdir(parents=True)
    (package / "snowetl_folder.py").write_text(OUTSIDE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: snowetl-folder\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[snowetl.warehouses]\nfolder = snowetl_folder:FolderWarehouse\n")
    target = tmp_path / "tables"
    target.mkdir()
    arguments = ["-i", run, "--iglu-config", resolver, "--warehouse", "folder", "--database", f"folder://{target}"]
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{package}"}
    command = [sys.executable, "-m", "snowetl", "load", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (target / "com_acme_click_1").read_text() == click_line(1, "x", "5") + "\n"
    assert (target / "manifest").read_text() == f"{run}/\n"
