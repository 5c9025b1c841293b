"""Event specifications as a tracking plan states them, read from a file: which events there are, and what they hold.

The form is that of the data products Snowplow's CLI downloads (YAML or JSON): one, or a list of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from snowetl import documents
from snowetl.errors import ConfigError
from snowetl.iglu.validation import Validator, compile_schema
from snowetl.model.schema import ParseError, SchemaKey
from snowetl.problems import Problems

_LONGEST = 254

DataStructure = tuple[str, str, str, int]
"""Vendor, name, format and model: versions of one model are one data structure."""


class EntityRule(NamedTuple):
    """How many entities of a data structure an event has (``most`` may be unlimited), and what each must fulfil."""

    schema: SchemaKey
    least: int
    most: int | None
    instructions: Validator | None


class Specification(NamedTuple):
    """An event as planned. ``version`` is ``None`` where the file tells none; without ``apps`` it is of all of them."""

    id: str
    version: int | None
    about: dict[str, Any]
    """The data of the entity ``event_specification``."""
    apps: frozenset[str]
    event: SchemaKey
    instructions: Validator | None
    entities: tuple[EntityRule, ...]


def structure(key: SchemaKey) -> DataStructure:
    return key.vendor, key.name, key.format, key.version.model


def read_plan(path: Path) -> list[Specification]:
    """The specifications of a file. Raises ``ConfigError`` that names all that is wrong in it."""
    document = documents.read(path, "the event specifications", variables=False)
    plans = document.value if isinstance(document.value, list) else [document.value]
    problems = Problems()
    found: list[Specification] = []
    for plan in plans:
        with problems.gathered():
            data = plan.get("data") if isinstance(plan, dict) else None
            if not isinstance(data, dict) or not isinstance(data.get("eventSpecifications"), list):
                raise ConfigError(f"{path} is not a data product: it must have data.eventSpecifications, a list")
            for place, one in enumerate(data["eventSpecifications"]):
                with problems.gathered():
                    found.append(_Reader(f"{path}: eventSpecifications[{place}]", plan, data).read(one))
    seen = set()
    for one in found:
        if (one.id, one.version) in seen:
            problems.add(f"{path}: the event specification {one.id} is there twice; give each its own 'version'")
        seen.add((one.id, one.version))
    problems.check()
    return found


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


class _Reader:
    """Reads one specification of a data product."""

    def __init__(self, where: str, plan: dict[str, Any], data: dict[str, Any]) -> None:
        self._where = where
        self._product = {
            "data_product_id": plan.get("resourceName"),
            "data_product_name": data.get("name"),
            "data_product_domain": data.get("domain"),
        }
        self._data = data

    def read(self, one: Any) -> Specification:
        if not isinstance(one, dict):
            raise self._fault("must be an object")
        id_, version = one.get("resourceName"), one.get("version")
        if not isinstance(id_, str) or not id_:
            raise self._fault("resourceName is missing: it is the id of the specification")
        if version is not None and not (type(version) is int and 0 <= version < 2**31):
            raise self._fault(f"version is {version!r:.100}, not a whole number")
        event = one.get("event")
        event = event.get("tracked", event) if isinstance(event, dict) else event
        key, instructions = self._source("event", event)
        about = {"id": id_, "name": one.get("name"), **self._product, "version": version}
        for name, value in about.items():
            if name != "version" and value is not None and not (isinstance(value, str) and len(value) <= _LONGEST):
                raise self._fault(f"{name} is {value!r:.100}, not a text of at most {_LONGEST} characters")
        return Specification(
            id=id_,
            version=version,
            about={name: value for name, value in about.items() if value not in (None, "")},
            apps=frozenset(self._apps(one)),
            event=key,
            instructions=instructions,
            entities=tuple(self._entities(one.get("entities") or {})),
        )

    def _apps(self, one: dict[str, Any]) -> Iterator[str]:
        """Its own ``appIds``, else those of the data product; those of source applications that stand there in full."""
        for named in (one, self._data):
            apps = _listed(named.get("appIds"))
            for application in named.get("sourceApplications") or []:
                if not isinstance(application, dict) or "appIds" not in application:
                    raise self._fault(
                        "sourceApplications names another file. Write the ids of the applications here: appIds: [web]"
                    )
                apps = [*apps, *_listed(application["appIds"])]
            if apps:
                yield from map(str, apps)
                return

    def _entities(self, given: Any) -> Iterator[EntityRule]:
        if not isinstance(given, dict):
            raise self._fault("entities must be an object with the lists tracked and enriched")
        for kind in ("tracked", "enriched"):
            for place, entity in enumerate(given.get(kind) or []):
                name = f"entities.{kind}[{place}]"
                key, instructions = self._source(name, entity)
                least, most = entity.get("minCardinality"), entity.get("maxCardinality")
                if not all(isinstance(bound, int) or bound is None for bound in (least, most)):
                    raise self._fault(f"{name}: minCardinality and maxCardinality must be whole numbers")
                yield EntityRule(key, least or 0, most, instructions)

    def _source(self, name: str, given: Any) -> tuple[SchemaKey, Validator | None]:
        """The schema it is of, and what its values must fulfil beyond that."""
        source = given.get("source") if isinstance(given, dict) else None
        if not isinstance(source, str):
            raise self._fault(f"{name}.source is missing: the schema, such as iglu:com.acme/click/jsonschema/1-0-0")
        try:
            key = SchemaKey.parse(source)
        except ParseError as error:
            raise self._fault(f"{name}.source: {error.code}: {source!r:.200}") from None
        schema = given.get("schema")
        if schema is None:
            return key, None
        compiled = compile_schema(schema)
        if isinstance(compiled, list):
            raise self._fault(f"{name}.schema is not a JSON Schema: {compiled[0]}")
        return key, compiled

    def _fault(self, what: str) -> ConfigError:
        return ConfigError(f"{self._where}: {what}")
