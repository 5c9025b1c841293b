"""Which steps a run does: ``--skip``, ``--resume-from`` and ``--include``, by our names and EmrEtlRunner's."""

from __future__ import annotations

from typing import Any

import pytest

from snowetl.errors import ConfigError, NothingToDo
from snowetl.orchestrator import RunSettings, step_choice
from snowetl.orchestrator.imports.emr_etl_runner.options import EQUIVALENTS, RESUMABLE, SKIPPABLE
from snowetl.orchestrator.step_names import ALL, NEEDS, skipped, start_of
from tests.orchestrator.test_settings import settings

RUN = "2026-01-02-03-04-05"


@pytest.mark.parametrize(
    ("given", "steps", "after"),
    [
        ({}, ("enrich", "transform", "load"), ()),
        ({"skip_step": "load"}, ("enrich", "transform"), ()),
        ({"skip_step": "shred,rdb_load"}, ("enrich",), ()),
        ({"skip_step": ["transform", "load"]}, ("enrich",), ()),
        ({"skip_step": "archive_raw,analyze,elasticsearch"}, ("enrich", "transform", "load"), ()),
        ({"include": "vacuum"}, ("enrich", "transform", "load"), ("vacuum",)),
        (
            {"failed_events": True, "skip_step": "load"},
            ("enrich", "transform", "transform-failed"),
            (),
        ),
        (
            {"failed_events": True, "skip_step": "load-failed"},
            ("enrich", "transform", "load", "transform-failed"),
            (),
        ),
        (
            {"models": "sql", "dbt": "dbt", "include": "vacuum", "skip_step": "models"},
            ("enrich", "transform", "load"),
            ("vacuum", "dbt"),
        ),
    ],
)
def test_the_steps_of_a_run(given: dict[str, Any], steps: tuple[str, ...], after: tuple[str, ...]) -> None:
    made = settings(**given)
    step_choice.check(made)
    assert (made.steps, made.after) == (steps, after)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"skip_step": "load", "resume_from": "load"}, "--resume-from and --skip exclude each other"),
        ({"resume_from": "load", "redo_from": "enrich"}, "give one of them"),
        ({"redo_from": "enrich", "skip_step": "enrich"}, "--redo-from enrich does what --skip leaves out"),
        ({"resume_from": "models"}, "this run has no step models; its steps are enrich, transform, load"),
        ({"include": "vacuum", "skip_step": "vacuum"}, "--include vacuum and --skip vacuum"),
        ({"skip_step": "enrich,transform,load"}, "nothing is left to do"),
        ({"transformation": "widerow-json", "models": "sql"}, "--models: a run with --transformation widerow-json"),
    ],
)
def test_contradictions_are_refused(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        step_choice.check(settings(**given))


def test_all_contradictions_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as found:
        step_choice.check(settings(skip_step="vacuum", include="vacuum", resume_from="dbt"))
    assert len(found.value.problems) == 3


@pytest.mark.parametrize("name", ["archive_enriched", "archive_shredded"])
def test_after_the_archives_nothing_is_done_here(name: str) -> None:
    with pytest.raises(NothingToDo, match="no step follows this one here"):
        step_choice.check(settings(resume_from=name))


@pytest.mark.parametrize("name", ["shredd", "everything"])
def test_an_unknown_step_is_refused_with_those_there_are(name: str) -> None:
    with pytest.raises(ConfigError, match="is not one of enrich, transform, load"):
        settings(skip_step=name)
    with pytest.raises(ConfigError, match="is not one of vacuum"):
        settings(include="load")


@pytest.mark.parametrize(
    ("given", "done", "told"),
    [
        ({"skip_step": "transform"}, {"enrich"}, r"load reads what transform writes.*--skip transform,load"),
        ({"skip_step": "enrich"}, set(), r"transform reads what enrich writes"),
        ({"skip_step": "load", "models": "sql"}, {"enrich"}, r"models needs rows that are loaded.*--skip load,models"),
        ({"resume_from": "load"}, {"enrich"}, r"transform of run=.* is not done. Give --resume-from transform"),
        ({"resume_from": "rdb_load"}, set(), "enrich of run=.* is not done. Give --resume-from enrich"),
    ],
)
def test_a_step_that_would_find_nothing_is_refused(given: dict[str, Any], done: set[str], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        step_choice.check_order(settings(**given), RUN, done)


@pytest.mark.parametrize(
    ("given", "done"),
    [
        ({"skip_step": "transform"}, {"enrich", "transform"}),
        ({"skip_step": "enrich"}, {"enrich"}),
        ({"resume_from": "load"}, {"enrich", "transform"}),
        ({"resume_from": "enrich"}, set()),
        ({"skip_step": "load,models", "models": "sql"}, set()),
    ],
)
def test_what_was_done_before_may_be_left_out(given: dict[str, Any], done: set[str]) -> None:
    step_choice.check_order(settings(**given), RUN, done)


def test_every_old_step_has_a_meaning() -> None:
    for name in SKIPPABLE:
        ours = EQUIVALENTS[name].step
        assert skipped([name]) == {step for step in ALL if ours is not None and step in (ours, f"{ours}-failed")}
    assert {name: start_of(name) for name in RESUMABLE} == {
        "enrich": "enrich",
        "shred": "transform",
        "elasticsearch": "load",
        "archive_raw": "load",
        "rdb_load": "load",
        "analyze": None,
        "archive_enriched": None,
        "archive_shredded": None,
        "staging_stream_enrich": "transform",
    }
    assert {name for name in ALL if name not in NEEDS} == {"enrich"}


def test_steps_that_are_chosen_change_nothing_of_the_output() -> None:
    plain: RunSettings = settings()
    assert settings(skip_step="load", include="vacuum", models="sql").fingerprint() == plain.fingerprint()


def test_rows_are_made_for_all_databases_of_a_run() -> None:
    redshift = {"also_load": ["redshift://me:x@h/a"], "role_arn": "arn:aws:iam::123456789012:role/x"}
    made = settings(**redshift)
    assert (made.rows_for, made.transform_settings(RUN).target) == ("redshift", "redshift")
    assert made.after == ("also-load",)
    assert settings().rows_for == "postgres"
    assert settings(also_load=["postgresql://me@h/a#mart"]).also[0].schema == "mart"
    assert settings(also_load=["postgresql://me@h/a"]).also[0].transformed(RUN) == settings().transformed(RUN)
    both = settings(also_load=["postgresql://me@h/a", "duckdb:///x.duckdb"], partition_by="month")
    assert [own.target.partition_by for own in both.also] == ["month", None]
    mixed = settings(also_load=["duckdb:///x.duckdb"])
    assert mixed.rows_for == "postgres"
    [apart] = mixed.also
    assert apart.transform_settings(RUN).transformation == "widerow-parquet"
    assert "/transformed-widerow-parquet/" in apart.transformed(RUN)
    assert apart.load_settings(RUN).input_folder == apart.transformed(RUN)
