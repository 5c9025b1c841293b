"""``snowetl init`` writes what ``snowetl validate`` finds nothing wrong with, and ``snowetl run`` runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from snowetl.cli.main import main
from tests.integration.test_growing import hit


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tmp_path.chmod(0o755)
    (tmp_path / "logs").mkdir()


def test_what_init_writes_is_valid_and_runs(tmp_path: Path) -> None:
    (tmp_path / "logs" / "a.log").write_text(hit(1) + hit(2))
    assert main(["init", "-f", "cloudfront"]) == 0
    assert main(["validate", "--config", "snowetl.yml"]) == 0
    given = ["run", "--config", "snowetl.yml", "--settle", "0", "--transformation", "widerow-json"]
    assert main(given) == 0  # into a lake, which needs no server
    [report] = (tmp_path / "out/runs").glob("run=*/report.json")
    steps = json.loads(report.read_text())["steps"]
    assert steps[0]["events"] == 2


@pytest.mark.parametrize("warehouse", ["postgres", "redshift"])
def test_every_warehouse(tmp_path: Path, warehouse: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if warehouse == "redshift":
        monkeypatch.setenv("SNOWETL_DATABASE", "redshift://loader:x@h:5439/dev")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    assert main(["init", "shop: 1", "--warehouse", warehouse, "-i", str(tmp_path / "logs")]) == 0
    monkeypatch.chdir(tmp_path / "shop: 1")
    assert main(["validate", "--config", "snowetl.yml"]) == 0


def test_init_replaces_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "resolver.json").write_text("mine")
    assert main(["init"]) == 2
    assert "resolver.json: there already" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["resolver.json"]
    assert main(["init", "--force"]) == 0
    assert "repositories" in (tmp_path / "resolver.json").read_text()


def test_validate_tells_all_that_is_wrong_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "-f", "cloudfront"]) == 0
    (tmp_path / "logs").rmdir()
    (tmp_path / "enrichments/ua_parser_config.json").write_text("{")
    wrong = json.loads((tmp_path / "enrichments/anon_ip.json").read_text())
    wrong["data"] |= {"enabled": True, "parameters": {"anonOctets": "many"}}
    (tmp_path / "enrichments/anon_ip.json").write_text(json.dumps(wrong))
    capsys.readouterr()
    assert main(["validate", "--config", "snowetl.yml", "--warehouse", "redshift"]) == 2
    told = " ".join(capsys.readouterr().err.split())
    for words in ("there is no logs", "ua_parser_config", "--database", "--role-arn"):
        assert words in told, told


def test_validate_asks_no_network(tmp_path: Path) -> None:
    assert main(["init", "-f", "cloudfront", "-i", "s3://no-such-bucket/logs", "-o", "s3://no-such-bucket"]) == 0
    assert main(["validate", "--config", "snowetl.yml", "--transformation", "widerow-json"]) == 0
