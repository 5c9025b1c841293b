"""Data models after the load: ordered SQL files, as playbooks of SQL Runner say it, or a folder of ``*.sql``.

Steps go one after the other; the queries of a step at once, each over a connection of its own, as SQL Runner does.
Files are templates (``{{.name}}``, and the functions of Dataflow Runner's). What is done is noted in the run's folder
step by step: a run whose models failed is gone on with at the step that failed.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snowetl import bounded_yaml
from snowetl.errors import ConfigError, LoadError, SnowetlError
from snowetl.jvm import jsontext
from snowetl.jvm.strings import to_utf8
from snowetl.load.target import Target
from snowetl.load.warehouse import Warehouse
from snowetl.orchestrator.entries import Entry, read_document
from snowetl.orchestrator.imports.dataflow_runner.template import Template
from snowetl.steps.base import Watch
from snowetl.storage import filesystem

NAME = "models.json"
FORMAT = "snowetl-models-report/1"


@dataclass(frozen=True, slots=True)
class Query:
    """One SQL file, filled in."""

    name: str
    path: str
    sql: str


@dataclass(frozen=True, slots=True)
class ModelStep:
    name: str
    queries: tuple[Query, ...]


def read(place: Path, variables: Mapping[str, str]) -> list[ModelStep]:
    """The steps of a playbook (YAML), or of a folder: each of its ``*.sql`` in the order of their names.

    ``variables`` are those of the run (``run``, ``schema``); the playbook's own beat them. Every file is read and
    filled in before any is run. Raises ``ConfigError`` that names all that is wrong.
    """
    if place.is_dir():
        found = sorted(place.glob("*.sql"))
        if not found:
            raise ConfigError(f"--models {place} holds no *.sql file")
        template = Template(variables, folder=place)
        return [ModelStep(path.stem, (_query(path.stem, path, template),)) for path in found]
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


def _steps(place: Path, playbook: Any, variables: Mapping[str, str]) -> list[ModelStep]:
    steps = playbook.get("steps") if isinstance(playbook, dict) else None
    if not isinstance(steps, list) or not steps:
        raise ConfigError(f"{place} has no steps: it is not a playbook of SQL Runner")
    own = {str(key): str(value) for key, value in (playbook.get("variables") or {}).items()}
    template = Template({**variables, **own}, folder=place.parent)
    problems: list[str] = []
    read_: list[ModelStep] = []
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
        read_.append(ModelStep(str(step.get("name") or number), tuple(done)))
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


def run(steps: list[ModelStep], target: Target, entry: Entry, watch: Watch) -> list[dict[str, Any]]:
    """Do the steps that are not done, and report all: name and seconds of each.

    Raises ``LoadError`` that names each query of a step that failed: the others of the step were done, those after it
    were not begun.
    """
    url = f"{entry.folder}/{NAME}"
    known = read_document(url) or {}
    done: list[dict[str, Any]] = list(known.get("steps", ()))
    names = [step["name"] for step in done]
    if names != [step.name for step in steps[: len(names)]]:
        done = []  # another playbook than the one that was begun
    with target.open(watch.say) as warehouse:
        for number, step in enumerate(steps[len(done) :], len(done) + 1):
            watch.say(f"model {number}/{len(steps)} {step.name}")
            started = time.monotonic()
            with ThreadPoolExecutor(max(len(step.queries), 1)) as pool:
                failures = [why for why in pool.map(lambda query: _run(query, warehouse), step.queries) if why]
            if failures:
                raise LoadError(f"model step {step.name} failed: {'; '.join(failures)}")
            done.append({"name": step.name, "seconds": round(time.monotonic() - started, 3)})
            document = {"format": FORMAT, "steps": done}
            filesystem(url).put(url, to_utf8(jsontext.dumps(document)) + b"\n")
    return done


def _run(query: Query, warehouse: Warehouse) -> str:
    """Empty, or why the query failed."""
    try:
        with warehouse.session() as session:
            session.script(query.sql)
    except SnowetlError as error:
        return f"{query.name} ({query.path}): {error}"
    return ""
