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
PAGES = [*ROOT.glob("*.md"), ROOT / "examples" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
ENRICHMENTS = ROOT / "docs" / "enrichments"
PYTHON_PAGES = ("README.md", "docs/analytics.md", "docs/library.md", "docs/run.md", "docs/testing.md")
SHELL_PAGES = (
    "README.md",
    "docs/analytics.md",
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


@pytest.mark.parametrize("name", [path.stem for path in sorted(ENRICHMENTS.glob("*.md"))])
def test_the_example_of_an_enrichment_is_its_configuration(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the newest version the package knows, which is among those the page lists."""
    from snowetl.enrich.config import EnrichConfig
    from tests.iglu.test_packaged_schemas import packaged

    page = (ENRICHMENTS / f"{name}.md").read_text("utf-8")
    [example] = [block for block in _blocks(ENRICHMENTS / f"{name}.md", "json") if '"enabled"' in block]
    for variable in set(re.findall(r"\$\{(\w+)\}", example)):
        monkeypatch.setenv(variable, "s3cret")
    [one] = EnrichConfig.load(enrichments=example, input_format="thrift", etl_tstamp=0).enrichments
    assert type(one).__module__ == f"snowetl.enrich.enrichments.{name}"
    versions = [str(key.version) for key in packaged() if key[:2] == one.schema_key[:2]]
    assert str(one.schema_key.version) == max(versions)
    listed = page.partition("## Versions")[2].partition("\n## ")[0]
    assert not [version for version in versions if f"`{version}`" not in listed]


def test_every_enrichment_has_a_page() -> None:
    from snowetl.enrich.enrichments import BUILT_IN

    assert sorted(BUILT_IN) == sorted(path.stem for path in ENRICHMENTS.glob("*.md"))
    navigation, table = ((ROOT / name).read_text("utf-8") for name in ("mkdocs.yml", "docs/configuration.md"))
    for name in BUILT_IN:
        assert f"enrichments/{name}.md" in navigation and f"(enrichments/{name}.md)" in table


def test_the_plan_that_is_shown_is_one(tmp_path: Path) -> None:
    from snowetl.enrich.enrichments.tracking_plan import read_plan

    [plan] = _blocks(ENRICHMENTS / "event_specifications.md", "yaml")
    (tmp_path / "plan.yml").write_text(plan)
    assert [(one.id, one.version, one.apps) for one in read_plan(tmp_path / "plan.yml")] == [
        ("11d881cd-316e-4286-b5d4-fe7aebf56fca", 2, frozenset({"web"}))
    ]


def test_the_script_that_is_shown_is_the_one_that_is_configured() -> None:
    """And it does what its text says."""
    from snowetl.enrich.enrichments import registered
    from snowetl.enrich.enrichments.javascript_script import JavascriptConf
    from tests.enrich.enrichments.support import draft, opened

    page = ENRICHMENTS / "javascript_script.md"
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
