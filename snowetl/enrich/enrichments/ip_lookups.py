"""ip_lookups: place, provider, domain and kind of connection of ``user_ipaddress`` (scala-maxmind-iplookups 0.7.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

from snowetl.caching import Memo
from snowetl.enrich.draft import Draft, Entity
from snowetl.enrich.enrichments import parameters
from snowetl.enrich.enrichments.base import Asset, Enrichment, Needs, Older, Place, Step, configuration
from snowetl.enrich.enrichments.parameters import Parameters
from snowetl.enrich.services import Services
from snowetl.errors import AssetError, ConfigError
from snowetl.jvm import jsontext
from snowetl.jvm.doubles import float_text
from snowetl.jvm.host_name import host_address
from snowetl.model.fields import INDEX, NAMES
from snowetl.model.schema import SchemaCriterion, SchemaKey
from snowetl.model.text import tsv_safe

if TYPE_CHECKING:
    from maxminddb import Reader

_IP: Final = INDEX["user_ipaddress"]
_PLACE: Final = slice(INDEX["geo_country"], INDEX["ip_netspeed"] + 1)
_TIMEZONE: Final = INDEX["geo_timezone"]
_CACHE_SIZE: Final = 20_000
_CACHED_LENGTH: Final = 64

_ASN: Final = "iglu:com.snowplowanalytics.snowplow/asn/jsonschema/1-0-0"
_LARGEST_ASN: Final = 2**31 - 1


class Found(NamedTuple):
    """Texts for the columns from ``geo_country`` to ``ip_netspeed``, and for ``geo_timezone``; the entity, if any."""

    place: tuple[str, ...]
    timezone: str
    system: Entity | None


_NETSPEEDS: Final = frozenset(("Dialup", "Cable/DSL", "Corporate", "Cellular"))


@configuration
class IpLookupsConf:
    """``databases`` are (kind, file), each kind at most once.

    With a configuration of version 2-0-1 the autonomous system becomes an entity, if a database knows it: that of
    ``asn``, else that of ``isp`` (Enrich 6.7.0). With 2-0-0 it does not, so that nobody's output changes.
    """

    criterion: ClassVar[SchemaCriterion] = parameters.criterion("ip_lookups", model=2)
    place: ClassVar[Place] = Place(190)
    older: ClassVar[dict[int, Older]] = {1: lambda data: _renew(data)}

    schema_key: SchemaKey
    databases: tuple[tuple[str, Asset], ...]

    @classmethod
    def parse(cls, key: SchemaKey, data: dict[str, Any]) -> IpLookupsConf:
        given = Parameters(data)
        found = data.get("parameters")
        named = [kind for kind in _KINDS if isinstance(found, dict) and kind in found]
        databases = tuple(
            (kind, given.asset(f"parameters.{kind}.uri", f"parameters.{kind}.database", f"ip_{kind}")) for kind in named
        )
        given.check()
        return cls(key, databases)

    def needs(self) -> Needs:
        return Needs(files=tuple(asset for _, asset in self.databases))

    @contextmanager
    def open(self, services: Services) -> Iterator[Step]:
        with ExitStack() as stack:
            readers = []
            for kind, asset in self.databases:
                reader = open_database(kind, services.files[asset.uri])
                stack.callback(reader.close)
                readers.append((kind, reader))
            yield IpLookups(readers, with_asn=self.schema_key.version.addition > 0)


ENRICHMENT: Final[type[Enrichment]] = IpLookupsConf

_RENEWED: Final = {
    "geo": "geo takes GeoLite2-City.mmdb or GeoIP2-City.mmdb",
    "isp": "isp takes GeoIP2-ISP.mmdb",
    "organization": "organization goes: isp with GeoIP2-ISP.mmdb fills ip_organization",
    "domain": "domain takes GeoIP2-Domain.mmdb",
    "netspeed": "netspeed is named connectionType and takes GeoIP2-Connection-Type.mmdb",
}


def _renew(data: dict[str, Any]) -> dict[str, Any]:
    """1-0-0 names databases of MaxMind's first format, which nothing here reads."""
    changes = "; ".join(change for kind, change in _RENEWED.items() if kind in (data.get("parameters") or ()))
    raise ConfigError(
        "Version 1-0-0 names databases of MaxMind's first format (.dat), which MaxMind no longer makes. "
        f"Write 2-0-0, with current databases (.mmdb): {changes or 'geo, isp, domain, connectionType'}"
    )


class IpLookups:
    """The step. Of an address in no database, and of a text that is not an address, the columns stay empty."""

    def __init__(self, databases: list[tuple[str, Reader]], with_asn: bool = False) -> None:
        readers = [(_KINDS[kind][1], reader.get) for kind, reader in databases]

        def look_up(text: str) -> Found:
            found = dict.fromkeys(NAMES[_PLACE], "") | {"geo_timezone": ""}
            address = host_address(text)
            system = None
            for columns, get in readers:
                record = None if address is None else _record(get, address)
                if record is not None:
                    found |= columns(record)
                    system = (_system(record) if with_asn else None) or system
            *place, timezone = [tsv_safe(value) for value in found.values()]
            return Found(tuple(place), timezone, system)

        self._found = Memo(look_up, _CACHE_SIZE, _CACHED_LENGTH)

    def __call__(self, draft: Draft) -> None:
        values = draft.values
        text = values[_IP]
        if text:
            values[_PLACE], values[_TIMEZONE], system = self._found[text]
            if system is not None:
                draft.add(system)


# --- from records to columns --------------------------------------------------------------------------------------

Record = Mapping[str, Any]


def _record(get: Callable[[str], Any], address: str) -> Record | None:
    try:
        record = get(address)
    except (ValueError, RuntimeError):  # an IPv6 address in a database of IPv4, a damaged page
        return None
    return record if isinstance(record, dict) else None


def _city(record: Record) -> dict[str, str]:
    subdivisions = record.get("subdivisions")
    region = subdivisions[-1] if isinstance(subdivisions, list) and subdivisions else None
    location = record.get("location")
    return {
        "geo_country": _text(record.get("country"), "iso_code"),
        "geo_region": _text(region, "iso_code"),
        "geo_region_name": _text(region, "names", "en"),
        "geo_city": _text(record.get("city"), "names", "en"),
        "geo_zipcode": _text(record.get("postal"), "code"),
        "geo_latitude": _degrees(location, "latitude"),
        "geo_longitude": _degrees(location, "longitude"),
        "geo_timezone": _text(location, "time_zone"),
    }


def _isp(record: Record) -> dict[str, str]:
    return {"ip_isp": _text(record, "isp"), "ip_organization": _text(record, "organization")}


def _nothing(record: Record) -> dict[str, str]:
    return {}


def _system(record: Record) -> Entity | None:
    """The autonomous system a record tells of."""
    number = record.get("autonomous_system_number")
    if not isinstance(number, int) or not 0 <= number <= _LARGEST_ASN:
        return None
    data = {"number": number, "organization": _text(record, "autonomous_system_organization") or None}
    return Entity(_ASN, jsontext.dumps({"schema": _ASN, "data": data}))


def _domain(record: Record) -> dict[str, str]:
    return {"ip_domain": _text(record, "domain")}


def _connection_type(record: Record) -> dict[str, str]:
    """Other kinds than those the reference's library knows are errors there, which it drops."""
    speed = _text(record, "connection_type")
    return {"ip_netspeed": speed if speed in _NETSPEEDS else ""}


def _text(record: Any, *path: str) -> str:
    for key in path:
        record = record.get(key) if isinstance(record, dict) else None
    return record if isinstance(record, str) else ""


def _degrees(location: Any, name: str) -> str:
    """Single precision, as Java prints it; 0.0 where the record has none."""
    degrees = location.get(name) if isinstance(location, dict) else None
    return _texts_of_degrees[repr(degrees)] if isinstance(degrees, (int, float)) else "0.0"


def _text_of_degrees(degrees: str) -> str:
    return float_text(float(degrees))


_texts_of_degrees: Final = Memo(_text_of_degrees, _CACHE_SIZE, _CACHED_LENGTH)


_KINDS: Final[dict[str, tuple[tuple[str, ...], Callable[[Record], dict[str, str]]]]] = {
    "geo": (("City", "Enterprise"), _city),
    "isp": (("GeoIP2-ISP",), _isp),
    "domain": (("GeoIP2-Domain",), _domain),
    "connectionType": (("GeoIP2-Connection-Type",), _connection_type),
    "asn": (("ASN",), _nothing),
}
"""By the key in the configuration: what the type of the database must contain (one of these), and its columns."""


def open_database(kind: str, path: Path) -> Reader:
    """A memory-mapped MaxMind database. Raises ``AssetError`` for any other file, or a database of another type."""
    import maxminddb

    try:
        reader = maxminddb.open_database(str(path), maxminddb.MODE_AUTO)
    except maxminddb.InvalidDatabaseError:
        raise AssetError(
            f"ip_lookups: {path} is not a MaxMind database, or is damaged. Fetch it again; '{kind}' needs a .mmdb file"
        ) from None
    except OSError as error:
        raise AssetError(f"ip_lookups: {path} cannot be read: {error.strerror or error}") from None
    type_ = reader.metadata().database_type
    wanted = _KINDS[kind][0]
    if not any(part in type_ for part in wanted):
        raise AssetError(
            f"ip_lookups: {path} is a database of type {type_}, but '{kind}' needs {' or '.join(wanted)} in its type"
        )
    return reader
