"""Cluster and playbook files: self-describing JSON behind a template. What is wrong is said in Go's words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from snowetl.errors import ConfigError
from snowetl.orchestrator.imports.dataflow_runner import shapes
from snowetl.orchestrator.imports.dataflow_runner.template import Template
from snowetl.problems import Problems

_FROM_ENVIRONMENT = ("iam", "env", "default")
"""Credentials that name a place, not a key."""


@dataclass(frozen=True)
class RunnerFile:
    """``data`` of a cluster or a playbook; ``schema`` was never looked at."""

    where: str
    data: Mapping[str, Any] = field(default_factory=dict)
    schema: str = ""

    @property
    def is_playbook(self) -> bool:
        return "steps" in self.data


def read(path: str, template: Template) -> RunnerFile:
    """The file at ``path``, filled in and parsed. Raises :class:`ConfigError`."""
    try:
        text = Path(path).read_text("utf-8")
    except OSError as error:
        raise ConfigError(f"open {path}: {(error.strerror or str(error)).lower()}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8 text") from None
    return parse(template.fill(text, Path(path).name), path)


def parse(text: str, where: str = "") -> RunnerFile:
    """A file whose template is filled in. ``{}`` is a file without data. Raises :class:`ConfigError`."""
    try:
        record = json.loads(text)
    except json.JSONDecodeError as error:
        if error.pos >= len(text.rstrip()):
            raise ConfigError("unexpected end of JSON input") from None
        raise ConfigError(f"{where}, line {error.lineno}, column {error.colno} is not JSON: {error.msg}") from None
    if not isinstance(record, dict):
        raise ConfigError(_wrong(record, "value", "main.SelfDescribingRecord"))
    schema = record.get("schema", "")
    if not isinstance(schema, str):
        raise ConfigError(_wrong(schema, "struct field SelfDescribingRecord.Schema", "string"))
    data = record.get("data") or {}
    if not isinstance(data, dict):
        raise ConfigError(_wrong(data, "struct field SelfDescribingRecord.Data", "a cluster or a playbook"))
    file = RunnerFile(where, data, schema)
    problems = Problems()
    for problem in shapes.problems(data, shapes.PLAYBOOK if file.is_playbook else shapes.CLUSTER):
        problems.add(f"{where}: {problem}")
    problems.check()
    return file


def _wrong(value: Any, field_: str, type_: str) -> str:
    kinds = {dict: "object", list: "array", str: "string", bool: "bool", type(None): "null"}
    return f"json: cannot unmarshal {kinds.get(type(value), 'number')} into Go {field_} of type {type_}"


def check_credentials(credentials: Mapping[str, str]) -> None:
    """Raises :class:`ConfigError` where only one of the two keys names a place (``iam``, ``env``, ``default``)."""
    access, secret = credentials.get("accessKeyId", ""), credentials.get("secretAccessKey", "")
    for place in _FROM_ENVIRONMENT:
        if (access == place) != (secret == place):
            raise ConfigError(f"access-key and secret-key must both be set to '{place}', or neither")


def check_lock_options(lock: str | None, soft_lock: str | None, consul: str | None, asynchronous: bool = False) -> None:
    """Raises :class:`ConfigError` for options of ``dataflow-runner run`` that do not go together."""
    if consul and not (lock or soft_lock):
        raise ConfigError("--lock or --softLock is needed to make use of --consul")
    if lock and soft_lock:
        raise ConfigError("--lock and --softLock are mutually exclusive")
    if asynchronous and (lock or soft_lock):
        raise ConfigError("--async and --lock or --softLock are not compatible")


def check_consul(address: str, key: str) -> None:
    """Raises :class:`ConfigError` for an address or a key of a lock that Consul's client refused."""
    scheme, separator, _ = address.partition("://")
    if separator and scheme not in ("http", "https", "unix"):
        raise ConfigError(f"Unknown protocol scheme: {scheme}")
    if key.startswith("/"):
        raise ConfigError(f"Invalid key. Key must not begin with a '/': {key}")
