"""The request an event leads to: address and body made of its values.

Source: enrich 3.9.0 ``apirequest.HttpApi``, ``apirequest.Input``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote_plus

from snowetl.enrich.draft import Draft
from snowetl.enrich.enrichments.event_inputs import Column, Entities, Json, JsonReader
from snowetl.jvm import jsontext
from snowetl.jvm.strings import to_utf8
from snowetl.model.event import EMPTY
from snowetl.model.fields import INDEX

_PLACEHOLDER = re.compile(r"\{\{ *([A-Za-z0-9_-]+) *\}\}", re.ASCII)
_EVENT_CLASS = "com.snowplowanalytics.snowplow.enrich.common.outputs.EnrichedEvent"


class Inputs:
    """The values of an event by key, all of them text."""

    def __init__(self, given: Iterable[tuple[str, Column | Json]]) -> None:
        self._readers: list[tuple[str, int | JsonReader]] = []
        self.faults: list[str] = []
        """What is wrong with the inputs, in the reference's words: every event fails with them."""
        for key, source in given:
            if isinstance(source, Json):
                reader = JsonReader(source, "Error: ")
                self.faults += reader.faults
                self._readers.append((key, reader))
            elif source.field in INDEX:
                self._readers.append((key, INDEX[source.field]))
            else:
                missing = f"java.lang.NoSuchMethodException: {_EVENT_CLASS}.{source.field}()"
                self.faults.append(f"Error accessing POJO input field [{key}]: [{missing}]")

    def read(self, draft: Draft) -> dict[str, str] | None:
        """``None`` where a column is null or no entity fits: the event needs no request. Later equal keys win."""
        values: dict[str, str] = {}
        entities = Entities(draft)
        for key, reader in self._readers:
            if isinstance(reader, int):
                text = draft.values[reader]
                if not text and text is not EMPTY:
                    return None
                values[key] = str(text)
            else:
                found = reader.values(entities)
                if found is None:
                    return None
                values[key] = _text(found[0] if len(found) == 1 else found)
        return values


def _text(value: Any) -> str:
    """An array prints its items as the reference does by mistake: ``Some(1),Some(x)``."""
    written: list[str] = []
    waiting: list[tuple[Any, bool]] = [(value, False)]  # what is next, and whether it is text of ours
    while waiting:
        item, ours = waiting.pop()
        if ours or isinstance(item, str):
            written.append(item)
        elif isinstance(item, list):
            for place in range(len(item) - 1, -1, -1):
                waiting += ((")", True), (item[place], False), (",Some(" if place else "Some(", True))
        else:
            written.append(jsontext.dumps(item))
    return "".join(written)


class UrlTemplate:
    """An address with ``{{ key }}`` in it."""

    def __init__(self, text: str) -> None:
        self.keys = frozenset(_PLACEHOLDER.findall(text))
        self._parts = _PLACEHOLDER.split(text)  # text, key, text, key, …, text
        self._stray = any(brace in part for part in self._parts[::2] for brace in "{}")

    def fill(self, values: Mapping[str, str]) -> str | None:
        """The address; ``None`` where a key has no value, or the template has braces of other use."""
        if self._stray or not self.keys <= values.keys():
            return None
        parts = self._parts.copy()
        parts[1::2] = [_form_encoded(values[key]) for key in parts[1::2]]
        return "".join(parts)


def _form_encoded(text: str) -> str:
    """As ``java.net.URLEncoder``: blank as ``+``, ``*`` as it is, ``~`` as ``%7E``."""
    return quote_plus(to_utf8(text), safe="*").replace("~", "%7E")


def body(method: str, values: Mapping[str, str]) -> bytes | None:
    """All values as a JSON object, for methods that send one."""
    return None if method == "GET" else to_utf8(jsontext.dumps(dict(values)))
