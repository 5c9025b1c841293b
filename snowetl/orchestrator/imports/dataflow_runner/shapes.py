"""What the keys of clusters and playbooks must hold, as the Go structures of Dataflow Runner had them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

TEXT, NUMBER, FLAG, TEXTS_BY_NAME = "a text", "a whole number", "true or false", "keys with texts"


@dataclass(frozen=True)
class ListOf:
    """A list of things of one shape."""

    shape: Any


_EBS = {
    "ebsOptimized": FLAG,
    "ebsBlockDeviceConfigs": ListOf(
        {
            "volumesPerInstance": NUMBER,
            "volumeSpecification": {"iops": NUMBER, "sizeInGB": NUMBER, "volumeType": TEXT},
        }
    ),
}
_CREDENTIALS = {"accessKeyId": TEXT, "secretAccessKey": TEXT}
_TAGS = ListOf({"key": TEXT, "value": TEXT})

CLUSTER = {
    "name": TEXT,
    "logUri": TEXT,
    "region": TEXT,
    "credentials": _CREDENTIALS,
    "roles": {"jobflow": TEXT, "service": TEXT},
    "ec2": {
        "amiVersion": TEXT,
        "keyName": TEXT,
        "location": {"classic": {"availabilityZone": TEXT}, "vpc": {"subnetId": TEXT}},
        "instances": {
            "master": {"type": TEXT, "ebsConfiguration": _EBS},
            "core": {"type": TEXT, "count": NUMBER, "ebsConfiguration": _EBS},
            "task": {"type": TEXT, "count": NUMBER, "bid": TEXT, "ebsConfiguration": _EBS},
        },
    },
    "tags": _TAGS,
    "bootstrapActionConfigs": ListOf({"name": TEXT, "scriptBootstrapAction": {"path": TEXT, "args": ListOf(TEXT)}}),
    "configurations": ListOf({"classification": TEXT, "properties": TEXTS_BY_NAME}),
    "applications": ListOf(TEXT),
    "securityConfiguration": TEXT,
}
PLAYBOOK = {
    "region": TEXT,
    "credentials": _CREDENTIALS,
    "steps": ListOf({"type": TEXT, "name": TEXT, "actionOnFailure": TEXT, "jar": TEXT, "arguments": ListOf(TEXT)}),
    "tags": _TAGS,
}


def problems(value: Any, shape: Any, path: str = "data") -> Iterator[str]:
    """The parts of ``value`` that have another shape. Missing keys and nulls are empty; unknown keys are ignored."""
    if value is None:
        return
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            yield f"{path} must hold keys"
            return
        for key, inner in shape.items():
            yield from problems(value.get(key), inner, f"{path}.{key}")
    elif isinstance(shape, ListOf):
        if not isinstance(value, list):
            yield f"{path} must be a list"
            return
        for index, each in enumerate(value):
            yield from _element_problems(each, shape.shape, f"{path}[{index}]")
    elif not _fits(value, shape):
        yield f"{path} must be {shape}"


def _element_problems(value: Any, shape: Any, path: str) -> Iterator[str]:
    if value is None:
        yield f"{path} must not be null"
    else:
        yield from problems(value, shape, path)


def _fits(value: Any, kind: str) -> bool:
    if kind == NUMBER:
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == FLAG:
        return isinstance(value, bool)
    if kind == TEXTS_BY_NAME:
        return isinstance(value, dict) and all(isinstance(each, str) for each in value.values())
    return isinstance(value, str)
