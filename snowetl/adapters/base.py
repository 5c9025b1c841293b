"""What an adapter is: a description, and a function from a collector payload to raw events or failures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from snowetl.model import badrow
from snowetl.model.badrow import Message
from snowetl.model.payload import CollectorPayload, RawEvent
from snowetl.model.schema import SchemaKey


class Failures(list[Message]):
    """Why a payload gives no events: the messages of its bad row, at least one (see ``snowetl.model.badrow``)."""


Outcome = list[RawEvent] | Failures
Adapt = Callable[[CollectorPayload], Outcome]


class Checker(Protocol):
    """One schema, ready to validate."""

    @property
    def key(self) -> SchemaKey: ...
    def fits(self, data: Any, /) -> bool: ...
    def check(self, data: Any) -> Message | None: ...


class Schemas(Protocol):
    """Where checkers come from (``snowetl.iglu.IgluClient``)."""

    def checker(self, uri: str) -> Checker: ...
    def known(self, uri: str, /) -> Checker | None: ...


class Setup(NamedTuple):
    """What an adapter is built from: the schema registry, and its event schemas (key -> Iglu URI) as configured."""

    iglu: Schemas
    schemas: Mapping[str, str]


@dataclass(frozen=True)
class Adapter:
    """An adapter as the registry and the documentation know it; third-party packages export one of these.

    ``vendor`` and ``version`` are the request path. ``build`` makes the function at work, once per worker. The rest
    describes: ``schemas`` are the default event schemas by key, which ``adaptersSchemas`` overrides under ``group``;
    ``later_schemas`` are those that later releases of the reference changed or added. ``events`` says which value of
    the vendor's type field means which of them.
    """

    name: str
    vendor: str
    version: str
    build: Callable[[Setup], Adapt]
    method: str = "POST"
    content_type: str = "application/json"
    group: str = ""
    schemas: Mapping[str, str] = field(default_factory=dict)
    events: Mapping[str, str] = field(default_factory=dict)
    cleaned: str = ""
    later_schemas: Mapping[str, str] = field(default_factory=dict)
    verbatim: bool = False
    """Whether its parameters are those of the query string and of the JSON body, by the names they have there."""

    @property
    def path(self) -> str:
        return f"/{self.vendor}/{self.version}"


def schema_uris(vendor: str, version: str, *names: str) -> dict[str, str]:
    """Default schemas of one vendor, all of one version: key (which is the schema's name) -> Iglu URI."""
    return {name: f"iglu:{vendor}/{name}/jsonschema/{version}" for name in names}


def input_failure(field: str, value: str | None, expectation: str) -> Failures:
    """A single InputData failure, the most common end of an adapter."""
    return Failures((badrow.input_data(field, value, expectation),))
