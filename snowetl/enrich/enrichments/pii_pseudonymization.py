"""pii_pseudonymization: personal data become salted hashes (enrich 3.9.0 ``PiiPseudonymizerEnrichment``)."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import field
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

from snowetl.enrich.draft import Draft
from snowetl.enrich.enrichments import parameters
from snowetl.enrich.enrichments.base import Enrichment, Needs, Older, Place, Step, configuration
from snowetl.enrich.enrichments.parameters import ENRICHMENTS, Parameters
from snowetl.enrich.services import Services
from snowetl.jvm import big_decimal, jsontext, md2
from snowetl.jvm.json_path import JsonPath, PathFault, compile_path
from snowetl.jvm.strings import to_utf8
from snowetl.model.event import EMPTY
from snowetl.model.fields import INDEX
from snowetl.model.schema import ParseError, SchemaCriterion, SchemaKey

_SCALARS = frozenset(
    {
        *("user_id", "user_ipaddress", "user_fingerprint", "domain_userid", "network_userid", "domain_sessionid"),
        *("ip_organization", "ip_domain", "tr_orderid", "ti_orderid", "mkt_term", "mkt_content", "mkt_clickid"),
        *("se_category", "se_action", "se_label", "se_property", "refr_domain_userid"),
    }
)
_JSONS = frozenset(("contexts", "derived_contexts", "unstruct_event"))
_UNSTRUCT_EVENT = "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0"
_TRANSFORMATION = "iglu:com.snowplowanalytics.snowplow/pii_transformation/jsonschema/1-0-0"
_ANONYMOUS = "sp-anonymous"
_OF_LISTS = re.compile(r"\?\(.*\s(?:contains|size|empty|subsetof|anyof|noneof)[\s\[]", re.IGNORECASE | re.DOTALL)
_log = logging.getLogger("snowetl")
_REMEMBERED = 10_000
_REMEMBERED_LENGTH = 1_024

Digest = Callable[[bytes], str]

_HASHES: dict[str, Digest] = {
    "MD2": lambda data: md2.digest(data).hex(),
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False).hexdigest(),
    "SHA-1": lambda data: hashlib.sha1(data, usedforsecurity=False).hexdigest(),
    "SHA-256": lambda data: hashlib.sha256(data).hexdigest(),
    "SHA-384": lambda data: hashlib.sha384(data).hexdigest(),
    "SHA-512": lambda data: hashlib.sha512(data).hexdigest(),
}


class ScalarField(NamedTuple):
    """A column whose whole text is hashed."""

    column: str


class JsonField(NamedTuple):
    """What ``path`` selects in the ``data`` of those entities of a column whose schema ``criterion`` matches."""

    column: str
    criterion: SchemaCriterion
    path: str


@configuration
class PiiConf:
    """``fields`` are applied in their order, each to what the one before left: a field listed twice is hashed twice.

    ``emits`` asks for an event that tells original and hashed values; ``anonymous_only`` (2-0-1) leaves requests
    without the header ``SP-Anonymous`` as they are. 1-0-0 knew neither salt nor events.
    """

    criterion: ClassVar[SchemaCriterion] = parameters.criterion("pii_enrichment_config", model=2, vendor=ENRICHMENTS)
    place: ClassVar[Place] = Place(250)
    older: ClassVar[dict[int, Older]] = {1: lambda data: data}

    schema_key: SchemaKey
    fields: tuple[ScalarField | JsonField, ...]
    hash: str
    salt: str = field(repr=False)
    emits: bool = False
    anonymous_only: bool = False

    @classmethod
    def parse(cls, key: SchemaKey, data: dict[str, Any]) -> PiiConf:
        given = Parameters(data)
        no_fields: list[Any] = []
        listed = given.read("parameters.pii", _entries, no_fields)
        hash_ = given.read("parameters.strategy.pseudonymize.hashFunction", parameters.text, "")
        first = key.version.model == 1
        salt = "" if first else given.read("parameters.strategy.pseudonymize.salt", parameters.text, "")
        emits = False if first else given.read("emitEvent", parameters.boolean, False)
        anonymous_only = given.optional("anonymousOnly", parameters.boolean, False)
        fields = tuple(_field(entry, given) for entry in listed)
        if hash_ and hash_ not in _HASHES:
            given.fault(f"parameters.strategy.pseudonymize.hashFunction: {hash_} is not one of {', '.join(_HASHES)}")
        given.check()
        return cls(key, tuple(one for one in fields if one is not None), hash_, salt, emits, anonymous_only)

    def needs(self) -> Needs:
        return Needs(secrets=(self.salt,))

    def open(self, services: Services) -> AbstractContextManager[Step]:
        return nullcontext(PiiPseudonymization(self))


ENRICHMENT: type[Enrichment] = PiiConf


def _entries(value: Any) -> list[Any]:
    """list."""
    if not isinstance(value, list):
        raise ValueError(f"{jsontext.dumps(value)} is not a list")
    return value


def _field(entry: Any, given: Parameters) -> ScalarField | JsonField | None:
    """An element of ``parameters.pii``; one that cannot be read is a fault, in the reference's words."""
    entry = entry if isinstance(entry, dict) else {}
    scalar, json = entry.get("pojo"), entry.get("json")
    if isinstance(scalar, dict) and scalar.get("field") in _SCALARS:
        return ScalarField(scalar["field"])
    if isinstance(json, dict) and json.get("field") in _JSONS:
        try:
            criterion = SchemaCriterion.parse(str(json.get("schemaCriterion")))
            path = str(json.get("jsonPath") or "")
            if compile_path(path).is_root:
                raise PathFault("it selects the whole entity; name the properties to hash")
            if _OF_LISTS.search(path):
                _log.warning(
                    "pii_enrichment_config: jsonPath '%s': in filters all lists of an event are empty, as they are in "
                    "Enrich, so it may hash nothing. Select with [*] and compare single values",
                    path,
                )
            return JsonField(json["field"], criterion, path)
        except PathFault as fault:
            given.fault(f"parameters.pii: jsonPath '{json.get('jsonPath')}': {fault}")
        except ValueError as fault:
            given.fault(f"parameters.pii: {fault}")
        return None
    given.fault(
        f"PII Configuration: pii field does not include 'pojo' nor 'json' fields. Got: [{jsontext.dumps(entry)}]"
    )
    return None


class _Change(NamedTuple):
    """A value that was hashed. ``path`` and ``schema`` are those of a JSON field."""

    column: str
    original: str
    modified: str
    path: str = ""
    schema: str = ""


class PiiPseudonymization:
    """The step. It runs last, so that nothing but the output sees the hashes (bad rows keep the original values)."""

    def __init__(self, conf: PiiConf) -> None:
        digest, salt = _HASHES[conf.hash], to_utf8(conf.salt)

        def pseudonym(text: str) -> str:
            return digest(to_utf8(text) + salt)

        self._conf = conf
        self._pseudonym = pseudonym
        self._remembered = lru_cache(maxsize=_REMEMBERED)(pseudonym)
        self._fields = [_Scalar(one) if isinstance(one, ScalarField) else _Json(one) for one in conf.fields]

    def __call__(self, draft: Draft) -> None:
        if self._conf.anonymous_only and not _is_anonymous(draft):
            return
        columns = _Columns(draft)
        changes = [change for one in self._fields for change in one.apply(columns, self._hash)]
        columns.write_back()
        if changes and self._conf.emits:
            draft.event.pii = _transformation(changes, self._conf.hash)

    def _hash(self, text: str) -> str:
        return self._remembered(text) if len(text) <= _REMEMBERED_LENGTH else self._pseudonym(text)


class _Columns:
    """The columns of an event; JSON ones are parsed once and printed once, however many fields touch them."""

    def __init__(self, draft: Draft) -> None:
        self.values = draft.values
        self._documents: dict[int, Any] = {}

    def document(self, index: int) -> Any:
        """The parsed JSON of a column, ``None`` for an empty one."""
        if index not in self._documents:
            text = self.values[index]
            parsed = jsontext.loads_exact(text) if text else None
            self._documents[index] = big_decimal.reprinted(parsed, big_decimal.to_string)
        return self._documents[index]

    def write_back(self) -> None:
        for index, document in self._documents.items():
            if document is not None:
                self.values[index] = jsontext.dumps(document)


class _Scalar:
    def __init__(self, field: ScalarField) -> None:
        self._column = field.column
        self._index = INDEX[field.column]

    def apply(self, columns: _Columns, pseudonym: Callable[[str], str]) -> list[_Change]:
        original = columns.values[self._index]
        if not original and original is not EMPTY:
            return []
        columns.values[self._index] = modified = pseudonym(original)
        return [_Change(self._column, original, modified)]


class _Json:
    def __init__(self, field: JsonField) -> None:
        self._column = field.column
        self._index = INDEX[field.column]
        self._path_text = field.path
        self._path: JsonPath = compile_path(field.path)
        self._matches = lru_cache(maxsize=_REMEMBERED)(_matcher(field.criterion))

    def apply(self, columns: _Columns, pseudonym: Callable[[str], str]) -> list[_Change]:
        document = columns.document(self._index)
        data = document.get("data") if isinstance(document, dict) else None
        changes: list[_Change] = []
        for entity in data if isinstance(data, list) else [data]:
            schema = entity.get("schema") if isinstance(entity, dict) else None
            if isinstance(entity, dict) and isinstance(schema, str) and self._matches(schema):
                found = entity["data"] = big_decimal.reprinted(entity.get("data"), big_decimal.stripped)
                for original, modified in _replace(self._path, found, pseudonym):
                    changes.append(_Change(self._column, original, modified, self._path_text, schema))
        return changes


def _matcher(criterion: SchemaCriterion) -> Callable[[str], bool]:
    def matches(uri: str) -> bool:
        try:
            return criterion.matches(SchemaKey.parse(uri))
        except ParseError:
            return False

    return matches


def _replace(path: JsonPath, data: Any, pseudonym: Callable[[str], str]) -> list[tuple[str, str]]:
    """Hash what the path selects in ``data``, in place: texts of properties, and the texts of selected arrays.

    A text that is selected as the element of an array stays, as in the reference. All places are found before any is
    changed: an array that is replaced takes no later change of its elements.
    """
    changes: list[tuple[str, str]] = []

    def hashed(text: str) -> str:
        changes.append((text, pseudonym(text)))
        return changes[-1][1]

    for container, key in path.updates(data):
        value = container[key]  # type: ignore[index]
        if isinstance(value, list):
            container[key] = [hashed(item) if isinstance(item, str) else item for item in value]  # type: ignore[index]
        elif isinstance(value, str) and isinstance(container, dict):
            container[key] = hashed(value)  # type: ignore[index]
    return changes


def _is_anonymous(draft: Draft) -> bool:
    return any(header.partition(":")[0].strip().lower() == _ANONYMOUS for header in draft.raw.payload.headers)


def _transformation(changes: list[_Change], hash_: str) -> str:
    """The self-describing event that tells what was changed, the latest first."""
    scalars, jsons = [], []
    for change in reversed(changes):
        told = {"fieldName": change.column, "originalValue": change.original, "modifiedValue": change.modified}
        if change.schema:
            jsons.append(told | {"jsonPath": change.path, "schema": change.schema})
        else:
            scalars.append(told)
    pii = {name: told for name, told in (("pojo", scalars), ("json", jsons)) if told}
    data = {"pii": pii, "strategy": {"pseudonymize": {"hashFunction": hash_}}}
    inner = {"schema": _TRANSFORMATION, "data": data}
    return jsontext.dumps({"schema": _UNSTRUCT_EVENT, "data": inner})
