"""``snowetl run --dbt``: a project of dbt after the load, by a real dbt on a real PostgreSQL."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from snowetl.cli.main import main
from snowetl.load.embedded import embedded_postgres
from snowetl.orchestrator.after import dbt
from snowetl.orchestrator.settings import RunSettings
from snowetl.steps.base import Unwatched
from tests.integration.support import ROOT
from tests.integration.test_growing import arguments, write
from tests.integration.test_models import query

VIEWS = """
select '{{ var("snowetl_run") }}' as run, count(*) as views
from {{ var("snowplow__atomic_schema") }}.events where event_name = 'page_view'
"""
SCHEMA = """
models:
  - name: views
    columns:
      - name: views
        data_tests: [not_null]
"""


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(ROOT)
    tmp_path.chmod(0o755)
    write(tmp_path, "a.log", 1, 2, 3)


@pytest.fixture(scope="session")
def program() -> str:
    """dbt with its adapter for PostgreSQL: that of ``SNOWETL_DBT``, the one ``.ci/find-dbt`` made, or one in PATH."""
    cached = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "snowetl", "dbt", "bin", "dbt")
    for name in (os.environ.get("SNOWETL_DBT", ""), str(cached), "dbt"):
        found = shutil.which(name) if name else None
        if found and "postgres" in subprocess.run([found, "--version"], capture_output=True, text=True).stdout:
            return found
    pytest.skip("there is no dbt here: .ci/find-dbt installs it")


def project(folder: Path, **models: str) -> Path:
    made = folder / "web"
    (made / "models").mkdir(parents=True, exist_ok=True)
    (made / "dbt_project.yml").write_text("name: web\nversion: 1.0.0\nprofile: shop\nmodels: {+materialized: table}\n")
    (made / "models" / "schema.yml").write_text(SCHEMA)
    for name, sql in (models or {"views": VIEWS}).items():
        (made / "models" / f"{name}.sql").write_text(sql)
    return made


def given(folder: Path, program: str, *more: str) -> list[str]:
    return arguments(folder, "--dbt", str(folder / "web"), "--dbt-command", program, *more)


def report(folder: Path) -> dict[str, Any]:
    [path] = (folder / "out/runs").glob("run=*/report.json")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def test_a_project_is_built_after_the_load(tmp_path: Path, program: str, capsys: pytest.CaptureFixture[str]) -> None:
    project(tmp_path)
    assert main(given(tmp_path, program)) == 0
    done = report(tmp_path)
    assert query(tmp_path, "SELECT run, views FROM derived.views") == [(done["run"], 3)]
    [after] = done["after"]
    assert (after["step"], after["words"]) == ("dbt", "2 nodes: 1 pass, 1 success")
    assert {part["name"].partition(".")[0] for part in after["parts"]} == {"model", "test"}
    assert "2 nodes: 1 pass, 1 success" in capsys.readouterr().out
    assert {path.name for path in (tmp_path / "web").iterdir()} == {"dbt_project.yml", "models"}, (
        "nothing is left there"
    )
    kept = {path.name for path in (tmp_path / f"out/runs/run={done['run']}").iterdir()}
    assert {"dbt.json", "dbt.log", "dbt_run_results.json"} <= kept
    assert main(given(tmp_path, program)) == 0, "done already"


def test_a_model_that_fails_fails_the_run_which_goes_on_with_dbt(
    tmp_path: Path, program: str, capsys: pytest.CaptureFixture[str]
) -> None:
    project(tmp_path, views=VIEWS, broken="select 1/0 as n", last='select * from {{ ref("broken") }}')
    assert main(given(tmp_path, program)) == 1
    told = " ".join(capsys.readouterr().err.split())
    assert "dbt build: 1 of 4 nodes failed: model.web.broken: " in told and "division by zero" in told
    assert "dbt.log" in told
    assert main(["status", "-o", str(tmp_path / "out")]) == 0
    assert "failed at dbt" in capsys.readouterr().out
    assert query(tmp_path, "SELECT views FROM derived.views") == [(3,)], "what does not depend on it was built"
    (tmp_path / "web/models/broken.sql").write_text("select 1 as n")
    assert main(["resume", "-o", str(tmp_path / "out")]) == 0
    assert report(tmp_path)["after"][0]["words"] == "4 nodes: 1 pass, 3 success"
    assert query(tmp_path, "SELECT count(*) FROM atomic.events") == [(3,)]


def test_a_profile_of_the_project_and_other_arguments(tmp_path: Path, program: str) -> None:
    place = project(tmp_path)
    (place / "profiles.yml").write_text(
        "shop:\n  target: own\n  outputs:\n    own:\n      type: postgres\n      threads: 1\n      schema: mine\n"
        + "".join(
            f"      {key}: \"{{{{ env_var('SNOWETL_DBT_{key.upper()}'){' | int' if key == 'port' else ''} }}}}\"\n"
            for key in ("host", "port", "user", "dbname")
        )
        + "      password: \"{{ env_var('DBT_ENV_SECRET_SNOWETL_PASSWORD') }}\"\n"
    )
    assert main(given(tmp_path, program, "--dbt-args", "run --select views")) == 0
    assert query(tmp_path, "SELECT views FROM mine.views") == [(3,)]
    assert report(tmp_path)["after"][0]["words"] == "1 node: 1 success"


def test_variables_of_the_user_go_with_those_of_the_run(tmp_path: Path, program: str) -> None:
    mine = "select '{{ var(\"snowetl_run\") }}' as run, '{{ var(\"shop\") }}' as shop, 1 as views"
    project(tmp_path, views=mine)
    assert main(given(tmp_path, program, "--dbt-args", "run --vars '{shop: tea}'")) == 0
    assert query(tmp_path, "SELECT run, shop FROM derived.views") == [(report(tmp_path)["run"], "tea")]


def test_a_project_that_dbt_cannot_read_fails_the_run(
    tmp_path: Path, program: str, capsys: pytest.CaptureFixture[str]
) -> None:
    project(tmp_path, views="select * from {{ ref('nobody') }}")
    assert main(given(tmp_path, program)) == 1
    told = " ".join(capsys.readouterr().err.split())
    assert "left no run_results.json" in told and "nobody" in told


def test_doctor_tells_which_dbt_there_is(tmp_path: Path, program: str) -> None:
    project(tmp_path)
    settings = RunSettings(
        input_folder="raw", input_format="thrift", output_folder="out", iglu_config={}, dbt=tmp_path / "web",
        dbt_command=program,
    )  # fmt: skip
    assert dbt.version_of(settings).startswith("dbt 1.")


def test_without_dbt_nothing_is_begun(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project(tmp_path)
    assert main(given(tmp_path, str(tmp_path / "no-dbt"))) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "there is no program" in told and "pip install dbt-core dbt-postgres" in told
    assert not (tmp_path / "out" / "runs").exists()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "is not a dbt project"),
        ("name: web\n", "names no profile: add 'profile: snowetl'"),
        ("{", "is not YAML"),
    ],
)
def test_what_is_wrong_with_a_project_is_said_before_work_starts(
    tmp_path: Path, text: str | None, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (project(tmp_path) / "dbt_project.yml").unlink()
    if text is not None:
        (tmp_path / "web/dbt_project.yml").write_text(text)
    assert main(given(tmp_path, "true")) == 2
    assert told in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out" / "runs").exists()


# --- Redshift ---------------------------------------------------------------------------------------------------------


def on_redshift(folder: Path) -> RunSettings:
    return RunSettings(
        input_folder=str(folder / "raw"),
        input_format="cloudfront",
        output_folder=str(folder / "out"),
        iglu_config="fixtures/resolver.json",
        warehouse="redshift",
        database="redshift://loader:p%40ss'word@cluster.example.com:5439/dev",
        role_arn="arn:aws:iam::123456789012:role/copy",
        region="eu-west-1",
        transformed_folder="s3://lake/transformed",
        dbt=project(folder),
    )


def test_the_profile_for_redshift_has_all_but_the_password(tmp_path: Path) -> None:
    settings = on_redshift(tmp_path)
    with settings.target.open() as warehouse:
        environment = dbt._environment(settings, tmp_path, warehouse)
        made = (tmp_path / "profiles.yml").read_text()
        output = yaml.safe_load(made)["shop"]["outputs"]["snowetl"]
    assert {key: output[key] for key in ("type", "host", "port", "user", "dbname", "schema")} == {
        "type": "redshift",
        "host": "cluster.example.com",
        "port": 5439,
        "user": "loader",
        "dbname": "dev",
        "schema": "derived",
    }
    assert "p@ss'word" not in made and environment[dbt.SECRET] == "p@ss'word"
    assert environment["SNOWETL_DBT_HOST"] == "cluster.example.com"


def test_dbt_for_redshift_reads_the_profile_and_the_project(tmp_path: Path, program: str) -> None:
    """As far as it goes without a Redshift: the profile is valid for the adapter, and the project compiles for it."""
    if "redshift" not in subprocess.run([program, "--version"], capture_output=True, text=True).stdout:
        pytest.skip(f"{program} has no adapter for Redshift: .ci/find-dbt installs it")
    settings = on_redshift(tmp_path)
    with settings.target.open() as warehouse:
        environment = dbt._environment(settings, tmp_path, warehouse)
        variables = json.dumps({"snowplow__atomic_schema": "atomic", "snowetl_run": "2026-03-05-10-00-00"})
        given = environment | {"DBT_TARGET_PATH": str(tmp_path / "target")}
        parsed = dbt._Process.run([program, "parse", "--vars", variables], given, Unwatched())
        checked = dbt._Process.run([program, "debug"], given, Unwatched())
    assert parsed.code == 0, parsed.log
    assert "profiles.yml file [OK found and valid]" in checked.log and "adapter type: redshift" in checked.log
    assert "p@ss'word" not in parsed.log + checked.log


# --- the example project, in two warehouses ---------------------------------------------------------------------------


def rows_of_duckdb(file: Path, sql: str) -> list[tuple[Any, ...]]:
    import duckdb

    with duckdb.connect(str(file), read_only=True) as connection:
        return connection.execute(sql).fetchall()


@pytest.mark.slow
def test_the_example_project_answers_alike_in_postgres_and_duckdb(tmp_path: Path, program: str) -> None:
    if "duckdb" not in subprocess.run([program, "--version"], capture_output=True, text=True).stdout:
        pytest.skip(f"{program} has no adapter for DuckDB: .ci/find-dbt installs it")
    file = tmp_path / "shop.duckdb"
    for place, more in (
        ("postgres", ["--data-folder", str(tmp_path / "pg")]),
        ("duckdb", ["--database", f"duckdb://{file}"]),
    ):
        command = ["run", "-i", "fixtures/logs/thrift", "-f", "thrift", "-o", str(tmp_path / place)]
        command += [
            "--iglu-config",
            "fixtures/resolver.json",
            "--enrichments",
            "fixtures/enrichments",
            "--master",
            "none",
        ]
        assert main([*command, *more, "--dbt", "examples/dbt", "--dbt-command", program]) == 0
    asked = {
        "sessions": "domain_sessionid, domain_userid, events, page_views, page_pings, first_page_path, mkt_campaign",
        "page_views": "page_view_id, domain_sessionid, page_urlpath, page_pings, seconds_read, scrolled_to",
        "users": "domain_userid, sessions, events, page_views, first_refr_medium, first_page_path",
    }
    with embedded_postgres(tmp_path / "pg") as url, psycopg.connect(url) as connection:
        for table, columns in asked.items():
            shown = ", ".join(f"trim(cast({column} as varchar))" for column in columns.split(", "))
            sql = f"SELECT {shown} FROM derived.{table}"
            found = sorted(map(str, connection.execute(sql).fetchall()))
            assert found == sorted(map(str, rows_of_duckdb(file, sql))), table
            assert len(found) > 10
