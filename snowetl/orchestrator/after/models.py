"""Data models in SQL: ordered files, as playbooks of SQL Runner say it, or a folder of ``*.sql``.

Their parts go one after the other; the queries of a part at once, each over a connection of its own, as SQL Runner
does. Files are templates (``{{.name}}``, and the functions of Dataflow Runner's). What is done is noted in the run's
folder part by part: a run whose models failed goes on with the part that failed.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from snowetl import bounded_yaml
from snowetl.errors import ConfigError, LoadError, SnowetlError
from snowetl.load.warehouse import Warehouse
from snowetl.orchestrator.after import report
from snowetl.orchestrator.after.report import AfterReport, Part
from snowetl.orchestrator.entries import Entry
from snowetl.orchestrator.imports.dataflow_runner.template import Template
from snowetl.orchestrator.settings import RunSettings
from snowetl.orchestrator.step_names import MODELS
from snowetl.settings.words import count
from snowetl.steps.base import Watch


@dataclass(frozen=True, slots=True)
class Query:
    """One SQL file, filled in."""

    name: str
    path: str
    sql: str


@dataclass(frozen=True, slots=True)
class Model:
    """A step of a playbook, or a file of a folder: queries that may run at once."""

    name: str
    queries: tuple[Query, ...]


def read(place: Path, variables: Mapping[str, str]) -> list[Model]:
    """The steps of a playbook (YAML), or of a folder: each of its ``*.sql`` in the order of their names.

    ``variables`` are those of the run (``run``, ``schema``); the playbook's own beat them. Every file is read and
    filled in before any is run. Raises ``ConfigError`` that names all that is wrong.
    """
    if place.is_dir():
        found = sorted(place.glob("*.sql"))
        if not found:
            raise ConfigError(f"--models {place} holds no *.sql file")
        template = Template(variables, folder=place)
        return [Model(path.stem, (_query(path.stem, path, template),)) for path in found]
    if not place.is_file():
        raise ConfigError(f"--models: there is no file or folder {place}")
    filled = Template(variables, folder=place.parent).fill(place.read_text("utf-8"), str(place))
    return _steps(place, _plain(_parsed(place, filled)), variables)


def _parsed(place: Path, text: str) -> Any:
    import yaml

    try:
        return bounded_yaml.load(text)
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(f"{place} is not YAML: {error}") from None


def _steps(place: Path, playbook: Any, variables: Mapping[str, str]) -> list[Model]:
    steps = playbook.get("steps") if isinstance(playbook, dict) else None
    if not isinstance(steps, list) or not steps:
        raise ConfigError(f"{place} has no steps: it is not a playbook of SQL Runner")
    own = {str(key): str(value) for key, value in (playbook.get("variables") or {}).items()}
    template = Template({**variables, **own}, folder=place.parent)
    problems: list[str] = []
    read_: list[Model] = []
    for number, step in enumerate(steps, 1):
        queries = step.get("queries") if isinstance(step, dict) else None
        if not isinstance(queries, list):
            problems.append(f"step {number} has no queries")
            continue
        done = []
        for query in queries:
            if not isinstance(query, dict) or not isinstance(query.get("file"), str):
                problems.append(f"step {number}: a query has no file")
                continue
            path = place.parent / query["file"]
            try:
                wanted = template if query.get("template") else None
                done.append(_query(str(query.get("name") or path.stem), path, wanted))
            except ConfigError as error:
                problems.append(str(error))
        read_.append(Model(str(step.get("name") or number), tuple(done)))
    if problems:
        raise ConfigError(f"{place}: {'; '.join(problems)}")
    return read_


def _query(name: str, path: Path, template: Template | None) -> Query:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from None
    return Query(name, str(path), text if template is None else template.fill(text, str(path)))


def _plain(value: Any) -> Any:
    """Keys without the colon that older playbooks put before them (``:steps:``)."""
    if isinstance(value, dict):
        return {str(key).removeprefix(":"): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


class Models:
    """The step: see :class:`snowetl.orchestrator.after.AfterStep`."""

    def check(self, settings: RunSettings) -> None:
        _read_for(settings, "")

    def check_program(self, settings: RunSettings) -> None:
        """The warehouse does the work."""

    def run(self, settings: RunSettings, entry: Entry, watch: Watch) -> None:
        """Do the models that are not done.

        Raises ``LoadError`` that names each query of a model that failed: the others of the model were done, the models
        after it were not begun.
        """
        models = _read_for(settings, entry.id)
        done = _begun(entry, models)
        with settings.target.open(watch.say) as warehouse:
            for number, model in enumerate(models[len(done.parts) :], len(done.parts) + 1):
                watch.say(f"model {number}/{len(models)} {model.name}")
                started = time.monotonic()
                with ThreadPoolExecutor(max(len(model.queries), 1)) as pool:
                    failures = [why for why in pool.map(lambda query: _run(query, warehouse), model.queries) if why]
                if failures:
                    raise LoadError(f"model {model.name} failed: {'; '.join(failures)}")
                done = done.with_part(Part(name=model.name, seconds=round(time.monotonic() - started, 3)))
                report.save(done, entry)
        report.save(replace(done, done=True, words=count(len(models), "model")), entry)


def _read_for(settings: RunSettings, run: str) -> list[Model]:
    assert settings.models is not None
    return read(settings.models, {"run": run, "schema": settings.schema})


def _begun(entry: Entry, models: list[Model]) -> AfterReport:
    """The work that an earlier attempt did; none if it had another playbook."""
    known = report.read(entry, MODELS)
    if known is not None and [part.name for part in known.parts] == [each.name for each in models[: len(known.parts)]]:
        return known
    return AfterReport(step=MODELS, done=False)


def _run(query: Query, warehouse: Warehouse) -> str:
    """Empty, or why the query failed."""
    try:
        with warehouse.session() as session:
            session.script(query.sql)
    except SnowetlError as error:
        return f"{query.name} ({query.path}): {error}"
    return ""
