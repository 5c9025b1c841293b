"""The enriched event: 131 texts in column order."""

from __future__ import annotations

from snowetl.model.fields import FIELDS, INDEX, NAMES

_EMPTY: tuple[str, ...] = ("",) * len(FIELDS)


class _Empty(str):
    __slots__ = ()


EMPTY = _Empty()
"""A column that holds empty text rather than null: the same in the TSV, told apart in bad rows."""


class EnrichedEvent:
    """One enriched event (enrich 3.9.0 ``EnrichedEvent``).

    ``values`` holds the text of each column as it stands in the TSV; ``""`` is null (the TSV cannot tell them apart).
    ``pii`` is the text of the PII transformation event, which never is a column of the output.
    """

    __slots__ = ("pii", "values")

    def __init__(self, values: list[str] | None = None) -> None:
        self.values = list(_EMPTY) if values is None else values
        self.pii = ""

    def __getitem__(self, column: str) -> str | None:
        """Text of a column, ``None`` where empty. Raises ``KeyError`` for a name that is no column."""
        return self.values[INDEX[column]] or None

    def __setitem__(self, column: str, text: str | None) -> None:
        self.values[INDEX[column]] = text or ""

    def to_tsv(self) -> str:
        """The enriched line, without line end: 131 values joined by tabs."""
        return "\t".join(self.values)

    def to_dict(self) -> dict[str, str | None]:
        """All 131 columns by name, in order; empty ones are ``None``."""
        return {name: value or None for name, value in zip(NAMES, self.values, strict=True)}

    def __repr__(self) -> str:
        filled = {name: value for name, value in zip(NAMES, self.values, strict=True) if value}
        return f"EnrichedEvent({filled!r})"
