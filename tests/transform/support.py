"""Enriched lines and registries for the tests of this room."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from snowetl.iglu.failures import NOT_FOUND, LookupHistory, ResolutionFailure
from snowetl.jvm import jsontext
from snowetl.model.badrow import Origin
from snowetl.model.fields import INDEX, NAMES
from snowetl.model.schema import SchemaKey, SchemaVer
from snowetl.transform import event as events
from snowetl.transform.event import Event

ORIGIN = Origin("test", "1.2.3", 1_700_000_000_000)
EVENT_ID = "c6ef3124-b53a-4b13-a233-0088f79dcbcb"
_META = "http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#"
_REQUIRED = {
    "collector_tstamp": "2021-10-14 10:23:45.678",
    "event_id": EVENT_ID,
    "v_collector": "ssc-2.0.0",
    "v_etl": "snowetl-1.0.0",
}


def self_describing(uri: str, data: Any) -> dict[str, Any]:
    return {"schema": uri, "data": data}


def contexts(*entities: Any) -> str:
    wrapper = "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-1"
    return json.dumps(self_describing(wrapper, list(entities)), ensure_ascii=False, separators=(",", ":"))


def unstruct(entity: Any) -> str:
    wrapper = "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0"
    return json.dumps(self_describing(wrapper, entity), ensure_ascii=False, separators=(",", ":"))


def line(**columns: str) -> str:
    """An enriched line: the required columns and those given."""
    values = [""] * len(NAMES)
    for name, text in (_REQUIRED | columns).items():
        values[INDEX[name]] = text
    return "\t".join(values)


def parsed(text: str) -> Event:
    event = events.parse(text)
    assert isinstance(event, Event), event
    return event


class Registry:
    """Schemas by ``vendor/name/version``; whatever is published under a model is its list."""

    def __init__(self, schemas: Mapping[str, Mapping[str, Any]]) -> None:
        self.asked: list[str] = []
        self._schemas: dict[SchemaKey, Any] = {}
        for path, schema in schemas.items():
            vendor, name, version = path.split("/")
            own = {"vendor": vendor, "name": name, "format": "jsonschema", "version": version}
            document = {"$schema": _META, "self": own} | dict(schema)
            key = SchemaKey(vendor, name, "jsonschema", SchemaVer.parse(version))
            self._schemas[key] = jsontext.loads_exact(json.dumps(document))

    def publish(self, vendor: str, name: str, versions: Sequence[Mapping[str, Any]]) -> None:
        """Publish versions 1-0-0, 1-0-1, … of a model, whatever their documents say they are."""
        for number, document in enumerate(versions):
            key = SchemaKey(vendor, name, "jsonschema", SchemaVer(1, 0, number))
            own = {"vendor": vendor, "name": name, "format": "jsonschema", "version": str(key.version)}
            self._schemas[key] = dict(document) | {"$schema": _META, "self": own}

    def schema(self, key: SchemaKey) -> Any | ResolutionFailure:
        self.asked.append(key.uri)
        return self._schemas.get(key, _missing())

    def schema_list(self, vendor: str, name: str, model: int) -> list[SchemaKey] | ResolutionFailure:
        self.asked.append(f"{vendor}/{name}/{model}")
        found: Sequence[SchemaKey] = sorted(
            key for key in self._schemas if key[:2] == (vendor, name) and key.version.model == model
        )
        return list(found) or _missing()


def _missing() -> ResolutionFailure:
    return ResolutionFailure({"Test": LookupHistory((NOT_FOUND,), 1, 0)})
