"""The last check: no text column longer than the atomic schema allows (``AtomicFieldsLengthValidator``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
    """Compares all limited columns, in one expression that is generated from the limits: each event pays for it.

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
        self._all_fit = _all_fit(self._rules)

    def check(self, values: list[str]) -> list[TooLong]:
        """The columns that are too long, in column order."""
        if self._all_fit(values):
            return []
        return [rule for rule in self._rules if utf16_length(values[rule.column]) > rule.limit]


def _all_fit(rules: Sequence[TooLong]) -> Callable[[list[str]], bool]:
    """Whether no column is too long: ``(len(v[0]) < 128 or utf16_length(v[0]) <= 255) and …``.

    A text of half as many characters as are allowed fits, whatever they are; only a longer one is measured.
    """
    fits = (f"(len(v[{at}]) <= {limit // 2:d} or utf16_length(v[{at}]) <= {limit:d})" for at, _, limit in rules)
    check: Callable[[list[str]], bool] = eval(f"lambda v: {' and '.join(fits)}", {"utf16_length": utf16_length})
    return check


def failures(too_long: Sequence[TooLong]) -> list[Message]:
    """What an ``enrichment_failures`` bad row says of them, headed by a general message."""
    texts = [_HEADLINE, *(one.text for one in too_long)] if too_long else []
    return [badrow.enrichment_message(badrow.simple_error(text)) for text in texts]
