"""Wide rows as lines of JSON."""

from __future__ import annotations

from snowetl.jvm import jsontext
from snowetl.transform import eventjson
from snowetl.transform.event import Event
from snowetl.transform.layouts.base import Settings, collector_tstamp, types_of
from snowetl.transform.rows import WideLine


class WideJson:
    """Events with one key per schema model. No registry is asked."""

    def __init__(self, settings: Settings) -> None: ...

    def rows(self, event: Event) -> WideLine:
        return WideLine(jsontext.dumps(eventjson.wide_row(event)), types_of(event), collector_tstamp(event))
