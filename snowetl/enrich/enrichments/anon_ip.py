"""anon_ip: cut octets or segments off ``user_ipaddress`` (enrich 3.9.0 ``AnonIpEnrichment``)."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar, Final

from snowetl.caching import Memo
from snowetl.enrich.draft import Draft
from snowetl.enrich.enrichments import parameters
from snowetl.enrich.enrichments.base import Enrichment, Needs, Place, Step, configuration
from snowetl.enrich.enrichments.parameters import Parameters
from snowetl.enrich.services import Services
from snowetl.errors import ConfigError
from snowetl.jvm.inet_addresses import parse_ipv6
from snowetl.model.event import EMPTY
from snowetl.model.fields import INDEX
from snowetl.model.schema import SchemaCriterion, SchemaKey

_IP: Final = INDEX["user_ipaddress"]
_OCTETS: Final = 4
_SEGMENTS: Final = 8
_MASK: Final = "x"
_MAPPED_PREFIX: Final = "::FFFF:"
_CACHE_SIZE: Final = 20_000
_CACHED_LENGTH: Final = 64


@configuration
class AnonIpConf:
    """How many octets (IPv4) and segments (IPv6) to mask, counted from the right."""

    criterion: ClassVar[SchemaCriterion] = parameters.criterion("anon_ip")
    place: ClassVar[Place] = Place(240)

    schema_key: SchemaKey
    octets: int
    segments: int

    @classmethod
    def parse(cls, key: SchemaKey, data: dict[str, Any]) -> AnonIpConf:
        given = Parameters(data)
        octets = given.read("parameters.anonOctets", parameters.integer, 0)
        given.check()
        lenient = Parameters(data)  # what is not an integer counts as missing
        segments = lenient.optional("parameters.anonSegments", parameters.integer, octets)
        if not 1 <= octets <= _OCTETS:
            raise ConfigError(f"IPv4 address octets to anonymize must be 1, 2, 3 or 4. Value: {octets} was given")
        if not 1 <= segments <= _SEGMENTS:
            raise ConfigError(
                f"IPv6 address segments to anonymize must be 1, 2, 3, 4, 5, 6, 7 or 8. Value {segments} was given"
            )
        return cls(key, octets, segments)

    def needs(self) -> Needs:
        return Needs()

    def open(self, services: Services) -> AbstractContextManager[Step]:
        return nullcontext(AnonIp(self.octets, self.segments))


ENRICHMENT: Final[type[Enrichment]] = AnonIpConf


class AnonIp:
    """The step. Text that is not an address is masked too, as far as it looks like one."""

    def __init__(self, octets: int, segments: int) -> None:
        kept_octets, kept_segments = _OCTETS - octets, _SEGMENTS - segments

        def anonymise(ip: str) -> str:
            if ":" in ip:
                groups = parse_ipv6(ip)
                if groups is None:
                    return _mask_v4(ip, kept_octets) if "." in ip else _mask_v6(_parts(ip, ":"), kept_segments)
                if groups[:6] == _MAPPED:
                    return _mask_v4(ip, kept_octets)
                return _mask_v6([f"{group:x}" for group in groups], kept_segments)
            return _mask_v4(ip, kept_octets) if "." in ip or not ip else ip

        self._anonymised = Memo(anonymise, _CACHE_SIZE, _CACHED_LENGTH)

    def __call__(self, draft: Draft) -> None:
        ip = draft.values[_IP]
        if ip or ip is EMPTY:
            draft.values[_IP] = self._anonymised[ip] or EMPTY


_MAPPED: Final = [0, 0, 0, 0, 0, 0xFFFF]


def _mask_v4(ip: str, kept: int) -> str:
    """Every octet beyond ``kept`` becomes ``x``; the number of parts stays."""
    prefix = _MAPPED_PREFIX if ip.startswith(_MAPPED_PREFIX) else ""
    parts = _parts(ip.replace(_MAPPED_PREFIX, "") if prefix else ip, ".")
    return prefix + ".".join(parts[:kept] + [_MASK] * (len(parts) - kept))


def _mask_v6(parts: list[str], kept: int) -> str:
    """Every segment beyond ``kept`` becomes ``x``, and there are eight of them."""
    left = parts[:kept]
    return ":".join(left + [_MASK] * (_SEGMENTS - len(left)))


def _parts(text: str, separator: str) -> list[str]:
    """``String.split``: without trailing empty parts, but empty text is one part."""
    parts = text.rstrip(separator).split(separator)
    return parts if parts != [""] or not text else []
