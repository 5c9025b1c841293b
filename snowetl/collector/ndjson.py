"""Lines of JSON, for an adapter to read (enrich 3.9.0 ``NdjsonLoader``)."""

from __future__ import annotations

import re
from typing import ClassVar

from snowetl.collector.loader import Loaded, Loader, LoaderOptions, as_line, body_payload
from snowetl.collector.path import parse_path
from snowetl.jvm import jsontext
from snowetl.model import badrow
from snowetl.model.badrow import Origin
from snowetl.storage.records import TextForm

_LINE_END = re.compile("\r?\n")


class NdjsonLoader(Loader):
    """The whole line is the payload's body; it must be JSON. Its adapter as for TSV."""

    name = "ndjson"
    takes_adapter = True
    text: ClassVar[TextForm] = TextForm(objects=True)

    def __init__(self, origin: Origin, options: LoaderOptions) -> None:
        super().__init__(origin)
        self._api = parse_path(options.adapter)

    def load(self, record: bytes | str) -> Loaded:
        line = as_line(record)
        if not line:
            return None
        if "\n" in line:
            parts = _LINE_END.split(line)
            while parts and not parts[-1]:
                parts.pop()
            if not parts:
                return None
            if len(parts) > 1:
                return self.violations(line, badrow.simple_error(f"expected a single line, found {len(parts)}"))
        try:
            jsontext.loads_exact(line)
        except jsontext.JsonError as error:
            return self.violations(line, badrow.simple_error(f"invalid json: {error}"))
        if isinstance(self._api, dict):
            return self.violations(line, self._api)
        return body_payload(self.name, self._api, line)
