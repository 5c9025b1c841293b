"""Which adapter takes which payload, and the bad row for what no adapter can use (enrich 3.9.0 ``AdapterRegistry``)."""

from __future__ import annotations

from snowetl.adapters import catalogue
from snowetl.adapters.base import Adapt, Failures, Outcome, Schemas, Setup, input_failure
from snowetl.adapters.remote import RemoteAdaptersConfig
from snowetl.adapters.schemas import Overrides, resolve_schemas
from snowetl.model import badrow
from snowetl.model.badrow import BadRow, Origin
from snowetl.model.payload import CollectorPayload, RawEvent


class AdapterRegistry:
    """Turns payloads into raw events. Build one per worker.

    ``schemas`` overrides default event schemas (``adaptersSchemas``), which are those of 3.9.0 or, with ``later``, of
    today; ``remote`` names adapters that run behind HTTP.
    Where several claim one path, remote adapters win over those of installed packages, and these over built-in ones.
    Raises :class:`~snowetl.errors.ConfigError` for a configuration that cannot be used.
    """

    def __init__(
        self,
        iglu: Schemas,
        origin: Origin,
        *,
        schemas: Overrides | None = None,
        remote: RemoteAdaptersConfig | None = None,
        later: bool = False,
    ) -> None:
        self._origin = origin
        adapters = catalogue.every()
        uris = resolve_schemas(adapters, schemas, later=later)
        self._adapters: dict[tuple[str, str], Adapt] = {
            (adapter.vendor, adapter.version): adapter.build(Setup(iglu, uris.get(adapter.group, {})))
            for adapter in adapters
        }
        self._verbatim = {(adapter.vendor, adapter.version) for adapter in adapters if adapter.verbatim}
        if remote is not None:
            elsewhere = remote.build()
            self._adapters.update(elsewhere)
            self._verbatim -= elsewhere.keys()

    def adapt(self, payload: CollectorPayload) -> list[RawEvent] | BadRow:
        """The payload's events (at least one), or one bad row with everything that is wrong with it."""
        outcome = self._outcome(payload)
        if isinstance(outcome, Failures):
            return badrow.adapter_failure(self._origin, payload, outcome)
        return outcome

    def may_hold(self, payload: CollectorPayload, names: frozenset[str]) -> bool:
        """Whether events of the payload may have a parameter of one of ``names``; told without reading its body."""
        if (payload.vendor, payload.version) not in self._verbatim:
            return True
        body = payload.body or ""
        if "\\u" in body:  # a name may be spelled with it
            return True
        for name in names:
            if f'"{name}"' in body:
                return True
        return not names.isdisjoint([name for name, _ in payload.querystring])

    def _outcome(self, payload: CollectorPayload) -> Outcome:
        adapt = self._adapters.get((payload.vendor, payload.version))
        if adapt is None:
            path = f"{payload.vendor}/{payload.version}"
            return input_failure("vendor/version", path, "vendor/version combination is not supported")
        try:
            return adapt(payload)
        except RecursionError:
            return input_failure("body", payload.body, "nested too deeply")
