"""The verbs as functions: the same settings as on the command line, reports instead of text."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import snowetl
from snowetl import errors
from snowetl.library import settings_of
from snowetl.steps.base import Unwatched
from snowetl.steps.settings import EnrichSettings, TransformSettings
from snowetl.testing import hit

ROOT = Path(__file__).parent.parent
RESOLVER = str(ROOT / "fixtures" / "resolver.json")
RUN = "2026-03-05-00-00-00"


def test_every_name_of_the_surface_is_there() -> None:
    for name in snowetl.__all__:
        assert getattr(snowetl, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = snowetl.nothing  # type: ignore[attr-defined]


@pytest.mark.parametrize("first", ["import snowetl.enrich.config", "import snowetl.load", "pass"])
def test_a_verb_is_found_whatever_was_imported_before(first: str) -> None:
    code = (
        f"{first}\nfrom snowetl import enrich, load, transform\nimport snowetl.enrich.config as room\n"
        "print(callable(enrich), callable(load), callable(transform), room.EnrichConfig.__name__)"
    )
    out = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True)
    assert out.split() == ["True", "True", "True", "EnrichConfig"]


@pytest.mark.postgres
def test_logs_to_tables(tmp_path: Path) -> None:
    logs = str(ROOT / "fixtures" / "logs" / "cloudfront")
    good, bad, rows = (str(tmp_path / name) for name in ("good", "bad", "rows"))
    snowetl.enrich(
        input_folder=logs,
        input_format="cloudfront",
        output_folder=good,
        bad_folder=bad,
        iglu_config=RESOLVER,
        run_id=RUN,
        master="none",
    )
    assert (tmp_path / "good" / f"run={RUN}" / "_SUCCESS").exists()
    settings = TransformSettings(
        input_folder=good, output_folder=rows, iglu_config=RESOLVER, master="none", target="postgres"
    )
    assert len(snowetl.transform(settings)) == 1
    assert snowetl.transform(settings) == []  # it is done
    loaded = [snowetl.load(input_folder=rows, iglu_config=RESOLVER, data_folder=tmp_path / "pg") for _ in range(2)]
    outcomes = [report.outcome for reports in loaded for report in reports]
    assert outcomes[0] == "loaded"
    assert outcomes[1] != "loaded"


def test_explain_takes_a_record_as_it_is() -> None:
    stages = [stage for stage, _ in snowetl.explain(hit(), input_format="thrift", iglu_config=RESOLVER)]
    assert stages[0] == "payload"
    assert stages[-1] == "event"


@pytest.mark.parametrize("kind", [str, bytes])
def test_explain_takes_a_line_as_text_or_bytes(kind: type) -> None:
    line = "2026-03-02\t08:00:00\tX\t43\t198.18.0.7\tGET\thost\t/i\t200\t-\tMozilla/5.0\te=pv&p=web&tv=js-3"
    record = line if kind is str else line.encode()
    stages = [stage for stage, _ in snowetl.explain(record, input_format="cloudfront", iglu_config=RESOLVER)]
    assert stages[-1] == "event"


class Heard(Unwatched):
    """Remembers what it hears."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.plans: list[Any] = []
        self.reports: list[Any] = []

    def say(self, text: str) -> None:
        self.lines.append(text)

    def planned(self, plan: Any) -> None:
        self.plans.append(plan)

    def done(self, report: Any) -> None:
        self.reports.append(report)


@pytest.mark.slow
def test_a_watch_hears_what_the_command_line_prints(tmp_path: Path) -> None:
    options = {
        "input_folder": (str(ROOT / "fixtures" / "logs" / "cloudfront"),),
        "input_format": "cloudfront",
        "output_folder": str(tmp_path / "good"),
        "bad_folder": str(tmp_path / "bad"),
        "iglu_config": RESOLVER,
        "run_id": RUN,
        "master": "none",
    }
    dry, first, again = Heard(), Heard(), Heard()
    assert snowetl.enrich(watch=dry, dry_run=True, **options) is None
    assert [plan.run.id for plan in dry.plans] == [RUN]
    assert not list(tmp_path.iterdir())
    report = snowetl.enrich(watch=first, **options)
    assert first.reports == [report]
    assert first.lines[0].startswith(f"run={RUN}: ")
    assert snowetl.enrich(watch=again, **options) == report
    assert again.lines[0].startswith(f"run={RUN} is done already: ")
    wanted = {"input_folder": str(tmp_path / "good"), "output_folder": str(tmp_path / "rows"), "iglu_config": RESOLVER}
    assert snowetl.transform(watch=dry, dry_run=True, master="none", **wanted) == []
    assert [batch.run.id for batch in dry.plans[-1].batches] == [f"run={RUN}"]


def test_all_wrong_keywords_are_named_at_once() -> None:
    with pytest.raises(errors.ConfigError) as caught:
        snowetl.enrich(input_foldr="logs", output_folder="out")
    text = str(caught.value)
    assert "input_foldr" in text
    assert "did you mean input_folder" in text
    assert "iglu_config is missing" in text


def test_settings_or_keywords() -> None:
    settings = TransformSettings(input_folder="a", output_folder="b", iglu_config=RESOLVER)
    assert settings_of(TransformSettings, settings, {}) is settings
    with pytest.raises(errors.ConfigError, match="not both"):
        settings_of(TransformSettings, settings, {"target": "postgres"})
    with pytest.raises(errors.ConfigError, match="This takes EnrichSettings"):
        settings_of(EnrichSettings, settings, {})  # type: ignore[type-var]
