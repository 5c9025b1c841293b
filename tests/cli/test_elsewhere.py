"""Options of EmrEtlRunner, typed out of habit: they are told what takes their place."""

from __future__ import annotations

import pytest

from snowetl.cli.main import main
from snowetl.orchestrator.imports.emr_etl_runner.options import ELSEWHERE


@pytest.mark.parametrize("option", ELSEWHERE)
@pytest.mark.parametrize("verb", ["run", "resume"])
def test_old_options_are_answered(verb: str, option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb, option, "shred"]) == 2
    said = capsys.readouterr().err
    assert f"{option}: this option is EmrEtlRunner's" in said
    assert "No such option" not in said


@pytest.mark.parametrize("option", ["--skip", "--resume-from", "--include"])
def test_a_verb_names_the_one_that_takes_an_option(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["resume", option, "shred"]) == 2
    assert "Give it to `snowetl run --run-id RUN`" in " ".join(capsys.readouterr().err.split())


def test_others_are_not_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--lunch"]) == 2
    assert "No such option '--lunch'" in capsys.readouterr().err
