"""What a validation can say: reports, and the crash of a schema that cannot be used."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from snowetl.jvm.map_order import java_hash

_MASK32 = 0xFFFFFFFF

CODES = {
    "additionalProperties": "1001", "allOf": "1002", "anyOf": "1003", "dependencies": "1007", "enum": "1008",
    "format": "1009", "items": "1010", "maximum": "1011", "maxItems": "1012", "maxLength": "1013",
    "maxProperties": "1014", "minimum": "1015", "minItems": "1016", "minLength": "1017", "minProperties": "1018",
    "multipleOf": "1019", "not": "1020", "oneOf": "1022", "pattern": "1023", "required": "1028", "type": "1029",
    "unionType": "1030", "uniqueItems": "1031", "readOnly": "1032", "notAllowed": "1033", "dateTime": "1034",
    "uuid": "1035",
}  # fmt: skip
"""Numbers of the report kinds in the reference's validator; they decide orders."""


ENOUGH = 2000
"""Reports after which an array, or an object with any names, is not looked at further: nobody reads more, and a
megabyte of faults must not become a gigabyte of reports."""


class ValidationCrash(Exception):
    """A schema that blows up while it validates: unresolvable ``$ref``, broken or runaway regular expression."""


class Report(NamedTuple):
    """One fault of an instance. ``schema_path`` only tells equal reports apart; it is not printed."""

    message: str
    path: str
    keyword: str
    targets: tuple[str, ...]
    schema_path: str

    def to_dict(self) -> dict[str, Any]:
        """The report in the key order of bad rows."""
        return {
            "message": self.message,
            "path": self.path,
            "keyword": self.keyword,
            "targets": list(self.targets),
        }


Reports = dict[Report, None]
"""An ordered set."""


def hash_set_order(reports: Iterable[Report]) -> list[Report]:
    """Distinct ``reports`` in the order a ``java.util.HashSet`` iterates over them."""
    distinct = list(dict.fromkeys(reports))
    capacity = hash_capacity(len(distinct))
    return sorted(distinct, key=lambda report: _bucket(_hash_code(report), capacity))


def hash_map_order(names: Iterable[str]) -> list[str]:
    """Distinct ``names`` in the order a ``java.util.HashMap`` iterates over them."""
    distinct = list(dict.fromkeys(names))
    capacity = hash_capacity(len(distinct))
    return sorted(distinct, key=lambda name: _bucket(java_hash(name), capacity))


def hash_capacity(size: int) -> int:
    """Buckets of a Java hash table that grew to ``size`` entries."""
    capacity = 16
    while size > capacity * 3 // 4:
        capacity *= 2
    return capacity


def _bucket(code: int, capacity: int) -> int:
    return (code ^ code >> 16) & (capacity - 1)


def _hash_code(report: Report) -> int:
    targets = 1
    for target in report.targets:
        targets = (31 * targets + java_hash(target)) & _MASK32
    parts = (
        java_hash(report.keyword),
        java_hash(CODES[report.keyword]),
        java_hash(report.path),
        java_hash(report.schema_path),
        0,
        targets,
        java_hash(report.message),
    )
    code = 0
    for part in parts:
        code = (31 * code + part) & _MASK32
    return code
