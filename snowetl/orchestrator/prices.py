"""What a run costs: by the hours it takes, or by what EMR Serverless bills for it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from snowetl.settings import Kind
from snowetl.settings.kinds import shown

_UNIT = re.compile(r"\s*(vcpu|gb|storage)\s*=\s*([0-9.eE+-]+)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What EMR Serverless bills: hours of a vCPU, of a GB of memory, of a GB of storage beyond what is free."""

    vcpu_hours: float = 0.0
    gb_hours: float = 0.0
    storage_gb_hours: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            vcpu_hours=self.vcpu_hours + other.vcpu_hours,
            gb_hours=self.gb_hours + other.gb_hours,
            storage_gb_hours=self.storage_gb_hours + other.storage_gb_hours,
        )

    def times(self, factor: float) -> Usage:
        return Usage(
            vcpu_hours=self.vcpu_hours * factor,
            gb_hours=self.gb_hours * factor,
            storage_gb_hours=self.storage_gb_hours * factor,
        )

    @property
    def text(self) -> str:
        return f"{self.vcpu_hours:,.2f} vCPU hours, {self.gb_hours:,.2f} GB hours"


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """In whatever currency: what an ``hour`` of one run costs, or else an hour of a vCPU, of a GB of memory and of a GB
    of storage."""

    hour: float | None = None
    vcpu: float = 0.0
    gb: float = 0.0
    storage: float = 0.0

    def of(self, seconds: float | None, usage: Usage | None) -> float | None:
        """What so much costs; ``None`` where what is priced is not known."""
        if self.hour is not None:
            return None if seconds is None else round(seconds / 3600 * self.hour, 4)
        if usage is None:
            return None
        cost = usage.vcpu_hours * self.vcpu + usage.gb_hours * self.gb + usage.storage_gb_hours * self.storage
        return round(cost, 4)

    def to_json(self) -> float | str:
        if self.hour is not None:
            return self.hour
        storage = f",storage={self.storage!r}" if self.storage else ""
        return f"vcpu={self.vcpu!r},gb={self.gb!r}{storage}"

    @property
    def text(self) -> str:
        if self.hour is not None:
            return f"{self.hour:,.2f} an hour"
        return f"{self.vcpu:g} a vCPU hour, {self.gb:g} a GB hour"


@dataclass(frozen=True)
class Prices(Kind):
    """An amount, or amounts by unit: ``vcpu=0.05,gb=0.006``."""

    metavar: str = "AMOUNT|vcpu=AMOUNT,gb=AMOUNT"

    def parse(self, value: Any) -> Price:
        if isinstance(value, Price):
            return value
        units = [_UNIT.fullmatch(part) for part in value.split(",")] if isinstance(value, str) else []
        if not units or None in units:
            return Price(hour=_amount(value, value))
        found = {match[1].lower(): _amount(match[2], value) for match in units if match is not None}
        if len(found) < len(units) or not {"vcpu", "gb"} <= found.keys():
            raise ValueError(
                f"{shown(value)} must name vcpu and gb once each, and may name storage: vcpu=0.05,gb=0.006"
            )
        return Price(**found)

    def to_json(self, value: Any) -> Any:
        return value.to_json()

    def json_schema(self) -> dict[str, Any]:
        return {"type": ["number", "string"], "minimum": 0}


def _amount(text: Any, given: Any) -> float:
    try:
        amount = float(text)
    except (TypeError, ValueError):
        amount = -1.0
    if not 0 <= amount < float("inf") or isinstance(text, bool):
        raise ValueError(f"{shown(given)} is not an amount such as 1.25, nor amounts such as vcpu=0.05,gb=0.006")
    return amount
