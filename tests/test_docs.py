"""What the docs tell a reader to type works: Python blocks and ``sh`` blocks are run, links and options are there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from snowetl.model.schema import SchemaKey

ROOT = Path(__file__).parent.parent
PAGES = [*ROOT.glob("*.md"), ROOT / "examples" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PYTHON_PAGES = ("README.md", "docs/library.md", "docs/run.md", "docs/testing.md")
SHELL_PAGES = (
    "README.md",
    "docs/bad-rows.md",
    "docs/ddl.md",
    "docs/enrich-job.md",
    "docs/input-formats.md",
    "docs/postgres.md",
    "docs/run.md",
    "docs/transform-job.md",
)
"""Pages whose commands need nothing but the fixtures: no server, no cloud."""


def _blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.slow
@pytest.mark.parametrize("page", PYTHON_PAGES)
def test_python_blocks(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in a folder that has the fixtures: some write beside them."""
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for number, block in enumerate(_blocks(ROOT / page, "python"), 1):
        exec(compile(block, f"{page} block {number}", "exec"), names)


@pytest.mark.slow
@pytest.mark.parametrize("page", SHELL_PAGES)
def test_shell_blocks(page: str, tmp_path: Path) -> None:
    """Run in a folder that has the fixtures, with ``snowetl`` on the path."""
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    snowetl = tmp_path / "bin" / "snowetl"
    snowetl.parent.mkdir()
    snowetl.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m snowetl "$@"\n')
    snowetl.chmod(0o755)
    environment = os.environ | {"PATH": f"{snowetl.parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    for block in _blocks(ROOT / page, "sh"):
        result = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert result.returncode == 0, f"{block}\n{result.stdout}\n{result.stderr}"


def test_json_blocks_are_json() -> None:
    for page in PAGES:
        for block in _blocks(page, "json"):
            if "…" not in block:
                json.loads(block)


def test_the_yaml_example_is_a_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from snowetl.cli.main import main

    [example] = _blocks(ROOT / "docs" / "configuration.md", "yaml")
    (tmp_path / "snowetl.yml").write_text(example)
    monkeypatch.chdir(ROOT)
    arguments = ["enrich", "--config", str(tmp_path / "snowetl.yml"), "--dry-run", "--master", "none"]
    assert main([*arguments, "--run-id", "2026-03-05-02-00-00"]) == 0


def test_the_examples_of_enrichments_are_configurations(monkeypatch: pytest.MonkeyPatch) -> None:
    from snowetl.enrich.config import EnrichConfig

    examples = [block for block in _blocks(ROOT / "docs" / "configuration.md", "json") if '"enabled"' in block]
    for name in set(re.findall(r"\$\{(\w+)\}", "".join(examples))):
        monkeypatch.setenv(name, "s3cret")
    for example in examples:
        config = EnrichConfig.load(enrichments=example, input_format="thrift", etl_tstamp=0)
        assert len(config.enrichments) == 1
    assert examples


def test_the_script_that_is_shown_is_the_one_that_is_configured() -> None:
    """And it does what its text says."""
    from snowetl.enrich.enrichments import registered
    from snowetl.enrich.enrichments.javascript_script import JavascriptConf
    from tests.enrich.enrichments.support import draft, opened

    page = ROOT / "docs" / "configuration.md"
    [script] = _blocks(page, "javascript")
    [example] = [json.loads(block) for block in _blocks(page, "json") if "javascript_script_config" in block]
    kind = registered()["javascript_script_config"]
    conf = kind.parse(SchemaKey.parse(example["schema"]), example["data"])
    assert isinstance(conf, JavascriptConf) and conf.script.strip() == script.strip()
    office, event = draft(user_ipaddress="203.0.113.9"), draft(page_url="https://www.acme.com/", se_value="1.50")
    with opened(conf) as step:
        step(office)
        step(event)
    assert office.dropped and event.event["app_id"] == "acme.com"
    assert [json.loads(entity.json)["data"] for entity in event.entities] == [{"entities": 0, "value": 1.5}]


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} links to {target}"


def test_the_readme_names_every_page() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert not [page.name for page in (ROOT / "docs").glob("*.md") if f"(docs/{page.name})" not in readme]


def test_the_option_tables_are_those_of_the_code() -> None:
    from snowetl.cli.verbs import settings_of_all
    from snowetl.settings.docs import with_tables
    from snowetl.steps.settings import GROUPS

    tables = ""
    for page in PAGES:
        text = page.read_text("utf-8")
        assert with_tables(text, settings_of_all(), GROUPS) == text, f"run: snowetl config tables {page.name}"
        tables += text
    for verb in settings_of_all():
        assert verb == "psql" or f"<!-- options: {verb} -->" in tables


def test_the_variables_for_secrets_are_documented() -> None:
    from snowetl.cli.verbs import settings_of_all

    page = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    for settings in settings_of_all().values():
        for option in settings.options():
            assert not option.from_environment or f"`{option.environment}`" in page


@pytest.mark.slow
def test_the_site_builds(tmp_path: Path) -> None:
    """Strictly: a link that leads nowhere, or a name the API page cannot find, fails."""
    pytest.importorskip("mkdocs", reason="the docs extra is not installed")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "contributing" / "index.html").exists()
    assert 'id="snowetl.testing.requests.hit"' in (tmp_path / "api" / "index.html").read_text("utf-8")
    assert "snowetl_application" in (tmp_path / "examples" / "index.html").read_text("utf-8")
