"""The last check: no text column longer than the atomic schema allows (``AtomicFieldsLengthValidator``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from snowetl.errors import ConfigError
from snowetl.jvm.strings import utf16_length
from snowetl.model import badrow
from snowetl.model.badrow import Message
from snowetl.model.fields import FIELDS, INDEX

_HEADLINE: Final = "Enriched event does not conform to atomic schema field's length restrictions"


class TooLong(NamedTuple):
    """A column whose text is longer than its limit. ``name`` is what the rule is called: see :class:`LengthCheck`."""

    column: int
    name: str
    limit: int

    @property
    def text(self) -> str:
        return f"Field {self.name} longer than maximum allowed size {self.limit}"


class LengthCheck:
    """Compares the texts of all limited columns with their limits.

    ``limits`` override the defaults by column name (characters, > 0). The reference's slip is kept: the limit of
    ``event_id`` is applied to the column ``event``.
    """

    def __init__(self, limits: Mapping[str, int] | None = None) -> None:
        overrides = dict(limits or {})
        limited = {field.name: field.max_length for field in FIELDS if field.max_length is not None}
        unknown = sorted(set(overrides) - set(limited))
        if unknown:
            raise ConfigError(f"atomic limits: no length limit exists for {', '.join(unknown)}")
        self._rules = [
            TooLong(INDEX["event" if name == "event_id" else name], name, overrides.get(name, limit))
            for name, limit in limited.items()
        ]
        self._columns = [rule.column for rule in self._rules]
        self._halves = [rule.limit // 2 for rule in self._rules]

    def check(self, values: list[str]) -> list[TooLong]:
        """The columns that are too long, in column order.

        A text of half as many characters as are allowed fits, whatever they are; only a longer one is measured.
        """
        longer = [
            rule
            for rule, column, half in zip(self._rules, self._columns, self._halves)  # noqa: B905 (strict costs time)
            if len(values[column]) > half
        ]
        return [rule for rule in longer if utf16_length(values[rule.column]) > rule.limit]


def failures(too_long: Sequence[TooLong]) -> list[Message]:
    """What an ``enrichment_failures`` bad row says of them, headed by a general message."""
    texts = [_HEADLINE, *(one.text for one in too_long)] if too_long else []
    return [badrow.enrichment_message(badrow.simple_error(text)) for text in texts]
