"""``snowetl ddl --external``: tables over folders of runs on S3 as they are, columns from the reports of the runs."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
import sqlglot
from sqlglot import exp

from snowetl.cli.main import main
from snowetl.model.fields import NAMES
from snowetl.runs.run import SUCCESS
from snowetl.storage import filesystem
from tests.integration.support import write_json
from tests.steps.transform_support import RUN, enriched, transform, write_registry, write_run


def ddl(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[exp.Expression]:
    assert main(["ddl", *arguments]) == 0
    return [found for found in sqlglot.parse(capsys.readouterr().out, dialect="athena") if found is not None]


def columns(create: exp.Expression) -> list[str]:
    return [column.name for column in create.this.expressions]


def upload(folder: Path, lake: str) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            url = f"{lake}/{path.relative_to(folder.parent).as_posix()}"
            filesystem(url).put(url, path.read_bytes())


def test_enriched_folders_need_no_look_at_them(capsys: pytest.CaptureFixture[str]) -> None:
    create, repair = ddl(
        capsys, "--external", "athena", "--schema", "snow", "--table", "hits", "s3://nowhere/enriched/"
    )
    assert columns(create) == list(NAMES)
    assert create.this.this.sql("hive") == "`snow`.`hits`"
    assert "MSCK" in repair.sql()


def test_runs_that_are_done_are_partitions(tmp_path: Path, lake: str, capsys: pytest.CaptureFixture[str]) -> None:
    write_run(tmp_path / "bad", [["{}"]])
    (tmp_path / "bad" / RUN / SUCCESS).touch()
    write_run(tmp_path / "bad", [["{}"]], "run=2026-09-09-00-00-00")
    upload(tmp_path / "bad", lake)
    create, *runs = ddl(capsys, "--external", "athena", "--rows", "bad", "--runs", f"{lake}/bad")
    assert columns(create) == ["schema", "data"]
    assert len(runs) == 1 and f"{lake}/bad/{RUN}/" in runs[0].sql()


@pytest.mark.parametrize("kind", ["widerow-parquet", "widerow-json"])
def test_wide_rows_have_the_columns_of_their_files(
    kind: str, tmp_path: Path, lake: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(tmp_path / "enriched", [[enriched(1)]])
    write_run(tmp_path / "enriched", [[enriched(2, unstruct_event="")]], "run=2026-02-02-00-00-00")
    transform(tmp_path, transformation=kind)
    upload(tmp_path / "out", lake)
    resolver = str(write_json(tmp_path / "resolver.json", write_registry(tmp_path / "registry")))
    arguments = ("--external", "athena", "--rows", "transformed", "--iglu-config", resolver, f"{lake}/out")
    create, *runs = ddl(capsys, *arguments)
    assert len(runs) == 2 and f"{lake}/out/{RUN}/output=good/" in runs[0].sql()
    if kind == "widerow-parquet":
        [part] = (tmp_path / "out" / RUN).rglob("*.parquet")
        assert columns(create) == pq.ParquetFile(part).schema_arrow.names
    else:
        assert {"contexts_com_acme_user_1", "unstruct_event_com_acme_click_1", "geo_location"} < set(columns(create))
    create, *runs = ddl(capsys, "--external", "athena", "--rows", "transformed-bad", f"{lake}/out")
    assert columns(create) == ["schema", "data"] and "output=bad/" in runs[0].sql()


def test_shredded_rows_are_refused(tmp_path: Path, lake: str, capsys: pytest.CaptureFixture[str]) -> None:
    write_run(tmp_path / "enriched", [[enriched(1)]])
    transform(tmp_path)
    upload(tmp_path / "out", lake)
    assert main(["ddl", "--external", "athena", "--rows", "transformed", f"{lake}/out"]) == 2
    assert "Rows for Postgres and Redshift are loaded by" in " ".join(capsys.readouterr().err.split())


def test_other_mistakes(tmp_path: Path, lake: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ddl", "--external", "glue", str(tmp_path)]) == 2
    assert "is a folder of this machine" in " ".join(capsys.readouterr().err.split())
    assert main(["ddl", "--external", "glue", "s3://a", "s3://b"]) == 2
    assert "takes one folder of runs" in capsys.readouterr().err
    assert main(["ddl", "--external", "glue", "--rows", "transformed", f"{lake}/nothing"]) == 3
