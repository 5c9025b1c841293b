"""Bad rows, to be sent through the pipeline again: their requests as they were read, before what made them bad."""

from __future__ import annotations

from typing import Any, ClassVar

from snowetl.collector.bad_row_record import (
    FAULTS,
    OF_EVENTS,
    OF_REQUESTS,
    Found,
    Json,
    kind_of,
    mended_payload,
    payload_of,
    read_bad_row,
    record_of,
    with_clean_querystring,
)
from snowetl.collector.loader import Loaded, Loader, LoaderOptions, as_line
from snowetl.jvm import jsontext
from snowetl.model import badrow
from snowetl.model.badrow import BadRow, Origin
from snowetl.model.payload import CollectorPayload
from snowetl.recovery import Recoveries, RecoveryFailure
from snowetl.storage.records import TextForm


class BadRowsLoader(Loader):
    """The payload of a bad row of a request or an event. A record that could not be read is read again by the loader of
    its format: the one the bad row names, or the one behind the slash. A bad row that holds neither (a size violation,
    an event that the transform refused) stays the bad row it is.

    With recoveries, as Event Recovery does it: a bad row is mended first, and one that cannot be mended, or that no
    flow is for, becomes a ``recovery_error``.
    """

    name = "bad-rows"
    takes_format = True
    tells_apart = False
    text: ClassVar[TextForm] = TextForm(objects=True)

    def __init__(self, origin: Origin, options: LoaderOptions) -> None:
        super().__init__(origin)
        self._loader_of = options.loader_of
        self._given = options.adapter
        self._recoveries = options.recoveries
        self._loaders: dict[str, Loader] = {}

    def load(self, record: bytes | str) -> Loaded:
        line = as_line(record)
        if not line.strip():
            return None
        outer = read_bad_row(line)
        bad_row = _innermost(outer)
        if bad_row is None:
            return self.violations(line, badrow.simple_error("it is not a bad row"))
        if self._recoveries is not None:
            try:
                return self._mended(bad_row, self._recoveries)
            except RecoveryFailure as failure:
                return [badrow.recovery_error(self.origin, str(failure), dict(bad_row), _times_tried(outer) + 1)]
        try:
            payload = payload_of(bad_row)
        except FAULTS:
            payload = None
        if payload is not None:
            return payload
        return self._read_again(bad_row) or [BadRow(bad_row["schema"], dict(bad_row["data"]))]

    def _mended(self, bad_row: Json, recoveries: Recoveries) -> CollectorPayload:
        """The request of a bad row that a configuration mends. Raises :class:`RecoveryFailure`."""
        steps = recoveries.steps_for(bad_row)
        payload = self._to_mend(bad_row)
        for step in steps:
            payload = step.apply(payload)
        try:
            return mended_payload(bad_row, payload)
        except FAULTS as fault:
            raise RecoveryFailure(f"Unable to serialize data to thrift: {fault}") from None

    def _to_mend(self, bad_row: Json) -> Any:
        """What steps look at: the payload of a bad row; of a record that could not be read, what it is now."""
        kind = kind_of(bad_row)
        if kind in (*OF_REQUESTS, *OF_EVENTS):
            return bad_row["data"].get("payload")
        if kind != "collector_payload_format_violation":
            name = "".join(word.capitalize() for word in kind.split("_"))
            raise RecoveryFailure(f"Failed to recover bad row of type {name}.")
        given = self._loader(self._given) if self._given else None
        found = record_of(bad_row, binary=given is not None and given.binary)
        if isinstance(found, Found) and isinstance(found.record, bytes):
            found = found._replace(record=with_clean_querystring(found.record))
        loader = self._loader((found.input_format if isinstance(found, Found) else None) or self._given)
        loaded = loader.load(found.record) if loader is not None and isinstance(found, Found) else None
        if not isinstance(loaded, CollectorPayload):
            why = f" {jsontext.dumps(loaded[0].data['failure'])}" if loaded else ""
            raise RecoveryFailure(f"Failed to recover bad row of type CollectorPayloadFormatViolation.{why}")
        return badrow.collector_payload_json(loaded)

    def decode_useragent(self, text: str) -> str:
        """As the format of the raw logs has it."""
        given = self._loader(self._given) if self._given else None
        return text if given is None else given.decode_useragent(text)

    def _read_again(self, bad_row: Json) -> Loaded:
        """What the record of a bad row is now, if it can be read; else nothing."""
        given = self._loader(self._given) if self._given else None
        found = record_of(bad_row, binary=given is not None and given.binary)
        if not isinstance(found, Found):
            return None
        loader = given if found.input_format is None else self._loader(found.input_format)
        loaded = loader.load(found.record) if loader is not None else None
        return None if isinstance(loaded, list) else loaded

    def _loader(self, input_format: str) -> Loader | None:
        if input_format not in self._loaders and self._loader_of is not None:
            self._loaders[input_format] = self._loader_of(input_format)
        return self._loaders.get(input_format)


def _times_tried(bad_row: Json | None) -> int:
    """How often a ``recovery_error`` was tried before."""
    tried = bad_row["data"].get("recoveries") if bad_row is not None else None
    return tried if isinstance(tried, int) else 0


def _innermost(bad_row: Json | None) -> Json | None:
    """The row within a ``recovery_error``, which is one that could not be mended."""
    inner = bad_row["data"].get("payload") if bad_row is not None and "/recovery_error/" in bad_row["schema"] else None
    if isinstance(inner, dict) and isinstance(inner.get("schema"), str) and isinstance(inner.get("data"), dict):
        return inner
    return bad_row
