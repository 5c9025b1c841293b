"""Self-describing JSON inside events, as msgspec reads it. A module of its own: mypyc cannot compile its structs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from snowetl.jvm import jsontext
from snowetl.model.schema import SchemaKey


class ParsedEntity(msgspec.Struct, gc=False, forbid_unknown_fields=True):  # type: ignore[call-arg, unused-ignore]
    """A self-describing JSON inside an event: the URI of its schema and its data."""

    uri: str = msgspec.field(name="schema")
    data: Any

    @property
    def key(self) -> SchemaKey:
        return SchemaKey.parse(self.uri)


class Contexts(msgspec.Struct, gc=False, forbid_unknown_fields=True):  # type: ignore[call-arg, unused-ignore]
    """What a column of contexts holds."""

    uri: str = msgspec.field(name="schema")
    data: list[ParsedEntity]


class Unstruct(msgspec.Struct, gc=False, forbid_unknown_fields=True):  # type: ignore[call-arg, unused-ignore]
    """What ``unstruct_event`` holds."""

    uri: str = msgspec.field(name="schema")
    data: ParsedEntity


class _Unread(ParsedEntity, gc=False, forbid_unknown_fields=True):  # type: ignore[call-arg, unused-ignore]
    data: msgspec.Raw


class _UnreadContexts(Contexts, gc=False, forbid_unknown_fields=True):  # type: ignore[call-arg, unused-ignore]
    data: list[_Unread]  # type: ignore[assignment]


class _UnreadUnstruct(Unstruct, gc=False, forbid_unknown_fields=True):  # type: ignore[call-arg, unused-ignore]
    data: _Unread


class Readers(NamedTuple):
    """How the columns are read; each gives ``None`` for text of another form."""

    contexts: Callable[[str], Contexts | None]
    unstruct: Callable[[str], Unstruct | None]


WHOLE = Readers(jsontext.exact_reader(Contexts), jsontext.exact_reader(Unstruct))
SCHEMAS_ONLY = Readers(jsontext.raw_reader(_UnreadContexts), jsontext.raw_reader(_UnreadUnstruct))
"""Check the data of entities, but do not read it: for those who ask only which schemas there are."""
