"""Registries over HTTP: Iglu Server and static ones (iglu-scala-client 1.5.0 ``Http4sRegistryLookup``)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from snowetl.http import Http, HttpError, Policy, Response
from snowetl.iglu.config import Repository
from snowetl.iglu.failures import NOT_FOUND, RegistryError, client_failure, repo_failure
from snowetl.iglu.schema_list import SchemaListError, parse_schema_list
from snowetl.jvm import jsontext
from snowetl.model.schema import SchemaKey, SchemaVer

PATIENT = Policy(connect=3.0, read=10.0, deadline=30.0, max_bytes=5 * 1024 * 1024, retries=5)
"""A larger answer is not a schema."""
_IMPATIENT = replace(PATIENT, deadline=10.0, retries=0)
_MAX_VERSIONS = 1000
_SHOWN_BODY = 2000
_ABOUT_THE_SCHEMA = (400, 404, 410, 414)
_ADVICE = {
    401: ": give its apikey in --iglu-config",
    403: ": it refuses us. Check its apikey in --iglu-config; a static registry on S3 says so of schemas it does not "
    "have, too, where s3:ListBucket is not granted",
    407: ": the proxy wants a password, in HTTPS_PROXY",
}
_IGLU_CENTRAL = re.compile(r".*\biglucentral\b.*")


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

    def __init__(self, repository: Repository, http: Http) -> None:
        self.repository = repository
        self._http = http
        self._dead = False

    def schema(self, key: SchemaKey) -> Any | RegistryError:
        return self._get(schema_url(self._uri, key))

    def schema_list(self, vendor: str, name: str, model: int) -> list[SchemaKey] | RegistryError:
        """Take the registry's list; a registry without lists is asked for version after version."""
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
        headers = {"apikey": self.repository.apikey} if self.repository.apikey else {}
        try:
            response = self._http.get(url, headers, _IMPATIENT if self._dead else PATIENT)
        except HttpError as error:
            self._dead = True
            return client_failure(str(error), outage=f"{without_secrets(url)}: {error}")
        answer = interpret(response, without_secrets(url))
        self._dead = isinstance(answer, RegistryError) and bool(answer.outage)
        return answer


def interpret(response: Response, url: str) -> Any | RegistryError:
    """An answer as a parsed body or an error, as the reference's streaming client does.

    404 says that the schema is not there, a text that is no JSON that it is broken, and 400, 410 and 414 that it is
    asked for in vain: that is about one schema. Any other answer is not a registry's, or not for us: an outage.
    """
    status = response.status
    if 200 <= status < 300:
        try:
            return jsontext.loads_exact(response.body.decode("utf-8", "replace"))
        except jsontext.JsonError as error:
            outage = (
                f"{url} answers {status} with a web page: it is not the address of a registry, or a login is asked for"
            )
            return client_failure(
                f"Could not decode server response. {error}", outage if _is_page(response.body) else ""
            )
    if status == 404:
        return NOT_FOUND
    body = response.body[:_SHOWN_BODY].decode("utf-8", "replace")
    outage = "" if status in _ABOUT_THE_SCHEMA else f"{url} answers {status}{_ADVICE.get(status, '')}"
    if status >= 500:
        return repo_failure(f"Unexpected server response: {body}", outage)
    if status >= 400:
        return client_failure(f"Unexpected server response: {body}", outage)
    return client_failure(f"Unexpected response: {body}", outage)


def _is_page(body: bytes) -> bool:
    """Whether a body is markup: what proxies, login forms and other servers than registries answer."""
    return body.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")


def undecodable_list(error: SchemaListError) -> RegistryError:
    """A list that breaks the rules of lists."""
    return repo_failure(f"DecodingFailure at : {error}")


def without_secrets(url: str) -> str:
    """The URL without user and password."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
