"""The steps of an export from the settings of a run: one job that enriches, transforms and loads."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from snowetl.errors import ConfigError
from snowetl.orchestrator.executors import emr_jobs
from snowetl.orchestrator.executors.emr_requests import Serverless, SparkJob
from snowetl.orchestrator.executors.emr_serverless import with_python
from snowetl.orchestrator.exports.step import RUN_ID, Place
from snowetl.orchestrator.settings import RunSettings
from snowetl.problems import Problems
from snowetl.references import without_references
from snowetl.settings import Document
from snowetl.settings.secrets import passwords_in
from snowetl.storage.base import scheme_of

_FOLDERS = ("input_folder", "output_folder", "enriched_folder", "bad_folder", "transformed_folder")


class Prepared(NamedTuple):
    """Steps, and the commands that bring to S3 what they read."""

    steps: tuple[SparkJob, ...]
    uploads: tuple[str, ...]


def prepared(settings: RunSettings, package: str, place: Place) -> Prepared:
    """The job for ``settings``. ``package`` is the folder on S3 that holds ``run.py`` and the archives.

    Local documents are named as they lie in ``config.zip``. Raises :class:`ConfigError` that lists all settings that a
    cluster cannot use: local folders, documents written in ``snowetl.yml``, passwords.
    """
    inside = _on_the_cluster(settings)
    problems = Problems()
    for problem in _problems(inside):
        problems.add(problem)
    problems.check()
    moved, local = _with_moved_documents(inside)
    arguments = [*moved.to_argv(), *_hidden(moved), "--run-id", RUN_ID]
    archives = (f"{package}/config.zip#config",) if local else ()
    conf = {**emr_jobs.SIZES, **settings.spark_properties}
    job = SparkJob(f"snowetl run {RUN_ID}", f"{package}/run.py", tuple(arguments), conf, archives)
    if isinstance(place, Serverless):
        job = with_python(job, package)
    return Prepared((job,), tuple(_uploads(local, package)))


def _passwords(value: Any) -> Iterator[str]:
    for text in value if isinstance(value, tuple) else (value,):
        if isinstance(text, str):
            yield from passwords_in(text)


def _problems(settings: RunSettings) -> Iterator[str]:
    for name in _FOLDERS:
        value = getattr(settings, name)
        for folder in value if isinstance(value, tuple) else (value,):
            if folder is not None and scheme_of(folder) == "file":
                yield f"{settings.option(name).flag}: {folder} is a folder of this machine; a cluster needs s3://"
    for name in ("models", "dbt"):
        if getattr(settings, name) is not None:
            yield f"--{name}: it is on this machine, and the job on a cluster; let the scheduler run it after the job"
    if settings.database is None and "load" in settings.steps:
        yield "--database: the embedded PostgreSQL is on this machine; give the address of a warehouse"
    for option in settings.options():
        value = getattr(settings, option.name)
        if isinstance(option.kind, Document) and value is not None and Document.is_inline(value):
            yield f"{option.flag}: it is written in the settings; save it as a file, and name that"
        elif option.secret and any(map(without_references, _passwords(value))):
            yield (
                f"{option.flag}: its password would stand in the arguments of the job, which the console shows; "
                "write ${secretsmanager:NAME} or ${ssm:NAME} in its place"
            )


_OF_THE_OUTSIDE = ("run_id", "executor", "master", "workers", "dry_run")
"""What says where a run works from outside; within its own job Spark is what it was submitted to."""


def _on_the_cluster(settings: RunSettings) -> RunSettings:
    """The settings of the job. Finding nothing new ends with 0 there: a scheduler would take 3 for a failure."""
    options = {each.name: each for each in settings.options()}
    outside = [name for name in options if name in _OF_THE_OUTSIDE or name.startswith("emr_")]
    return replace(settings, no_data_exit_code=0, **{name: options[name].default for name in outside})


def _hidden(settings: RunSettings) -> Iterator[str]:
    """The options that are kept from arguments, since they may hold a password. Here they hold none."""
    for option in settings.options():
        value = getattr(settings, option.name)
        if isinstance(value, str) and option.is_hidden(value):
            yield from (option.flag, value)


def _with_moved_documents(settings: RunSettings) -> tuple[RunSettings, dict[str, str]]:
    """Settings that name local documents as a job finds them, and where each is now, by its place in the archive."""
    local: dict[str, str] = {}
    moved: dict[str, str] = {}
    for option in settings.options():
        value = getattr(settings, option.name)
        if isinstance(option.kind, Document) and isinstance(value, str) and scheme_of(value) == "file":
            name = PurePosixPath(value.removeprefix("file://").rstrip("/")).name
            if local.setdefault(name, value) != value:
                raise ConfigError(f"{option.flag}: {value} and {local[name]} have the same name; rename one")
            moved[option.name] = f"config/{name}"
    return replace(settings, **moved), local  # type: ignore[arg-type]


def _uploads(local: dict[str, str], package: str) -> Iterator[str]:
    yield f"snowetl package {package}"
    if local:
        copies = " ".join(shlex.quote(path) for path in local.values())
        yield f"mkdir -p config && cp -r {copies} config/ && (cd config && zip -qr ../config.zip .)"
        yield f"aws s3 cp config.zip {package}/config.zip"
