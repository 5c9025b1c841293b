"""Checks a state machine in the Amazon States Language, as far as our exports use it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_ENDS = {"Succeed", "Fail"}
_FIELDS: dict[str, set[str]] = {
    "Pass": {"Result", "ResultPath", "Parameters", "InputPath", "OutputPath"},
    "Task": {
        "Resource",
        "Parameters",
        "ResultPath",
        "ResultSelector",
        "InputPath",
        "OutputPath",
        "Retry",
        "Catch",
        "TimeoutSeconds",
        "HeartbeatSeconds",
    },
    "Fail": {"Error", "Cause"},
    "Succeed": {"InputPath", "OutputPath"},
    "Choice": {"Choices", "Default", "InputPath", "OutputPath"},
    "Wait": {"Seconds", "Timestamp", "SecondsPath", "TimestampPath", "InputPath", "OutputPath"},
}
_RESOURCE = re.compile(r"arn:aws:states:::[a-z0-9-]+:[A-Za-z]+(?:\.sync|\.sync:2|\.waitForTaskToken)?")
_PATH = re.compile(r"\$\$?(?:\.[A-Za-z_]\w*|\[\d+\]|\['[^']+'\])*")
_CALL = re.compile(r"States\.([A-Za-z0-9]+)\(")
_INTRINSICS = {
    "Array": (0, 99),
    "ArrayContains": (2, 2),
    "ArrayGetItem": (2, 2),
    "Format": (1, 99),
    "JsonMerge": (3, 3),
    "JsonToString": (1, 1),
    "StringSplit": (2, 2),
    "StringToJson": (1, 1),
    "UUID": (0, 0),
}
"""Functions, and how many arguments they take."""


def problems(machine: Mapping[str, Any]) -> list[str]:
    """All that Step Functions would refuse, each with the state it is in; an empty list for a good machine."""
    states = machine.get("States")
    if not isinstance(states, dict) or not states:
        return ["there are no States"]
    found = [] if machine.get("StartAt") in states else [f"StartAt names no state: {machine.get('StartAt')}"]
    for name, state in states.items():
        found += [f"{name}: {problem}" for problem in _state_problems(state, states)]
    reached = _reached(machine.get("StartAt"), states)
    found += [f"{name}: no state leads here" for name in states if name not in reached]
    if not any(_ends(state) for state in states.values()):
        found.append("no state ends the machine")
    return found


def _state_problems(state: Mapping[str, Any], states: Mapping[str, Any]) -> Iterator[str]:
    kind = state.get("Type")
    if kind not in _FIELDS:
        yield f"unknown Type {kind}"
        return
    transition = set() if kind in _ENDS | {"Choice"} else {"Next", "End"}
    for field in state:
        if field not in _FIELDS[str(kind)] | transition | {"Type", "Comment"}:
            yield f"{kind} has no field {field}"
    if transition and ("Next" in state) == bool(state.get("End")):
        yield "there must be Next or End, and not both"
    for target in _targets(state):
        if target not in states:
            yield f"it leads to {target}, which is not a state"
    if kind == "Task" and not _RESOURCE.fullmatch(str(state.get("Resource"))):
        yield f"Resource {state.get('Resource')} is not an integration"
    for retry in state.get("Retry", ()):
        if not retry.get("ErrorEquals"):
            yield "Retry without ErrorEquals"
    for key in ("Parameters", "ResultSelector"):
        yield from _value_problems(state.get(key))
    path = state.get("ResultPath")
    if isinstance(path, str) and not _PATH.fullmatch(path):
        yield f"ResultPath {path} is not a path"


def _value_problems(value: Any) -> Iterator[str]:
    """Keys that end in ``.$`` hold a path or a call of an intrinsic function."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key.endswith(".$"):
                reason = expression_problem(str(inner))
                if reason:
                    yield f"{key}: {reason}"
            else:
                yield from _value_problems(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _value_problems(inner)


def expression_problem(text: str) -> str | None:
    """What is wrong with a path, or with a call of an intrinsic function; ``None`` for a good one."""
    try:
        rest = _expression(text.strip())
    except ValueError as error:
        return str(error)
    return f"unexpected {rest!r}" if rest else None


def _expression(text: str) -> str:
    """Read one expression; what follows it. Raises ``ValueError``."""
    if text.startswith("'"):
        match = re.match(r"'(?:[^'\\]|\\.)*'", text)
        if match is None:
            raise ValueError(f"a text without end: {text}")
        return text[match.end() :].lstrip()
    if text.startswith("$"):
        match = _PATH.match(text)
        return text[match.end() :].lstrip() if match else text
    number = re.match(r"-?\d+(?:\.\d+)?|true|false|null", text)
    if number:
        return text[number.end() :].lstrip()
    call = _CALL.match(text)
    if call is None:
        raise ValueError(f"neither a path nor a function: {text}")
    return _arguments(call[1], text[call.end() :].lstrip())


def _arguments(name: str, text: str) -> str:
    if name not in _INTRINSICS:
        raise ValueError(f"unknown function States.{name}")
    count = 0
    while not text.startswith(")"):
        text = _expression(text)
        count += 1
        if text.startswith(","):
            text = text[1:].lstrip()
        elif not text.startswith(")"):
            raise ValueError(f"States.{name} is not closed")
    least, most = _INTRINSICS[name]
    if not least <= count <= most:
        raise ValueError(f"States.{name} does not take {count} arguments")
    return text[1:].lstrip()


def _targets(state: Mapping[str, Any]) -> Iterator[str]:
    yield from (state[key] for key in ("Next", "Default") if key in state)
    yield from (catch.get("Next") for catch in state.get("Catch", ()))
    yield from (choice.get("Next") for choice in state.get("Choices", ()))


def _reached(start: Any, states: Mapping[str, Any]) -> set[str]:
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name in states and name not in reached:
            reached.add(name)
            waiting += _targets(states[name])
    return reached


def _ends(state: Mapping[str, Any]) -> bool:
    return bool(state.get("End")) or state.get("Type") in _ENDS
