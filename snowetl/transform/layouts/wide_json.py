"""Wide rows as lines of JSON."""

from __future__ import annotations

from snowetl.transform import eventjson
from snowetl.transform.event import Event
from snowetl.transform.layouts.base import Settings
from snowetl.transform.rows import WideLine


class WideJson:
    """Events with one key per schema model. No registry is asked."""

    def __init__(self, settings: Settings) -> None: ...

    def rows(self, event: Event) -> WideLine:
        return WideLine(event, eventjson.wide_line(event))
