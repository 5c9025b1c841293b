"""What later releases of the reference changed in the data people have: one table, switch by switch and era by era.

An era is a release of Snowplow Enrich. Its values hold for every switch that is not given by itself. What later
releases only add or repair needs no switch: it is always on (``docs/compatibility.md``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from snowetl.errors import ConfigError
from snowetl.jvm.jsontext import MAX_DEPTH
from snowetl.model.fields import LATER_LENGTHS

ERAS = ("3.9", "6")
DEFAULT_ERA = "3.9"
"""The reference of everything else here, and what the tables of people who come from a pipeline hold."""

ATOMIC_LIMITS: Mapping[str, Mapping[str, int]] = {
    "3.9": {},
    "6": LATER_LENGTHS,
}
"""Lengths of columns, by era, where they are not those of ``model.fields``."""

BY_KIND, ONE_BAD_ROW = "by-kind", "one-bad-row"
CHECK, SKIP = "check", "skip"


class Switch(NamedTuple):
    """One change. ``name`` is the setting, ``release`` where the reference made it, ``values`` one for each era.

    ``choices`` are all values it takes; none: a whole number.
    """

    name: str
    release: str
    change: str
    choices: tuple[str, ...]
    values: Mapping[str, str | int]


SWITCHES = (
    Switch(
        "atomic_limits",
        "4.0.0",
        "`page_url` and `page_referrer` may have 10,000 characters (was 4,096), `mkt_clickid` 1,000 (was 128)",
        ERAS,
        {"3.9": "3.9", "6": "6"},
    ),
    Switch(
        "webhook_schemas",
        "4.1.0, 4.2.1",
        "Events of Mandrill get later versions of their schemas; `delivered` is an event",
        ERAS,
        {"3.9": "3.9", "6": "6"},
    ),
    Switch(
        "violations",
        "4.2.0",
        "What 3.9.0 makes `enrichment_failures` of, a kind at a time (parameters that cannot be read, entities of "
        "enrichments that are invalid, texts that are too long), is in one `schema_violations` bad row with what else "
        "is invalid",
        (BY_KIND, ONE_BAD_ROW),
        {"3.9": BY_KIND, "6": ONE_BAD_ROW},
    ),
    Switch(
        "max_json_depth",
        "5.1.1",
        "`unstruct_event` and `contexts` nested deeper than 40 levels are violations; before, any depth that can be "
        "read was taken",
        (),
        {"3.9": MAX_DEPTH, "6": 40},
    ),
    Switch(
        "iab_unknown_clients",
        "6.8.0",
        "The IAB enrichment judges events without a known IP address by their user agent, and takes those without a "
        "user agent for no robots (`check`); before, it left both alone (`skip`)",
        (CHECK, SKIP),
        {"3.9": CHECK, "6": CHECK},
    ),
)


@dataclass(frozen=True, slots=True)
class Compatibility:
    """The value of every switch. Make one with :meth:`of`."""

    atomic_limits: str
    webhook_schemas: str
    violations: str
    max_json_depth: int
    iab_unknown_clients: str

    @classmethod
    def of(cls, era: str = DEFAULT_ERA, **given: Any) -> Compatibility:
        """The values of an era, but for the switches in ``given`` that are not ``None``. Raises ``ConfigError``."""
        if era not in ERAS:
            raise ConfigError(f"compatibility is {era!r:.80}; it must be {' or '.join(ERAS)}")
        unknown = sorted(set(given) - {switch.name for switch in SWITCHES})
        if unknown:
            known = ", ".join(switch.name for switch in SWITCHES)
            raise ConfigError(f"compatibility: there is no switch {', '.join(unknown)}; there are {known}")
        return cls(**{switch.name: _value(switch, era, given.get(switch.name)) for switch in SWITCHES})

    @classmethod
    def named(cls, given: Compatibility | str) -> Compatibility:
        """The compatibility of an era, given by name; an instance is returned unchanged. Raises ``ConfigError``."""
        return given if isinstance(given, Compatibility) else cls.of(given)

    @property
    def one_bad_row(self) -> bool:
        return self.violations == ONE_BAD_ROW

    @property
    def depth_limit(self) -> int | None:
        """``max_json_depth``; ``None`` if JSON that deep cannot be read anyway."""
        return self.max_json_depth if self.max_json_depth < MAX_DEPTH else None

    def lengths(self, others: Mapping[str, int] | None = None) -> dict[str, int]:
        """Lengths of columns that are not those of ``model.fields``; ``others`` come on top."""
        return {**ATOMIC_LIMITS[self.atomic_limits], **(others or {})}


def _value(switch: Switch, era: str, given: Any) -> Any:
    if given is None:
        return switch.values[era]
    if switch.choices:
        right, expected = given in switch.choices, " or ".join(switch.choices)
    else:
        right, expected = type(given) is int and given > 0, "a whole number, 1 or more"
    if not right:
        raise ConfigError(f"{switch.name} is {given!r:.80}; it must be {expected}")
    return given
