"""Names the rule where we do on purpose what later releases of the reference do: labels for rows of deviations.md."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from snowetl.enrich.compatibility import SKIP, Compatibility
from snowetl.model.event import EnrichedEvent
from tests.conformance.runner import Mismatch

AS_IN_3_9 = Compatibility.of("3.9", iab_unknown_clients=SKIP)
"""With nothing of later releases that a switch turns off."""

_COOKIE = "iglu:org.ietf/http_cookie/jsonschema/1-0-0"
_HEADER = re.compile(r"cookie:", re.IGNORECASE)


def unknown_clients(outcome: list[Mismatch], as_in_3_9: Callable[[], list[Mismatch]]) -> list[Mismatch]:
    """``outcome`` with a label on what is gone in a second run, with :data:`AS_IN_3_9`."""
    if not outcome:
        return outcome
    left = as_in_3_9()
    remaining = {mismatch.field for mismatch in left}
    gone = [mismatch for mismatch in outcome if mismatch.field not in remaining]
    return left + [mismatch._replace(field=f"{mismatch.field}(unknown client)") for mismatch in gone]


def is_other_cookie_header(headers: Iterable[str]) -> bool:
    """Whether there is a cookie header that 3.9.0 did not read for its case."""
    return any(_HEADER.match(header) and not header.startswith("Cookie:") for header in headers)


def cookie_header(mismatch: Mismatch) -> Mismatch:
    """With a label where nothing but entities of cookies is more than expected."""
    expected, got = mismatch.expected, mismatch.got
    if not mismatch.field.endswith(("derived_contexts.data", "contexts")) or not isinstance(got, list):
        return mismatch
    more = list(got)
    for entity in expected:
        if entity not in more:
            return mismatch
        more.remove(entity)
    if not all(entity["schema"] == _COOKIE for entity in more):
        return mismatch
    return mismatch._replace(field=f"{mismatch.field}(cookie header)")


def headset(expected_order: str, results: list[Any]) -> str:
    """The label where every result that is good against expectation is an event of platform ``headset``."""
    if len(expected_order) != len(results):
        return ""
    good = [result for wanted, result in zip(expected_order, results, strict=True) if wanted == "b"]
    turned = [result for result in good if isinstance(result, EnrichedEvent)]
    return "(headset)" if turned and all(event["platform"] == "headset" for event in turned) else ""
