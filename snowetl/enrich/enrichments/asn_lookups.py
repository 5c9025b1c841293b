"""asn_lookups: is the autonomous system of the address one of hosting providers? (Enrich 6.9.0, its documentation)."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, ClassVar

from snowetl.enrich.draft import Draft, Entity
from snowetl.enrich.enrichments import parameters
from snowetl.enrich.enrichments.base import Asset, Enrichment, Needs, Place, Step, configuration
from snowetl.enrich.enrichments.parameters import ENRICHMENTS, Parameters
from snowetl.enrich.services import Services
from snowetl.errors import AssetError
from snowetl.jvm import jsontext
from snowetl.model.fields import INDEX
from snowetl.model.schema import SchemaCriterion, SchemaKey

ASN = "iglu:com.snowplowanalytics.snowplow/asn/jsonschema/1-0-0"
"""What ip_lookups adds."""
MARKED = "iglu:com.snowplowanalytics.snowplow/asn/jsonschema/1-0-1"

_PLATFORM = INDEX["platform"]
_NUMBER = "number"


@configuration
class AsnLookupsConf:
    """``file`` (CSV with a header that names the column ``number``) and ``numbers`` are the systems of bots.

    Events of the platforms ``bypassed`` are left alone.
    """

    criterion: ClassVar[SchemaCriterion] = parameters.criterion("asn_lookups", vendor=ENRICHMENTS)
    place: ClassVar[Place] = Place(196)

    schema_key: SchemaKey
    file: Asset | None
    numbers: frozenset[int]
    bypassed: frozenset[str]

    @classmethod
    def parse(cls, key: SchemaKey, data: dict[str, Any]) -> AsnLookupsConf:
        given = Parameters(data)
        found = data.get("parameters") or {}
        none: tuple[str, ...] = ()
        bypassed = given.optional("parameters.bypassPlatforms", parameters.texts, none)
        file = None
        if found.get("botAsnsFile") is not None:
            file = given.asset("parameters.botAsnsFile.uri", "parameters.botAsnsFile.database", "asn_botAsnsFile")
        numbers = given.optional("parameters.botAsns", _numbers, frozenset[int]())
        given.check()
        return cls(key, file, numbers, frozenset(bypassed))

    def needs(self) -> Needs:
        return Needs(files=() if self.file is None else (self.file,))

    def open(self, services: Services) -> AbstractContextManager[Step]:
        listed = frozenset[int]() if self.file is None else frozenset(_read(services.files[self.file.uri]))
        return nullcontext(AsnLookups(self.numbers | listed, self.bypassed))


ENRICHMENT: type[Enrichment] = AsnLookupsConf


def _numbers(value: Any) -> frozenset[int]:
    """list of objects with the integer asn."""
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise ValueError(f"{jsontext.dumps(value)[:100]} is not a list of objects")
    return frozenset(parameters.integer(item.get("asn")) for item in value)


def _read(path: Path) -> Iterator[int]:
    """The numbers of a file. Raises ``AssetError`` that names the line it cannot read."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if _NUMBER not in (rows.fieldnames or ()):
                raise AssetError(f"asn_lookups: {path} has no column '{_NUMBER}'. Its first line must be: number,name")
            for row in rows:
                try:
                    yield int((row[_NUMBER] or "").strip().upper().removeprefix("AS"))
                except ValueError:
                    raise AssetError(
                        f"asn_lookups: {path}, line {rows.line_num}: '{row[_NUMBER]}' is not the number of a system"
                    ) from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise AssetError(f"asn_lookups: {path} cannot be read: {error}") from None


class AsnLookups:
    """The step. It marks the entity of ip_lookups; an event without one is left alone."""

    def __init__(self, numbers: frozenset[int], bypassed: frozenset[str]) -> None:
        self._numbers = numbers
        self._bypassed = bypassed

    def __call__(self, draft: Draft) -> None:
        if draft.values[_PLATFORM] in self._bypassed:
            return
        for place, entity in enumerate(draft.entities):
            if entity.schema == ASN:
                data = jsontext.loads(entity.json)["data"]
                if data["number"] in self._numbers:
                    marked = {"schema": MARKED, "data": data | {"likelyBot": True}}
                    draft.entities[place] = Entity(MARKED, jsontext.dumps(marked))
