"""Enrichment configurations: read from wherever they lie and checked; one message names all that is wrong.

The reference stops at the first fault, at a disabled one too, and passes over names it does not know. Here a disabled
configuration stops nothing, and an enabled one of an unknown name is a mistake (a misspelt name would go unnoticed).
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from snowetl import documents
from snowetl.documents import Document
from snowetl.enrich.enrichments import registered
from snowetl.enrich.enrichments.base import Enrichment, Older
from snowetl.enrich.enrichments.parameters import SNOWPLOW, check_schema, not_supported
from snowetl.errors import ConfigError
from snowetl.iglu.client import IgluClient
from snowetl.iglu.config import ResolverConfig
from snowetl.iglu.failures import ErrorJson, describe
from snowetl.model.schema import ParseError, SchemaCriterion, SchemaKey, self_describing
from snowetl.problems import Problems, did_you_mean

_log = logging.getLogger("snowetl")

_CONTAINER = SchemaCriterion(SNOWPLOW, "enrichments", "jsonschema", 1, 0, None)
_WHAT = "the enrichments"
_ADVICE = "Make the registry reachable, or correct its address in the resolver configuration, and run again."


@dataclass(frozen=True, slots=True)
class _Element:
    """One piece of configuration (an enrichment, or a container of them), and where it stands."""

    document: Document
    path: tuple[str | int, ...]
    json: Any

    def where(self, *inside: str | int) -> str:
        place = self.document.locate((*self.path, *inside))
        index = next((step for step in reversed(self.path) if isinstance(step, int)), None)
        return place if index is None else f"{place}, enrichment {index + 1}"


def load(source: Any, resolver: ResolverConfig, now: int) -> tuple[Enrichment, ...]:
    """The enabled enrichments of ``source``: a folder, a file, an address, JSON text, parsed JSON, base64, or ``None``.

    Raises :class:`ConfigError` that lists everything wrong, and ``RegistryUnavailable``.
    """
    if source is None:
        return ()
    if isinstance(source, str) and not source.strip():
        raise ConfigError(
            "The enrichments are empty: give a folder, a file, or JSON; leave them out to run without any"
        )
    return _Loader(resolver, now).load(documents.read_all(source, _WHAT))


class _Loader:
    def __init__(self, resolver: ResolverConfig, now: int) -> None:
        self._iglu = IgluClient(resolver, now=now, advice=_ADVICE)
        self._own = IgluClient(ResolverConfig.default(), now=now)
        self._known = registered()
        self._problems = Problems()

    def load(self, read: list[Document]) -> tuple[Enrichment, ...]:
        found: dict[str, Enrichment] = {}
        for element in self._elements(read):
            with self._problems.gathered():
                one = self._enrichment(element)
                if one is None:
                    continue
                name = one.criterion.name
                if getattr(one, "several", False):
                    name = f"{name} {len(found)}"
                if name in found:
                    _log.warning("%s: another configuration of %s came before; this one counts", element.where(), name)
                found[name] = one
        self._problems.check()
        return tuple(found.values())

    def _elements(self, read: list[Document]) -> Iterator[_Element]:
        """Single enrichments, those in lists and containers (``…/enrichments/jsonschema/1-0-*``) taken out."""
        for document in read:
            value = document.value
            listed = value if isinstance(value, list) else None
            elements = [_Element(document, (), value)]
            if listed is not None:
                elements = [_Element(document, (place,), item) for place, item in enumerate(listed)]
            for element in elements:
                if _is_container(element.json):
                    with self._problems.gathered():
                        items = self._contained(element)
                        yield from (
                            _Element(document, (*element.path, "data", place), item) for place, item in enumerate(items)
                        )
                else:
                    yield element

    def _contained(self, element: _Element) -> list[Any]:
        key, data = _described(element)
        if not _CONTAINER.matches(key):
            raise ConfigError(f"{element.where()}: Schema criterion {_CONTAINER} does not match schema {key}")
        self._validate(element, key, data)
        return data if isinstance(data, list) else []

    def _enrichment(self, element: _Element) -> Enrichment | None:
        """``None`` for one that is disabled, whatever else is wrong with it."""
        key, data = _described(element)
        disabled = isinstance(data, dict) and data.get("enabled") is False
        kind = self._known.get(key.name)
        if disabled and kind is None:
            return None
        try:
            if kind is None:
                raise ConfigError(f"{element.where('schema')}: {self._unknown(key.name)}")
            return self._parsed(element, key, data, kind)
        except ConfigError as error:
            if not disabled:
                raise
            _log.warning("%s (it is disabled, so it stops nothing)", error)
            return None

    def _parsed(self, element: _Element, key: SchemaKey, data: Any, kind: type[Enrichment]) -> Enrichment | None:
        older = _older(key, kind)
        try:
            if older is None:
                check_schema(key, kind.criterion)
        except ConfigError as error:
            raise ConfigError(f"{element.where('schema')}: {error}") from None
        self._validate(element, key, data)
        if not isinstance(data, dict):
            raise ConfigError(f"{element.where('data')}: the data of {key.name} must be an object")
        if data.get("enabled") is False:
            return None
        if older is not None:
            data = self._renewed(element, key, data, kind, older)
        try:
            one = kind.parse(key, data)
        except ConfigError as error:
            raise ConfigError(f"{element.where('data', 'parameters')}: {key.name}: {error}") from None
        for extra, module in one.needs().extras:
            if importlib.util.find_spec(module.partition(".")[0]) is None:
                raise ConfigError(f"{element.where()}: {key.name} needs pip install 'snowetl[{extra}]'")
        return one

    def _renewed(
        self, element: _Element, key: SchemaKey, data: dict[str, Any], kind: type[Enrichment], older: Older
    ) -> dict[str, Any]:
        try:
            renewed = older(data)
        except ConfigError as advice:
            raise ConfigError(f"{element.where('schema')}: {not_supported(key, kind.criterion)} {advice}") from None
        _log.warning("%s: %s is read as %s", element.where("schema"), key, kind.criterion)
        return renewed

    def _unknown(self, name: str) -> str:
        return f"there is no enrichment {name}{did_you_mean(name, self._known)}"

    def _validate(self, element: _Element, key: SchemaKey, data: Any) -> None:
        """Against its own schema, from the registries, else from this package. Raises :class:`ConfigError`."""
        client = self._iglu
        error = client.checker(key.uri).check(data)
        if error is not None and error["error"] == "ResolutionError":
            own = self._own.checker(key.uri).check(data)
            if own is None or own["error"] != "ResolutionError":
                client, error = self._own, own
        if error is None:
            return
        if error["error"] == "ResolutionError":
            raise ConfigError(f"{element.where('schema')}: no registry has the schema {key}. {describe(error)}")
        schema = client.schema(key)
        problems = Problems()
        for path, reason in _faults(error, schema if isinstance(schema, dict) else {}):
            problems.add(f"{element.where('data', *path)}: {key.name}: {reason}")
        problems.check()


def _older(key: SchemaKey, kind: type[Enrichment]) -> Older | None:
    """How to read a configuration of a model before today's; ``None`` for any other."""
    models: Mapping[int, Older] = getattr(kind, "older", {})
    criterion = kind.criterion._replace(model=key.version.model)
    return models.get(key.version.model) if criterion.matches(key) else None


def _is_container(value: Any) -> bool:
    schema = value.get("schema") if isinstance(value, dict) else None
    return isinstance(schema, str) and schema.startswith(f"iglu:{SNOWPLOW}/enrichments/")


def _described(element: _Element) -> tuple[SchemaKey, Any]:
    try:
        return self_describing(element.json)
    except ParseError as error:
        raise ConfigError(
            f"{element.where()}: {error.code}: an enrichment must be JSON like "
            f'{{"schema": "iglu:{SNOWPLOW}/anon_ip/jsonschema/1-0-0", "data": {{…}}}}'
        ) from None


# --- validation errors in words -----------------------------------------------------------------------------------


def _faults(error: ErrorJson, schema: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    """(path inside the data, what is wrong there) of each report."""
    if "dataReports" not in error:
        yield (), describe(error)
        return
    for report in error["dataReports"]:
        path = tuple((report["path"] or "$").split(".")[1:])
        targets = report.get("targets") or []
        if report["keyword"] == "additionalProperties":
            known = _properties(schema, path)
            for name in targets:
                yield (*path, name), f"{_dotted(*path, name)} is unknown{did_you_mean(name, known)}"
        elif report["keyword"] == "required":
            for name in targets:
                yield path, f"{_dotted(*path, name)} is missing"
        else:
            yield path, str(report["message"]).removeprefix("$.")


def _dotted(*path: str) -> str:
    return ".".join(path)


def _properties(schema: Any, path: tuple[str, ...]) -> list[str]:
    """The keys a schema knows at ``path``."""
    for step in path:
        properties = schema.get("properties") if isinstance(schema, dict) else None
        schema = properties.get(step) if isinstance(properties, dict) else None
    properties = schema.get("properties") if isinstance(schema, dict) else None
    return list(properties) if isinstance(properties, dict) else []
