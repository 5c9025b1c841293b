"""A configuration of Snowplow Event Recovery: which bad rows are mended, and how (``recoveries`` 4-0-0)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from snowetl import documents
from snowetl.problems import Problems
from snowetl.recovery import conditions, paths, patterns
from snowetl.recovery.conditions import Condition
from snowetl.recovery.failure import RecoveryFailure
from snowetl.recovery.steps import Add, Cast, Replace, Step

_SCHEMA = "iglu:com.snowplowanalytics.snowplow/recoveries/jsonschema/4-"
_KEY = re.compile(r"iglu:[A-Za-z0-9._-]+/[A-Za-z0-9_-]+/[A-Za-z0-9_-]+/(?:\d+|\*)-(?:\d+|\*)-(?:\d+|\*)")
_NAME = re.compile(r"[a-zA-Z0-9-]+")
_TYPES = ("Array", "String", "Numeric", "Boolean")


@dataclass(frozen=True, slots=True)
class Flow:
    """Steps for bad rows whose schema is ``key`` (``*`` for any number of a version), if all conditions hold."""

    key: str
    name: str
    conditions: tuple[Condition, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Recoveries:
    """All flows of a configuration."""

    flows: tuple[Flow, ...]

    @classmethod
    def load(cls, source: Any) -> Recoveries:
        """From a path, parsed JSON, JSON text, or base64. Raises ``ConfigError`` that lists all that is wrong."""
        document = documents.read(source, "--recoveries", secrets=False).value
        problems = Problems()
        schema = document.get("schema") if isinstance(document, dict) else None
        data = document.get("data") if isinstance(document, dict) else None
        if not isinstance(data, dict) or not str(schema).startswith(_SCHEMA):
            problems.add(f"--recoveries: it is not a configuration of Event Recovery, whose schema is {_SCHEMA}0-0")
            problems.check()
            return cls(())
        flows = [_flow(key, flow, f"--recoveries: {key}", problems) for key, flow in _flows(data, problems)]
        problems.check()
        return cls(tuple(flow for flow in flows if flow is not None))

    def steps_for(self, bad_row: Mapping[str, Any]) -> tuple[Step, ...]:
        """The steps of all flows for a bad row, one after the other. Raises :class:`RecoveryFailure` if none is."""
        schema, data = bad_row["schema"], bad_row["data"]
        flows = [
            flow
            for flow in self.flows
            if is_for(flow.key, schema) and all(condition.holds(data) for condition in flow.conditions)
        ]
        if not flows:
            raise RecoveryFailure(
                "Failed to load recovery configuration for URI. No schema-configuration mapping found."
            )
        return tuple(step for flow in flows for step in flow.steps)


def is_for(key: str, schema: str) -> bool:
    """Whether a key of a configuration names a schema; ``*`` on either side stands for any number."""
    if not (_KEY.fullmatch(key) and _KEY.fullmatch(schema)):
        return False
    (name, _, version), (other, _, of) = key.rpartition("/"), schema.rpartition("/")
    numbers = zip(version.split("-"), of.split("-"), strict=True)
    return name == other and all(one == two or "*" in (one, two) for one, two in numbers)


# --- reading ----------------------------------------------------------------------------------------------------------


def _flows(data: Mapping[str, Any], problems: Problems) -> Iterator[tuple[str, Any]]:
    for key, flows in data.items():
        if not _KEY.fullmatch(key):
            problems.add(f"--recoveries: {key} is not a schema such as iglu:…/schema_violations/jsonschema/2-0-*")
        elif not isinstance(flows, list):
            problems.add(f"--recoveries: {key} must be a list of flows")
        else:
            yield from ((key, flow) for flow in flows)


def _flow(key: str, flow: Any, place: str, problems: Problems) -> Flow | None:
    name = flow.get("name") if isinstance(flow, dict) else None
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        problems.add(f"{place}: a flow needs a name of letters, digits and dashes")
        return None
    found: dict[str, list[Any]] = {"conditions": [], "steps": []}
    for part, read in (("conditions", _condition), ("steps", _step)):
        listed = flow.get(part, [])
        for number, each in enumerate(listed if isinstance(listed, list) else [None], 1):
            try:
                found[part].append(read(each))
            except ValueError as error:
                problems.add(f"{place}: {name}: {part[:-1]} {number}: {error}")
    return Flow(key, name, tuple(found["conditions"]), tuple(found["steps"]))


def _condition(given: Any) -> Condition:
    if not isinstance(given, dict) or given.get("op") != "Test":
        raise ValueError("must be an object whose op is Test")
    wrong = conditions.problems(given.get("value"))
    if wrong:
        raise ValueError(f"value: {wrong}")
    return Condition(_path(given), given["value"])


def _step(given: Any) -> Step:
    op = given.get("op") if isinstance(given, dict) else None
    if op not in ("Replace", "Remove", "Cast", "Add"):
        raise ValueError("must be an object whose op is Replace, Remove, Cast or Add")
    path = _path(given)
    if op == "Cast":
        types = [given.get("from"), given.get("to")]
        if not set(types) <= set(_TYPES):
            raise ValueError(f"from and to must be of {', '.join(_TYPES)}")
        return Step(path, Cast(*types))
    if op != "Remove" and "value" not in given:
        raise ValueError("value is missing")
    if op == "Add":
        return Step(path, Add(given["value"]))
    match = given.get("match")
    if match is not None:
        patterns.compiled(match if isinstance(match, str) else "(")
    return Step(path, Replace("" if op == "Remove" else given["value"], match))


def _path(given: Mapping[str, Any]) -> paths.Path:
    path = given.get("path")
    if not isinstance(path, str):
        raise ValueError("path is missing")
    return paths.parse(path)
