"""What follows from the settings of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from snowetl.dedupe.rules import Policy
from snowetl.orchestrator import RunSettings


def settings(**changed: Any) -> RunSettings:
    given = {"input_folder": "raw", "input_format": "thrift", "output_folder": "out", "iglu_config": {}}
    return RunSettings(**(given | changed))


def test_everything_goes_below_the_output_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    about = settings(bad_folder="elsewhere/").about()
    assert about["enrichedFolder"] == f"{tmp_path}/out/enriched"
    assert about["badFolder"] == f"{tmp_path}/elsewhere"
    assert settings().target.data_folder == tmp_path / "out" / "warehouse"
    assert settings(output_folder="s3://bucket/out/").about()["transformedFolder"] == "s3://bucket/out/transformed"
    assert settings(output_folder="s3://bucket/out/").target.data_folder == Path("warehouse")


def test_the_steps_are_told_what_is_theirs() -> None:
    made = settings(
        etl_timestamp=1772668802000,
        on_registry_failure="bad-rows",
        accept_invalid=True,
        local=True,
        natural=False,
        synthetic="NONE",
        compression="zstd",
    )
    assert made.given_id == "2026-03-05-00-00-02"
    enrich, transform = made.enrich_settings("2026-03-05-00-00-02"), made.transform_settings("2026-03-05-00-00-02")
    assert (enrich.on_registry_failure, transform.on_registry_failure) == ("bad-rows", "bad-rows")
    assert (enrich.accept_invalid, enrich.local, enrich.compression) == (True, True, "zstd")
    assert transform.compression == "gzip"
    assert transform.input_folder.endswith("/out/enriched/run=2026-03-05-00-00-02")
    assert transform.deduplication == Policy(natural=False, synthetic="NONE")


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
    made = settings(database=url, role_arn="arn:aws:iam::123456789012:role/copy")
    assert "db" in str(made.target)
    for shown in (str(made.target), repr(made), str(made.to_json()), str(made.about()), str(made.to_argv())):
        assert "s3cret" not in shown


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("emr_poll", "0", "0s is too short: it must be 1s or more"),
        ("emr_poll", 0, "0s is too short: it must be 1s or more"),
        ("emr_poll", "0s", "0s is too short: it must be 1s or more"),
        ("emr_attempts", 11, "11 is too large: it must be 10 or less"),
    ],
)
def test_aws_is_not_asked_for_more_than_it_gives(name: str, value: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        RunSettings.option(name).kind.accept(value)
