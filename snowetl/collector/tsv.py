"""Lines of tab-separated values, for an adapter to read (enrich 3.9.0 ``TsvLoader``)."""

from __future__ import annotations

from snowetl.collector.loader import Loaded, Loader, LoaderOptions, as_line, body_payload
from snowetl.collector.path import parse_path
from snowetl.model.badrow import Origin

_HEADERS = ("#Version:", "#Fields:")


class TsvLoader(Loader):
    """The whole line is the payload's body. Its adapter is the vendor/version of those who can read it."""

    name = "tsv"
    takes_adapter = True
    tells_apart = False  # any line is a good one

    def __init__(self, origin: Origin, options: LoaderOptions) -> None:
        super().__init__(origin)
        self._api = parse_path(options.adapter)

    def load(self, record: bytes | str) -> Loaded:
        line = as_line(record)
        if line.startswith(_HEADERS):
            return None
        if isinstance(self._api, dict):
            return self.violations(line, self._api)
        return body_payload(self.name, self._api, line)
