"""``snowetl run --models``: SQL files after the load, in order; a run that failed continues with the file that did."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest

from snowetl.cli.main import main
from snowetl.errors import ConfigError
from snowetl.load.embedded import embedded_postgres
from snowetl.orchestrator.after import models
from tests.integration.support import ROOT
from tests.integration.test_growing import arguments, write

PLAYBOOK = """
:targets:
  - :name: ignored
    :type: postgres
:variables:
  :into: derived
:steps:
  - :name: schema
    :queries:
      - :name: schema
        :file: sql/schema.sql
        :template: true
  - :name: both
    :queries:
      - :name: views
        :file: sql/views.sql
        :template: true
      - :name: plain
        :file: sql/plain.sql
"""


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(ROOT)
    tmp_path.chmod(0o755)
    write(tmp_path, "a.log", 1, 2, 3)


def playbook(folder: Path) -> Path:
    (folder / "sql").mkdir()
    (folder / "sql/schema.sql").write_text("BEGIN; CREATE SCHEMA IF NOT EXISTS {{.into}}; COMMIT;")
    (folder / "sql/views.sql").write_text(
        "DROP TABLE IF EXISTS {{.into}}.views;"
        "CREATE TABLE {{.into}}.views AS SELECT count(*) AS n FROM {{.schema}}.events;"
    )
    (folder / "sql/plain.sql").write_text("SELECT '{{.not_a_variable}}';")
    (folder / "web.yml").write_text(PLAYBOOK)
    return folder / "web.yml"


def query(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    with embedded_postgres(folder / "out" / "warehouse") as url, psycopg.connect(url) as connection:
        return connection.execute(sql).fetchall()  # type: ignore[call-overload, no-any-return]


def test_a_playbook_after_the_load(tmp_path: Path) -> None:
    given = arguments(tmp_path, "--models", str(playbook(tmp_path)))
    assert main(given) == 0
    assert query(tmp_path, "SELECT n FROM derived.views") == [(3,)]
    [report] = (tmp_path / "out/runs").glob("run=*/report.json")
    [done] = json.loads(report.read_text())["after"]
    assert [part["name"] for part in done["parts"]] == ["schema", "both"]
    assert (done["step"], done["words"]) == ("models", "2 models")


def test_a_run_whose_models_failed_is_gone_on_with_at_that_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = arguments(tmp_path, "--models", str(playbook(tmp_path)))
    (tmp_path / "sql/schema.sql").write_text("CREATE SCHEMA {{.into}};")  # which cannot be done twice
    (tmp_path / "sql/plain.sql").write_text("SELECT 1 FROM nowhere;")
    assert main(given) == 1
    told = " ".join(capsys.readouterr().err.split())
    assert "model both failed: plain" in told and "nowhere" in told
    assert main(["status", "-o", str(tmp_path / "out")]) == 0
    assert "failed at models" in capsys.readouterr().out
    assert query(tmp_path, "SELECT n FROM derived.views") == [(3,)], "the other query of the step was done"
    (tmp_path / "sql/plain.sql").write_text("SELECT 1;")
    assert main(given) == 0
    assert query(tmp_path, "SELECT count(*) FROM atomic.events") == [(3,)]


def test_what_is_wrong_with_a_playbook_is_said_before_work_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = arguments(tmp_path, "--models", str(playbook(tmp_path)))
    (tmp_path / "sql/views.sql").write_text("SELECT {{.nobody}};")
    (tmp_path / "sql/plain.sql").unlink()
    assert main(given) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "nobody" in told and "plain.sql" in told
    assert not (tmp_path / "out" / "enriched").exists()


def test_a_folder_of_sql_files(tmp_path: Path) -> None:
    for name in ("02-b", "01-a"):
        (tmp_path / f"{name}.sql").write_text(f"-- {name} of run {{{{.run}}}}")
    steps = models.read(tmp_path, {"run": "R", "schema": "atomic"})
    assert [(step.name, step.queries[0].sql) for step in steps] == [
        ("01-a", "-- 01-a of run R"),
        ("02-b", "-- 02-b of run R"),
    ]
    with pytest.raises(ConfigError, match="no file or folder"):
        models.read(tmp_path / "none.yml", {})
