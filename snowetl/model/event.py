"""The enriched event: 131 texts in column order, read like a mapping from column to text."""

from __future__ import annotations

import json
from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from typing import Any, Final, NamedTuple, TypeVar

from mypy_extensions import mypyc_attr

from snowetl.errors import ConfigError
from snowetl.model.fields import FIELDS, INDEX, NAMES
from snowetl.model.schema import SchemaCriterion, SchemaKey, self_describing

_T = TypeVar("_T")

_EMPTY: Final[tuple[str, ...]] = ("",) * len(FIELDS)
_ENTITY_COLUMNS: Final = ("contexts", "derived_contexts")


@mypyc_attr(native_class=False)  # mypyc has no subclasses of str
class _Empty(str):
    __slots__ = ()


EMPTY: Final = _Empty()
"""A column that holds empty text rather than null: both look the same in the TSV, but not in bad rows."""


class SelfDescribingData(NamedTuple):
    """Data and the schema it conforms to (iglu-core ``SelfDescribingData``). ``data`` is parsed JSON."""

    schema: SchemaKey
    data: Any


@mypyc_attr(allow_interpreted_subclasses=True)
class EnrichedEvent:
    """One enriched event (enrich 3.9.0 ``EnrichedEvent``): a mapping from 131 columns to their text, ``None`` if empty.

    ``texts`` holds the text of each column as it stands in the TSV; ``""`` is null (the TSV cannot tell them apart).
    ``pii`` is the text of the PII transformation event, which never is a column of the output.
    """

    __slots__ = ("pii", "texts")
    __hash__ = None  # type: ignore[assignment]  # columns can be set

    def __init__(self, texts: list[str] | None = None) -> None:
        self.texts = list(_EMPTY) if texts is None else texts
        self.pii = ""

    @classmethod
    def from_tsv(cls, line: str) -> EnrichedEvent:
        """Read an enriched line, with or without its line end. Raises ``ConfigError`` unless it has 131 columns."""
        texts = line.removesuffix("\n").removesuffix("\r").split("\t")
        if len(texts) != len(FIELDS):
            raise ConfigError(
                f"An enriched event has {len(FIELDS)} tab-separated columns; this line has {len(texts)}: {line[:80]!r}"
            )
        return cls(texts)

    def to_tsv(self) -> str:
        """The enriched line, without line end: 131 texts joined by tabs."""
        return "\t".join(self.texts)

    def to_dict(self) -> dict[str, str | None]:
        """All 131 columns by name, in order; empty ones are ``None``."""
        return {name: text or None for name, text in zip(NAMES, self.texts, strict=True)}

    def entities(self, criterion: str | SchemaCriterion | None = None) -> list[SelfDescribingData]:
        """The entities of ``contexts``, then those of ``derived_contexts``, as parsed JSON with their schemas.

        ``criterion`` keeps those of one family of schemas: ``iglu:com.acme/cart/jsonschema/1-*-*``. Raises
        ``ConfigError`` when it is not a schema criterion.
        """
        wanted = _criterion(criterion) if isinstance(criterion, str) else criterion
        found = [entity for column in _ENTITY_COLUMNS for entity in self._contents(column)]
        return [entity for entity in found if wanted is None or wanted.matches(entity.schema)]

    def self_describing_event(self) -> SelfDescribingData | None:
        """The self-describing event of ``unstruct_event``; ``None`` for events of other types."""
        contents = self._contents("unstruct_event")
        return contents[0] if contents else None

    def _contents(self, column: str) -> list[SelfDescribingData]:
        """What the envelope in a column holds: nothing if it is empty. Raises ``ConfigError`` if it is damaged."""
        text = self.texts[INDEX[column]]
        if not text:
            return []
        try:
            _, data = self_describing(json.loads(text))
            items = data if isinstance(data, list) else [data]
            return [SelfDescribingData(*self_describing(item)) for item in items]
        except ValueError as error:
            raise ConfigError(f"Column {column} does not hold self-describing JSON ({error}): {text[:80]!r}") from None

    def __getitem__(self, column: str) -> str | None:
        """Text of a column, ``None`` where empty. Raises ``KeyError`` for a name that is not a column."""
        return self.texts[INDEX[column]] or None

    def __setitem__(self, column: str, text: str | None) -> None:
        self.texts[INDEX[column]] = text or ""

    def __contains__(self, column: object) -> bool:
        return column in INDEX

    def __iter__(self) -> Iterator[str]:
        return iter(NAMES)

    def __len__(self) -> int:
        return len(NAMES)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, EnrichedEvent):
            return self.texts == other.texts
        if isinstance(other, Mapping):
            return self.to_dict() == other
        return NotImplemented

    def get(self, column: str, default: _T | None = None) -> str | _T | None:
        """Text of a column, ``None`` where empty; ``default`` for a name that is not a column."""
        return self[column] if column in INDEX else default

    def keys(self) -> KeysView[str]:
        return self.to_dict().keys()

    def values(self) -> ValuesView[str | None]:
        return self.to_dict().values()

    def items(self) -> ItemsView[str, str | None]:
        return self.to_dict().items()

    def __repr__(self) -> str:
        filled = {name: text for name, text in zip(NAMES, self.texts, strict=True) if text}
        return f"EnrichedEvent({filled!r})"


Mapping.register(EnrichedEvent)  # by name only: the base class would make every event slower


def _criterion(text: str) -> SchemaCriterion:
    try:
        return SchemaCriterion.parse(text)
    except ValueError as error:
        raise ConfigError(f"{error}. Write iglu:VENDOR/NAME/FORMAT/1-*-*, a * for each part of the version.") from None
