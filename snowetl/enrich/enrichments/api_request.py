"""api_request: entities from the answers of an HTTP API (enrich 3.9.0 ``ApiRequestEnrichment``).

What is kept by the cache is what the answer led to, not the answer itself: the entities of all outputs.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import field
from typing import Any, ClassVar, NamedTuple

from snowetl.caching import Failed, TtlCache
from snowetl.enrich.draft import Draft, Entity
from snowetl.enrich.enrichments import parameters
from snowetl.enrich.enrichments.api_template import Inputs, UrlTemplate, body
from snowetl.enrich.enrichments.base import Enrichment, Needs, Place, Step, configuration
from snowetl.enrich.enrichments.event_inputs import Column, Json, parse_source
from snowetl.enrich.enrichments.parameters import ENRICHMENTS, Parameters
from snowetl.enrich.enrichments.service_limits import CircuitBreaker, SharedRate, configured_rate
from snowetl.enrich.services import Services
from snowetl.http import HttpError, Policy, split_userinfo
from snowetl.jvm import big_decimal, gatling_json_path, jsontext
from snowetl.jvm.strings import decode_utf8
from snowetl.model import badrow
from snowetl.model.schema import ParseError, SchemaCriterion, SchemaKey

_IDENTIFIER = "api-request"
_HEADERS = {"content-type": "application/json", "accept": "*/*"}
_METHODS = ("GET", "POST", "PUT")
_LARGEST_ANSWER = 1024 * 1024
_RETRIES = 2
_OVERLOADED = 429
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+")
_log = logging.getLogger("snowetl")


class Output(NamedTuple):
    """The schema of an entity, and the path of its data in the answer."""

    schema: str
    path: str


@configuration
class ApiRequestConf:
    """``timeout`` is in milliseconds, ``cache_ttl`` in seconds, ``per_second`` is the rate all workers share."""

    criterion: ClassVar[SchemaCriterion] = parameters.criterion("api_request_enrichment_config", vendor=ENRICHMENTS)
    place: ClassVar[Place] = Place(220)
    several: ClassVar[bool] = True

    schema_key: SchemaKey
    inputs: tuple[tuple[str, Column | Json], ...]
    method: str
    uri: str = field(repr=False)
    timeout: int
    auth: tuple[str, str] | None = field(repr=False)
    outputs: tuple[Output, ...]
    cache_size: int
    cache_ttl: int
    ignore_on_error: bool
    per_second: float | None = None

    @classmethod
    def parse(cls, key: SchemaKey, data: dict[str, Any]) -> ApiRequestConf:
        given = Parameters(data)
        nothing: tuple[Any, ...] = ()
        inputs = given.read("parameters.inputs", _inputs, nothing)
        method, uri = (given.read(f"parameters.api.http.{name}", parameters.text, "") for name in ("method", "uri"))
        if method and method not in _METHODS:
            given.fault(f"parameters.api.http.method: {method} is not one of {', '.join(_METHODS)}")
        timeout = given.read("parameters.api.http.timeout", parameters.integer, 1)
        auth = given.optional("parameters.api.http.authentication.httpBasic", _credentials, None)
        outputs = given.read("parameters.outputs", _outputs, nothing)
        size, ttl = (given.read(f"parameters.cache.{name}", parameters.integer, 0) for name in ("size", "ttl"))
        ignore = given.optional("parameters.ignoreOnError", parameters.boolean, False)
        per_second = None
        try:
            per_second = configured_rate()
        except ValueError as error:
            given.fault(str(error))
        given.check()
        unknown = sorted(UrlTemplate(uri).keys - {key for key, _ in inputs})
        if unknown:
            _log.warning("%s: the uri asks for %s, which no input gives: no request is sent", key, ", ".join(unknown))
        return cls(key, inputs, method, uri, timeout, auth, outputs, size, ttl, ignore, per_second)

    @property
    def host(self) -> str:
        """Host and port, as far as the template says."""
        return self.uri.partition("://")[2].partition("/")[0].rpartition("@")[2]

    def needs(self) -> Needs:
        in_uri = _userinfo(self.uri)
        secrets = [pair[1] for pair in (self.auth, in_uri) if pair is not None and pair[1]]
        return Needs(network=(self.host,), secrets=tuple(secrets))

    @contextmanager
    def open(self, services: Services) -> Iterator[Step]:
        rate = None if self.per_second is None else SharedRate(self.host, self.per_second)
        try:
            yield ApiRequest(self, services, rate)
        finally:
            if rate is not None:
                rate.close()


class ExtraApiRequestConf(ApiRequestConf):
    """A further request, under the name OpenSnowcat gives its configuration."""

    criterion: ClassVar[SchemaCriterion] = parameters.criterion(
        "extra_api_request_enrichment_config", vendor=ENRICHMENTS
    )


ENRICHMENT: type[Enrichment] = ApiRequestConf
FURTHER: tuple[type[Enrichment], ...] = (ExtraApiRequestConf,)


def _inputs(value: Any) -> tuple[tuple[str, Column | Json], ...]:
    """list of inputs."""
    if not isinstance(value, list):
        raise ValueError("it is not a list")
    return tuple(
        (parameters.text(item.get("key") if isinstance(item, dict) else None), parse_source(item)) for item in value
    )


def _outputs(value: Any) -> tuple[Output, ...]:
    """list of outputs."""
    if not isinstance(value, list) or not value:
        raise ValueError("it is not a list of at least one output")
    found = []
    for item in value:
        given = Parameters(item if isinstance(item, dict) else {})
        found.append(
            Output(given.read("schema", parameters.text, ""), given.read("json.jsonPath", parameters.text, ""))
        )
        given.check_inside()
    return tuple(found)


def _credentials(value: Any) -> tuple[str, str] | None:
    """user name and password."""
    pair = [value.get(name) if isinstance(value, dict) else None for name in ("username", "password")]
    if pair == [None, None]:
        return None
    user, password = (parameters.text(part or "") for part in pair)
    return user, password


def _userinfo(uri: str) -> tuple[str, str] | None:
    try:
        return split_userinfo(uri)[1]
    except ValueError:
        return None


class ApiRequest:
    """The step: a request for each distinct address and body, as far as the cache reaches."""

    def __init__(self, conf: ApiRequestConf, services: Services, rate: SharedRate | None = None) -> None:
        self._conf = conf
        self._services = services
        self._rate = rate
        self._inputs = Inputs(conf.inputs)
        self._url = UrlTemplate(conf.uri)
        self._outputs = [_Extract(output) for output in conf.outputs]
        seconds = conf.timeout / 1000
        self._policy = Policy(
            connect=seconds,
            read=seconds,
            deadline=seconds,
            max_bytes=_LARGEST_ANSWER,
            retries=_RETRIES,
            resend=conf.method != "POST",
            redirects=0,
        )
        self._breaker = CircuitBreaker(services.clock.monotonic)
        self._answers: TtlCache[bytes, list[Entity] | _Faults, str] = services.cache(conf.cache_size, conf.cache_ttl)

    def __call__(self, draft: Draft) -> None:
        faults = self._inputs.faults
        if not faults:
            values = self._inputs.read(draft)
            url = None if values is None else self._url.fill(values)
            if values is None or url is None:
                return
            found = self._look_up(url, body(self._conf.method, values))
            if isinstance(found, list):
                draft.add(*found)
                return
            # each output asks for the answer, and each says that there is none
            faults = [found.error] * len(self._outputs) if isinstance(found, Failed) else list(found.texts)
        if self._conf.ignore_on_error:
            return
        key, redact = self._conf.schema_key.uri, self._services.secrets.redact
        draft.fail(*(badrow.enrichment_message(badrow.simple_error(redact(text)), key, _IDENTIFIER) for text in faults))

    def _look_up(self, url: str, sent: bytes | None) -> list[Entity] | _Faults | Failed[str]:
        name = hashlib.md5(url.encode("utf-8", "replace") + (sent or b""), usedforsecurity=False).digest()
        return self._answers.get(name, lambda: self._ask(url, sent))

    def _ask(self, url: str, sent: bytes | None) -> list[Entity] | _Faults | Failed[str]:
        if not _URI.fullmatch(url):
            return Failed(f"uri [{url}] is not valid: Invalid URI")
        refusal = self._breaker.refusal()
        if refusal is not None:
            return Failed(refusal)
        if self._rate is not None:
            self._rate.wait()
        conf = self._conf
        try:
            answer = self._services.http.request(
                conf.method, url, headers=_HEADERS, body=sent, auth=conf.auth, policy=self._policy
            )
        except HttpError as error:
            self._breaker.failed(str(error))
            return Failed(str(error))
        if not 200 <= answer.status < 300:
            reason = f"Request failed with status {answer.status}"
            if answer.status >= 500 or answer.status == _OVERLOADED:
                self._breaker.failed(reason)
            else:
                self._breaker.answered()
            return Failed(reason)
        self._breaker.answered()
        text = decode_utf8(answer.body)
        try:
            answer = big_decimal.reprinted(jsontext.loads_exact(text), big_decimal.stripped)
        except jsontext.JsonError as error:
            return Failed(str(error))
        return self._extracted(answer, text)

    def _extracted(self, answer: Any, text: str) -> list[Entity] | _Faults:
        """One entity for each output, or what is wrong with all that went wrong."""
        made = [output(answer, text) for output in self._outputs]
        faults = tuple(one for one in made if isinstance(one, str))
        return _Faults(faults) if faults else [one for one in made if isinstance(one, Entity)]


class _Faults(NamedTuple):
    """An answer that is there, but not what was expected: the texts of the failures."""

    texts: tuple[str, ...]


class _Extract:
    """From an answer to the entity of an output, or to what is wrong."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._path: gatling_json_path.JsonPath | None = None
        self._fault = self._code = ""
        try:
            self._path = gatling_json_path.compile_path(output.path)
        except gatling_json_path.PathFault as fault:
            self._fault = f"API Request enrichment:JSONPath error {fault}"
        try:
            SchemaKey.parse(output.schema)
        except ParseError as error:
            self._code = error.code

    def __call__(self, answer: Any, text: str) -> Entity | str:
        """``text`` is that of the answer."""
        if self._path is None:
            return self._fault
        values = self._path.values(answer)
        data = values[0] if len(values) == 1 else values
        if data == []:
            answer = big_decimal.reprinted(jsontext.loads_exact(text), big_decimal.to_string)
            return (
                "API Request enrichment:Value not found Error: no values were found by JSON Path "
                f"[{self._output.path}] in [{jsontext.dumps(answer)}]"
            )
        made = jsontext.dumps({"schema": self._output.schema, "data": data})
        return f"{made} is not self-describing JSON, {self._code}" if self._code else Entity(self._output.schema, made)
