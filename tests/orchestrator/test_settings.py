"""What follows from the settings of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from snowetl.dedupe.rules import Policy
from snowetl.load.target import Target
from snowetl.orchestrator import RunSettings


def settings(**changed: Any) -> RunSettings:
    given = {"input_folder": "raw", "input_format": "thrift", "output_folder": "out", "resolver": {}}
    return RunSettings(**(given | changed))


def test_everything_goes_below_the_output_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    about = settings(bad_folder="elsewhere/").about()
    assert about["enrichedFolder"] == f"{tmp_path}/out/enriched"
    assert about["badFolder"] == f"{tmp_path}/elsewhere"
    assert settings().warehouse.data_folder == tmp_path / "out" / "warehouse"
    assert settings(output_folder="s3://bucket/out/").about()["transformedFolder"] == "s3://bucket/out/transformed"
    assert settings(output_folder="s3://bucket/out/").warehouse.data_folder == Path("warehouse")


def test_the_steps_are_told_what_is_theirs() -> None:
    made = settings(
        etl_tstamp=1772668802000,
        on_registry_failure="bad-rows",
        enrich={"options": {"accept_invalid": True}, "local_assets": True},
        transform={"deduplication": Policy(natural=False, synthetic="NONE")},
    )
    assert made.given_id == "2026-03-05-00-00-02"
    enrich, transform = made.enrich_settings("2026-03-05-00-00-02"), made.transform_settings("2026-03-05-00-00-02")
    assert enrich.options == {"on_registry_failure": "bad-rows", "accept_invalid": True}
    assert enrich.local_assets
    assert transform.input_folder.endswith("/out/enriched/run=2026-03-05-00-00-02")
    assert not transform.deduplication.natural


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:s3cret@host:5432/db?sslmode=require",
        "postgresql://host/db?password=s3cret&user=me",
        "host=db.example.com user=me password=s3cret dbname=db",
        "redshift://me:s3cret@host:5439/db",
    ],
)
def test_no_password_is_kept(url: str) -> None:
    shown = settings(target=Target(database=url)).about()["warehouse"]
    assert "s3cret" not in shown
    assert "db" in shown
