"""Which entities are shredded to TSV and which to JSON (RDB Loader 5.6.3 ``Formats``)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

from snowetl.errors import ConfigError
from snowetl.model.schema import SchemaCriterion, SchemaKey


@dataclass(frozen=True)
class Formats:
    """``default`` is ``TSV`` or ``JSON``; the lists name schemas that differ.

    ``skip`` does not skip, as in the reference: under default TSV its entities are written as JSON.
    """

    default: str = "TSV"
    tsv: tuple[SchemaCriterion, ...] = ()
    json: tuple[SchemaCriterion, ...] = ()
    skip: tuple[SchemaCriterion, ...] = ()

    @classmethod
    def parse(
        cls,
        default: str = "TSV",
        tsv: Iterable[str] = (),
        json: Iterable[str] = (),
        skip: Iterable[str] = (),
    ) -> Formats:
        """Read the configuration. Raises :class:`ConfigError` for a wrong criterion or overlapping lists."""
        if default not in ("TSV", "JSON"):
            raise ConfigError(f"formats.default is {default!r}: it must be TSV or JSON")
        formats = cls(default, _criterions("tsv", tsv), _criterions("json", json), _criterions("skip", skip))
        overlapping = formats.overlaps()
        if overlapping:
            shown = ", ".join(str(criterion) for criterion in overlapping)
            raise ConfigError(
                "Following schema criterions overlap in different groups (TSV, JSON, skip): "
                f"{shown}. Make sure every schema can have only one format"
            )
        return formats

    def is_tabular(self, key: SchemaKey) -> bool:
        """Whether entities of a schema are written as TSV."""
        if self.default == "JSON":
            return any(criterion.matches(key) for criterion in self.tsv)
        return not any(criterion.matches(key) for criterion in (*self.json, *self.skip))

    def overlaps(self) -> list[SchemaCriterion]:
        """Criterions that share schemas with one of another list."""
        found: list[SchemaCriterion] = []
        for ours, theirs in combinations((self.tsv, self.json, self.skip), 2):
            for one in ours:
                for other in theirs:
                    if overlap(one, other):
                        found += [criterion for criterion in (one, other) if criterion not in found]
        return found


def _criterions(name: str, texts: Iterable[str]) -> tuple[SchemaCriterion, ...]:
    criterions = []
    for text in texts:
        try:
            criterions.append(SchemaCriterion.parse(text))
        except ValueError:
            raise ConfigError(
                f"formats.{name}: {text!r} is not a schema criterion such as iglu:com.acme/event/jsonschema/1-*-*"
            ) from None
    return tuple(criterions)


def overlap(one: SchemaCriterion, other: SchemaCriterion) -> bool:
    """Whether a schema could match both."""
    same_name = one[:3] == other[:3]
    return same_name and all(a is None or b is None or a == b for a, b in zip(one[3:], other[3:], strict=True))
