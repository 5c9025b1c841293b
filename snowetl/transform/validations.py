"""Checks of an event before it is transformed (RDB Loader 5.6.3 ``ShredderValidations``)."""

from __future__ import annotations

from snowetl.jvm.instants import Instant, to_iso
from snowetl.model.fields import INDEX
from snowetl.transform.event import Event

_CHECKED = tuple(
    (name, INDEX[name])
    for name in (
        "collector_tstamp",
        "derived_tstamp",
        "dvce_created_tstamp",
        "dvce_sent_tstamp",
        "etl_tstamp",
        "refr_dvce_tstamp",
        "true_tstamp",
    )
)


def too_old(event: Event, minimum: Instant) -> list[str]:
    """What is wrong with timestamps before ``minimum``, in the reference's words; empty: nothing."""
    errors = []
    for name, index in _CHECKED:
        instant = event.instant(index)
        if instant is not None and instant < minimum:
            errors.append(f"Timestamp {to_iso(instant)} is before than minimum timestamp, at column {name}")
    return errors
