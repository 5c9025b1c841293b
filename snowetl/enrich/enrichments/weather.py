"""weather: the weather where and when an event happened (enrich 3.9.0 ``WeatherEnrichment``, scala-weather 1.0.0).

It runs after ip_lookups, whose coordinates it reads. The reference runs it before, where it fails every event.
"""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext
from dataclasses import field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, ClassVar, NamedTuple
from urllib.parse import urlencode

from snowetl.caching import Failed, TtlCache
from snowetl.enrich.draft import Draft, Entity
from snowetl.enrich.enrichments import parameters
from snowetl.enrich.enrichments.base import Enrichment, Needs, Place, Step, configuration
from snowetl.enrich.enrichments.parameters import ENRICHMENTS, Parameters
from snowetl.enrich.services import Services
from snowetl.http import HttpError, Policy
from snowetl.jvm import jsontext, timestamps
from snowetl.model import badrow
from snowetl.model.fields import INDEX
from snowetl.model.schema import SchemaCriterion, SchemaKey

_CONTEXT = "iglu:org.openweathermap/weather/jsonschema/1-0-0"
_PATH = "/data/2.5/history/city"
_IDENTIFIER = "weather"
_INPUTS = ("geo_latitude", "geo_longitude", "derived_tstamp")
_INDEXES = tuple(INDEX[name] for name in _INPUTS)
_PARTS = ("main", "wind", "clouds", "rain", "snow", "weather")
_DAY_SECONDS = 86_400
_STAMPS_A_DAY = 24
_BAD_KEY = (401, 403)


@configuration
class WeatherConf:
    """``precision`` is the number of parts a degree is cut into: events within one part share an answer.

    ``host`` is that of the weather service, or a whole URL; ``timeout`` is in seconds.
    """

    criterion: ClassVar[SchemaCriterion] = parameters.criterion("weather_enrichment_config", vendor=ENRICHMENTS)
    place: ClassVar[Place] = Place(195)

    schema_key: SchemaKey
    api_key: str = field(repr=False)
    host: str
    cache_size: int
    precision: int
    timeout: int

    @classmethod
    def parse(cls, key: SchemaKey, data: dict[str, Any]) -> WeatherConf:
        given = Parameters(data)
        api_key, host = (given.read(f"parameters.{name}", parameters.text, "") for name in ("apiKey", "apiHost"))
        numbers = ("cacheSize", "geoPrecision", "timeout")
        cache_size, precision, timeout = (given.read(f"parameters.{name}", parameters.integer, 1) for name in numbers)
        given.check()
        return cls(key, api_key, host, cache_size, precision, timeout)

    @property
    def address(self) -> str:
        return (self.host if "://" in self.host else f"https://{self.host}").rstrip("/") + _PATH

    def needs(self) -> Needs:
        return Needs(network=(self.host,), secrets=(self.api_key,))

    def open(self, services: Services) -> AbstractContextManager[Step]:
        return nullcontext(Weather(self, services))


ENRICHMENT: type[Enrichment] = WeatherConf


class Spot(NamedTuple):
    """What a cached answer stands for: a day (UTC) and rounded coordinates."""

    day: str
    latitude: float
    longitude: float


def spot(time: str, latitude: float, longitude: float, precision: int) -> Spot:
    """``time`` as columns hold it."""
    return Spot(time[:10], rounded(latitude, precision), rounded(longitude, precision))


def rounded(coordinate: float, precision: int) -> float:
    """To the next part of a degree, then to one decimal, half up."""
    part = math.floor(coordinate * precision + 0.5) / precision
    return float(Decimal(repr(part)).quantize(Decimal("0.1"), ROUND_HALF_UP))


def query(day: str, latitude: str, longitude: str, api_key: str) -> dict[str, str]:
    """The parameters of a request for a whole day."""
    start = timestamps.from_tsv(f"{day} 00:00:00.000") // 1000
    return {
        "appid": api_key,
        "lat": latitude,
        "lon": longitude,
        "start": str(start),
        "end": str(start + _DAY_SECONDS),
        "cnt": str(_STAMPS_A_DAY),
    }


class Weather:
    """The step. Answers are remembered, failures too (for the life of the worker, as in the reference)."""

    def __init__(self, conf: WeatherConf, services: Services) -> None:
        self._conf = conf
        self._http = services.http
        self._policy = Policy(deadline=float(conf.timeout))
        self._days: TtlCache[Spot, list[dict[str, Any]], str] = services.cache(conf.cache_size, math.inf, math.inf)

    def __call__(self, draft: Draft) -> None:
        latitude, longitude, time = (draft.values[index] for index in _INDEXES)
        missing = [name for name, index in zip(_INPUTS, _INDEXES, strict=True) if not draft.values[index]]
        if missing:
            messages = [badrow.input_data(name, None, "missing") for name in missing]
        else:
            where = spot(time, float(latitude), float(longitude), self._conf.precision)
            found = self._days.get(where, lambda: self._ask(where.day, latitude, longitude))
            if not isinstance(found, Failed):
                draft.add(_entity(min(found, key=lambda stamp: abs(stamp["dt"] * 1000 - timestamps.from_tsv(time)))))
                return
            messages = [badrow.simple_error(found.error)]
        schema_key = self._conf.schema_key.uri
        draft.fail(*(badrow.enrichment_message(message, schema_key, _IDENTIFIER) for message in messages))

    def _ask(self, day: str, latitude: str, longitude: str) -> list[dict[str, Any]] | Failed[str]:
        """The day's stamps, at least one of them."""
        parameters_ = urlencode(query(day, latitude, longitude, self._conf.api_key))
        try:
            answer = self._http.get(f"{self._conf.address}?{parameters_}", policy=self._policy)
        except HttpError as error:
            return Failed(str(error))
        if answer.status in _BAD_KEY:
            return Failed("Check your API key")
        if not 200 <= answer.status < 300:
            return Failed(f"Request failed with status {answer.status}")
        return _stamps(answer.body.decode("utf-8", "replace"))


def _stamps(text: str) -> list[dict[str, Any]] | Failed[str]:
    try:
        answer = jsontext.loads_exact(text)
    except jsontext.JsonError as error:
        return Failed(f"invalid json: {error}")
    listed = answer.get("list") if isinstance(answer, dict) else None
    if not isinstance(listed, list):
        message = answer.get("message") if isinstance(answer, dict) else None
        return Failed(message if isinstance(message, str) and message else "the answer has no list of weather stamps")
    stamps = [stamp for stamp in listed if isinstance(stamp, dict) and type(stamp.get("dt")) is int]
    return stamps or Failed("Server response has no weather stamps")


def _entity(stamp: dict[str, Any]) -> Entity:
    """Parts the answer lacks are left out: the schema takes no null."""
    data = {"dt": timestamps.to_iso(stamp["dt"] * 1000)}
    data |= {name: stamp[name] for name in _PARTS if stamp.get(name) is not None}
    return Entity(_CONTEXT, jsontext.dumps({"schema": _CONTEXT, "data": data}))
