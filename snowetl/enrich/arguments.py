"""Checks the arguments of ``EnrichConfig.load`` first, so that the message names the wrong argument."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from snowetl.problems import Problems

Check = Callable[[Any], bool]


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _yes_or_no(value: Any) -> bool:
    return isinstance(value, bool)


def _bytes(value: Any) -> bool:
    return _whole(value) and value > 0


def _pair_of_texts(value: Any) -> bool:
    return isinstance(value, (tuple, list)) and len(value) == 2 and all(isinstance(text, str) for text in value)


def _limits(value: Any) -> bool:
    return isinstance(value, Mapping) and all(_whole(limit) and limit >= 0 for limit in value.values())


_CHECKS: Mapping[str, tuple[Check, str]] = {
    "input_format": (lambda value: isinstance(value, str), "the name of a format, such as 'thrift'"),
    "etl_tstamp": (lambda value: _whole(value) or isinstance(value, datetime), "epoch milliseconds, or a datetime"),
    "processor": (_pair_of_texts, "a name and a version, such as ('my-pipeline', '1.0.0')"),
    "accept_invalid": (_yes_or_no, "True or False"),
    "pii_events": (_yes_or_no, "True or False"),
    "failed_events": (_yes_or_no, "True or False"),
    "legacy_enrichment_order": (_yes_or_no, "True or False"),
    "try_base64": (_yes_or_no, "True or False"),
    "atomic_limits": (_limits, "a length for each of some columns, such as {'page_title': 2000}"),
    "max_record_bytes": (_bytes, "a number of bytes, above 0"),
    "max_output_bytes": (_bytes, "a number of bytes, above 0"),
}
_OPTIONAL = ("etl_tstamp", "atomic_limits", "max_record_bytes")


def check_arguments(**given: Any) -> None:
    """Raise ``ConfigError`` that names every argument of the wrong type, and what it must be."""
    problems = Problems()
    for name, value in given.items():
        right, expected = _CHECKS[name]
        if not right(value) and not (value is None and name in _OPTIONAL):
            problems.add(f"{name} is {value!r:.80}; it must be {expected}")
    problems.check()
