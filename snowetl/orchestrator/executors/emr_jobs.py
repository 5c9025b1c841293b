"""The steps of a run as jobs of Spark: their names, their arguments, and the documents that go with them.

A job runs on another machine: what lies on this one is uploaded beside the run's plan and named by its address, and no
secret goes along. A secret stays where it is, and the job gets the reference to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from snowetl import secret_keys
from snowetl.errors import ConfigError
from snowetl.interpolation import escape
from snowetl.jvm import jsontext
from snowetl.jvm.strings import to_utf8
from snowetl.orchestrator.executors.emr_requests import TOKEN, SparkJob
from snowetl.orchestrator.planner import PlannedStep, RunPlan
from snowetl.orchestrator.settings import RunSettings
from snowetl.orchestrator.step_names import LOAD_FAILED, TRANSFORM_FAILED
from snowetl.problems import Problems
from snowetl.references import without_references
from snowetl.settings import Document, Settings
from snowetl.settings.fingerprint import read_document
from snowetl.settings.secrets import passwords_in
from snowetl.storage import filesystem
from snowetl.storage.base import scheme_of

ENVIRONMENT = "environment.tar.gz"
SIZES = {
    "spark.driver.memory": "2g",
    "spark.executor.cores": "4",
    "spark.executor.memory": "2g",
    "spark.executor.memoryOverhead": "4g",
}
"""Python does the work, beside the heap."""
_LOAD_SIZES = {"spark.dynamicAllocation.enabled": "false", "spark.executor.instances": "1"}
"""A load is the database's work: its driver only talks to it."""
_ENRICHMENTS = "iglu:com.snowplowanalytics.snowplow/enrichments/jsonschema/1-0-0"
_HERE = {"master": None, "workers": 1, "dry_run": False}
"""Settings that tell how this machine works; ``spark-submit`` knows where the job does."""
_ADVICE = (
    "write ${secretsmanager:NAME} or ${ssm:NAME} in its place, and the job looks it up with the rights of its role"
)
_SOME_ID = "2000-01-01-00-00-00"


@dataclass(frozen=True)
class Prepared:
    """A job, and what must be on S3 before it is sent: content by address."""

    job: SparkJob
    uploads: dict[str, bytes] = field(default_factory=dict)


def name_of(step: str, settings: RunSettings) -> str:
    """The name of a step as EmrEtlRunner had it: alerts look for ``[rdb_load]`` and ``Storage Target``."""
    target = f"{settings.warehouse} {settings.schema}"
    return {
        "enrich": "[enrich] spark: Enrich Raw Events",
        "transform": "[shred] spark: Shred Enriched Events",
        "load": f"[rdb_load] Load {target} Storage Target",
        TRANSFORM_FAILED: "[shred] spark: Shred Failed Events",
        LOAD_FAILED: f"[rdb_load] Load failed events into {target} Storage Target",
    }.get(step, step)


def prepare(step: PlannedStep, settings: RunSettings, folder: str, token: str) -> Prepared:
    """The job of a step. ``folder`` is the run's own, where documents go. Raises :class:`ConfigError`."""
    moved, uploads = _with_documents(step.settings, _config_folder(folder, step))
    sizes = _LOAD_SIZES if step.verb == "load" else {}
    return Prepared(
        SparkJob(
            name_of(step.name, settings),
            f"{package_of(settings)}/{step.verb}.py",
            tuple(_arguments(moved)),
            {**SIZES, **sizes, **settings.spark_properties, TOKEN: token},
        ),
        uploads,
    )


def package_of(settings: RunSettings) -> str:
    """The folder that ``snowetl package`` filled, without a slash at its end."""
    return str(settings.emr_package).rstrip("/")


def environment_of(settings: RunSettings) -> str:
    """The archive of the Python environment in it."""
    return f"{package_of(settings)}/{ENVIRONMENT}"


@dataclass
class Documents:
    """The documents of all steps of a run. ``folder`` is the run's own."""

    plan: RunPlan
    settings: RunSettings
    folder: str
    _are_there: bool = False

    def bring(self) -> None:
        """Bring them to S3, once, before the first step begins: what changes here later changes no step."""
        if self._are_there:
            return
        for step in self.plan.steps:
            if not step.done:
                _, uploads = _with_documents(step.settings, _config_folder(self.folder, step))
                for url, content in uploads.items():
                    filesystem(url).put(url, content)
        self._are_there = True


def _config_folder(folder: str, step: PlannedStep) -> str:
    return f"{folder}/config/{step.name}"


def check(settings: RunSettings) -> None:
    """Raises :class:`ConfigError` that lists all that a job on another machine could not use."""
    problems = Problems()
    for problem in _problems(settings):
        problems.add(problem)
    for name in settings.steps:
        with problems.gathered():
            own, _ = settings.step(name, _SOME_ID)
            moved, _ = _with_documents(own, "s3://bucket/config")
            _arguments(moved)
    problems.check()


def _problems(settings: RunSettings) -> Iterator[str]:
    if settings.emr_package is None:
        yield "--emr-package is missing: the folder on S3 that `snowetl package` filled"
    folders = {("--input-folder", folder) for folder in settings.input_folder}
    folders |= {("--output-folder", folder) for folder in settings.written_folders}
    folders |= {("--emr-package", settings.emr_package)} if settings.emr_package else set()
    for flag, folder in sorted(folders):
        if scheme_of(folder) == "file":
            yield f"{flag}: {folder} is a folder of this machine; a cluster needs s3://"
    if settings.database is None and "load" in settings.steps:
        yield "--database is missing: the embedded PostgreSQL is on this machine, and a cluster cannot reach it"
    if settings.local:
        yield "--local: the working folder of a job on a cluster has no files of enrichments; give them addresses"


# --- arguments --------------------------------------------------------------------------------------------------------


def _arguments(settings: Settings) -> list[str]:
    """The command line of a job, with addresses that hold no secret. Raises :class:`ConfigError` for one that does."""
    here = {name: value for name, value in _HERE.items() if any(each.name == name for each in settings.options())}
    own = replace(settings, **here)  # type: ignore[type-var]
    hidden = own.to_environment()
    found = []
    for option in own.options():
        text = hidden.get(option.environment) if option.from_environment else None
        if text is None:
            continue
        if any(without_references(each) for each in passwords_in(text)) or not option.secret:
            raise ConfigError(
                f"{option.flag}: its secret would stand in the arguments of a job, for all to see; {_ADVICE}"
            )
        found += [option.flag, text]
    return [*found, *own.to_argv()]


# --- documents --------------------------------------------------------------------------------------------------------


def _with_documents(settings: Settings, folder: str) -> tuple[Settings, dict[str, bytes]]:
    """The settings with each document that is here named by where it will be, and its content by that address."""
    moved: dict[str, str] = {}
    uploads: dict[str, bytes] = {}
    problems = Problems()
    for option in settings.options():
        value = getattr(settings, option.name)
        if not isinstance(option.kind, Document) or not _is_here(value):
            continue
        with problems.gathered():
            content = _content(value, option.name)
            if secret_keys.masked(content) != content:
                raise ConfigError(
                    f"{option.flag}: it holds a secret ({', '.join(_secret_keys(content))}), and would be copied to "
                    f"{folder} with it; {_ADVICE}. Or put the document where only the job may read it, and give its "
                    "address (s3://…)"
                )
            url = f"{folder}/{option.key}.json"
            uploads[url] = to_utf8(jsontext.dumps(escape(content)))
            moved[option.name] = url
    problems.check()
    return replace(settings, **moved), uploads  # type: ignore[type-var]


def _is_here(value: Any) -> bool:
    """Whether a document is written in the settings, or lies on this machine."""
    if value is None or not isinstance(value, str):
        return value is not None
    if Document.is_inline(value):
        return True
    return scheme_of(value) == "file" and Path(value.removeprefix("file://")).exists()


def _content(value: Any, name: str) -> Any:
    content = read_document(value)
    return {"schema": _ENRICHMENTS, "data": list(_single(content))} if name == "enrichments" else content


def _single(content: Any) -> Iterator[Any]:
    """The single enrichments of a list, a container, or one of them."""
    for element in content if isinstance(content, list) else [content]:
        data = element.get("data") if isinstance(element, dict) else None
        yield from data if isinstance(data, list) else [element]


def _secret_keys(content: Any) -> list[str]:
    """The keys under which secrets stand, ``addresses`` for those in URLs."""

    def keys(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            for key, item in value.items():
                if secret_keys.masked({key: item}) != {key: item}:
                    yield from [key] if isinstance(item, str) else keys(item)
        elif isinstance(value, list):
            for item in value:
                yield from keys(item)

    return sorted(set(keys(content))) or ["addresses"]
