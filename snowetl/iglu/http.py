"""Registries over HTTP: Iglu Server and static ones (iglu-scala-client 1.5.0 ``Http4sRegistryLookup``)."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit, urlunsplit

from snowetl.iglu.config import Repository
from snowetl.iglu.failures import NOT_FOUND, RegistryError, client_failure, repo_failure
from snowetl.iglu.schema_list import SchemaListError, parse_schema_list
from snowetl.jvm import jsontext
from snowetl.model.schema import SchemaKey, SchemaVer

MAX_BYTES = 5 * 1024 * 1024
"""A larger answer is no schema."""
_CONNECT_SECONDS, _READ_SECONDS = 3.0, 10.0
_RETRIES = 5
_FIRST_WAIT, _LONGEST_WAIT, _PATIENCE = 0.2, 5.0, 30.0
_RETRIED = frozenset((408, 429, 500, 502, 503, 504))
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_MAX_REDIRECTS = 5
_MAX_VERSIONS = 1000
_SHOWN_BODY = 2000
_IGLU_CENTRAL = re.compile(r".*\biglucentral\b.*")


class Response(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


class FetchError(Exception):
    """No answer: refused, timed out, unknown host, broken off, too large."""


Fetch = Callable[[str, Mapping[str, str]], Response]
"""(URL, headers) → answer of one GET without redirects. Raises :class:`FetchError`."""


def schema_url(base: str, key: SchemaKey) -> str:
    return f"{_base(base)}/schemas/{key.path}"


def list_url(base: str, vendor: str, name: str, model: int) -> str:
    return f"{_base(base)}/schemas/{vendor}/{name}/jsonschema/{model}"


def _base(uri: str) -> str:
    return uri.removesuffix("/")


class HttpRegistry:
    """Asks with patience the first time; a registry found dead is asked once per question until it lives again."""

    class_priority = 100
    remote = True

    def __init__(self, repository: Repository, fetch: Fetch | None = None, sleep: Callable[[float], Any] = time.sleep):
        self.repository = repository
        self._fetch = fetch or _Pool()
        self._sleep = sleep
        self._dead = False

    def schema(self, key: SchemaKey) -> Any | RegistryError:
        if key.vendor in (".", ".."):
            return NOT_FOUND
        return self._get(schema_url(self._uri, key))

    def schema_list(self, vendor: str, name: str, model: int) -> list[SchemaKey] | RegistryError:
        """From the registry's list, or where it has none by asking for version after version."""
        if not _IGLU_CENTRAL.match(urlsplit(self._uri).hostname or ""):
            answer = self._get(list_url(self._uri, vendor, name, model))
            if not isinstance(answer, RegistryError):
                try:
                    return parse_schema_list(answer)
                except SchemaListError as error:
                    return undecodable_list(error)
            if answer != NOT_FOUND:
                return answer
        return self._probed(vendor, name, model)

    def _probed(self, vendor: str, name: str, model: int) -> list[SchemaKey] | RegistryError:
        """``M-0-0``, ``M-0-1``, … to the first gap, then ``M-1-0`` and on, to a revision without a beginning."""
        found: list[SchemaKey] = []
        version = SchemaVer(model, 0, 0)
        while len(found) < _MAX_VERSIONS:
            key = SchemaKey(vendor, name, "jsonschema", version)
            answer = self.schema(key)
            if not isinstance(answer, RegistryError):
                found.append(key)
                version = version._replace(addition=version.addition + 1)
            elif answer.outage:
                return answer
            elif version.addition == 0:
                break
            else:
                version = SchemaVer(model, version.revision + 1, 0)
        return found or NOT_FOUND

    @property
    def _uri(self) -> str:
        assert self.repository.uri is not None
        return self.repository.uri

    def _get(self, url: str) -> Any | RegistryError:
        try:
            response = self._patiently(url)
        except FetchError as error:
            self._dead = True
            return client_failure(str(error), outage=f"{without_secrets(url)}: {error}")
        answer = interpret(response, without_secrets(url))
        self._dead = isinstance(answer, RegistryError) and bool(answer.outage)
        return answer

    def _patiently(self, url: str) -> Response:
        """Retries what may pass, waiting longer each time."""
        give_up_at = time.monotonic() + _PATIENCE
        wait = _FIRST_WAIT
        for attempt in range(1 + _RETRIES):
            last = self._dead or attempt == _RETRIES or time.monotonic() > give_up_at
            try:
                response = self._follow(url)
            except FetchError:
                if last:
                    raise
            else:
                if last or response.status not in _RETRIED:
                    return response
            self._sleep(wait * random.uniform(0.5, 1.0))
            wait = min(wait * 2, _LONGEST_WAIT)
        raise AssertionError("the last attempt returns or raises")

    def _follow(self, url: str) -> Response:
        """One GET with its redirects; the key goes to the registry's own host only."""
        headers = {"apikey": self.repository.apikey} if self.repository.apikey else {}
        origin = urlsplit(url)[:2]
        for _ in range(1 + _MAX_REDIRECTS):
            response = self._fetch(url, headers)
            location = next((value for name, value in response.headers.items() if name.lower() == "location"), None)
            if response.status not in _REDIRECTS or location is None:
                return response
            url = urljoin(url, location)
            if urlsplit(url).scheme not in ("http", "https"):
                return response
            if urlsplit(url)[:2] != origin:
                headers = {}
        raise FetchError(f"more than {_MAX_REDIRECTS} redirects")


def interpret(response: Response, url: str) -> Any | RegistryError:
    """An answer as a parsed body or an error, as the reference's streaming client does."""
    if 200 <= response.status < 300:
        try:
            return jsontext.loads_exact(response.body.decode("utf-8", "replace"))
        except jsontext.JsonError as error:
            return client_failure(f"Could not decode server response. {error}")
    if response.status == 404:
        return NOT_FOUND
    body = response.body[:_SHOWN_BODY].decode("utf-8", "replace")
    if response.status >= 500:
        return repo_failure(f"Unexpected server response: {body}", outage=f"{url} answers {response.status}")
    if response.status >= 400:
        outage = f"{url} answers {response.status}" if response.status in _RETRIED else ""
        return client_failure(f"Unexpected server response: {body}", outage)
    return client_failure(f"Unexpected response: {body}")


def undecodable_list(error: SchemaListError) -> RegistryError:
    """A list that breaks the rules of lists."""
    return repo_failure(f"DecodingFailure at : {error}")


def without_secrets(url: str) -> str:
    """The URL without user and password."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


class _Pool:
    """One GET over kept connections (urllib3, loaded when it is first needed)."""

    def __init__(self, connect_seconds: float = _CONNECT_SECONDS, read_seconds: float = _READ_SECONDS) -> None:
        self._manager: Any = None
        self._seconds = (connect_seconds, read_seconds)

    def __call__(self, url: str, headers: Mapping[str, str]) -> Response:
        import urllib3

        if self._manager is None:
            connect, read = self._seconds
            timeout = urllib3.Timeout(connect=connect, read=read)
            agent = {"user-agent": "snowetl", "accept-encoding": "gzip"}
            self._manager = urllib3.PoolManager(num_pools=8, maxsize=4, timeout=timeout, headers=agent)
        try:
            answer = self._manager.request(
                "GET",
                url,
                headers={**self._manager.headers, **headers},
                redirect=False,
                retries=False,
                preload_content=False,
            )
            try:
                body = answer.read(MAX_BYTES + 1, decode_content=True)
                if len(body) > MAX_BYTES:
                    answer.close()
                    raise FetchError(f"the answer is larger than {MAX_BYTES} bytes")
                answer.drain_conn()
            finally:
                answer.release_conn()
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise FetchError(_short(error)) from None
        return Response(answer.status, dict(answer.headers), body)


def _short(error: Exception) -> str:
    """urllib3 wraps causes; the innermost says it best."""
    cause: BaseException = error
    while cause.__cause__ is not None or cause.__context__ is not None:
        cause = cause.__cause__ or cause.__context__  # type: ignore[assignment]
    return str(cause) or type(cause).__name__
