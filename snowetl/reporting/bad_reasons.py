"""Bad rows by reason: how many, who sent them, and a few of them whole. Bounded, whatever bad rows hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from snowetl.jvm.strings import to_utf8
from snowetl.model import reasons
from snowetl.model.badrow import BadRow

EXAMPLES = 3
EXAMPLE_CHARS = 4096
OTHER_REASONS = "(other reasons)"
OTHERS = "(others)"
_MAX_REASONS = 100
_MAX_MERGED = 1_000
_MAX_SENDERS = 20


class Reason(NamedTuple):
    """What bad rows have in common: their schema, the field that fails, and what is wrong with it, in words."""

    schema: str
    field: str
    text: str


class Example(NamedTuple):
    """A bad row (its JSON, cut) and the first thing that is wrong with it, with the value."""

    split: int
    number: int
    fault: str
    row: str


@dataclass(slots=True)
class Tally:
    """Of one reason."""

    count: int = 0
    apps: Counter[str] = field(default_factory=Counter)
    trackers: Counter[str] = field(default_factory=Counter)
    examples: list[Example] = field(default_factory=list)

    def merge(self, other: Tally) -> None:
        self.count += other.count
        _add(self.apps, other.apps.items())
        _add(self.trackers, other.trackers.items())
        self.examples = sorted([*self.examples, *other.examples])[:EXAMPLES]


@dataclass(frozen=True, slots=True, kw_only=True)
class BadReason:
    """One reason, as a report shows it. ``examples`` are cut to 4,096 characters, ``faults`` their faults in words."""

    schema: str
    field: str
    reason: str
    count: int
    apps: dict[str, int]
    trackers: dict[str, int]
    faults: list[str]
    examples: list[str]


class BadReasons:
    """The reasons of one split, or of all."""

    __slots__ = ("tallies",)

    def __init__(self, tallies: dict[Reason, Tally] | None = None) -> None:
        self.tallies = {} if tallies is None else tallies

    def keep(self, row: BadRow) -> None:
        """Count a bad row, and keep it if it is among the first of its reason."""
        fault = reasons.first_fault(row.data)
        sender = reasons.sender(row.data)
        kind = fault.kind
        reason = Reason(row.schema_key, _text(kind.field), _text(str(kind)))
        tally = self.tallies.get(reason)
        if tally is None:
            tally = self._new(reason)
        tally.count += 1
        _add(tally.apps, ((_text(sender.app_id), 1),))
        _add(tally.trackers, ((_text(sender.tracker), 1),))
        if len(tally.examples) < EXAMPLES:
            tally.examples.append(Example(0, tally.count, _text(str(fault)), _text(row.to_json()[:EXAMPLE_CHARS])))

    def _new(self, reason: Reason) -> Tally:
        if len(self.tallies) >= _MAX_REASONS:
            reason = Reason(reason.schema, "", OTHER_REASONS)
        return self.tallies.setdefault(reason, Tally())

    def merge(self, split: int, other: BadReasons) -> None:
        """Add the reasons of a split."""
        for reason, tally in other.tallies.items():
            tally.examples = [example._replace(split=split) for example in tally.examples]
            self.tallies.setdefault(reason, Tally()).merge(tally)
        if len(self.tallies) > _MAX_MERGED:
            self._fold(_MAX_MERGED // 2)

    def _fold(self, most: int) -> None:
        """Put the rarest reasons of each schema together."""
        ranked = sorted(self.tallies.items(), key=lambda item: (-item[1].count, item[0]))
        self.tallies = dict(ranked[:most])
        for reason, tally in ranked[most:]:
            other = Reason(reason.schema, "", OTHER_REASONS)
            self.tallies.setdefault(other, Tally()).merge(tally)

    def shown(self) -> list[BadReason]:
        """The commonest reasons first, rare ones together."""
        self._fold(_MAX_REASONS)
        ranked = sorted(self.tallies.items(), key=lambda item: (-item[1].count, item[0]))
        return [
            BadReason(
                schema=reason.schema,
                field=reason.field,
                reason=reason.text,
                count=tally.count,
                apps=dict(sorted(tally.apps.items())),
                trackers=dict(sorted(tally.trackers.items())),
                faults=[example.fault for example in tally.examples],
                examples=[example.row for example in tally.examples],
            )
            for reason, tally in ranked
        ]


def _add(counts: Counter[str], more: Iterable[tuple[str, int]]) -> None:
    for name, count in more:
        if name not in counts and len(counts) >= _MAX_SENDERS:
            name = OTHERS
        counts[name] += count


def _text(text: str) -> str:
    """Half characters replaced: reports are UTF-8."""
    return text if text.isascii() else to_utf8(text).decode("utf-8")
