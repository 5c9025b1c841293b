"""Databricks by HTTP: logins, the SQL Statement Execution API, and files of volumes."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from snowetl.errors import ConfigError, LoadError, TargetError
from snowetl.http import Http, HttpError, Policy, Response
from snowetl.storage import FileInfo, filesystem

EXAMPLE = "databricks://HOST/CATALOG?warehouse=ID"
TOKEN, CLIENT_ID, CLIENT_SECRET = "DATABRICKS_TOKEN", "DATABRICKS_CLIENT_ID", "DATABRICKS_CLIENT_SECRET"
_KNOWN = ("warehouse", "volume", "protocol")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_VOLUME = re.compile(r"/Volumes/[^/]+/[^/]+/[^/]+(?:/[^/]+)*/?")
_STATE = re.compile(r"SQLSTATE: (\w{5})")
_WAIT = "30s"
"""For how long the server holds a request for the result, before it is asked again."""
_ASK = Policy(read=60.0, deadline=120.0, max_bytes=64 << 20, retries=5)
_TELL = Policy(read=60.0, deadline=120.0, max_bytes=64 << 20, retries=2, resend=False)
"""A statement that may have arrived is not sent again."""
_PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)
_EARLY_SECONDS = 300
"""A lent token is renewed so long before it ends."""
_PASSING = ("TEMPORARILY_UNAVAILABLE", "RESOURCE_EXHAUSTED", "REQUEST_LIMIT_EXCEEDED", "DEADLINE_EXCEEDED", "ABORTED",
            "DELTA_CONCURRENT", "ConcurrentAppend", "ConcurrentModification", "ConcurrentWrite", "MetadataChanged",
            "ProtocolChanged", "ConcurrentTransaction")  # fmt: skip
"""What names errors that a second try may cure; of two commits that exclude each other, one gets such an error."""


@dataclass(frozen=True, slots=True)
class Address:
    """A SQL warehouse. ``volume`` is where files of this machine are put for it. Never show the secrets."""

    url: str
    catalog: str
    warehouse: str
    volume: str | None
    token: str | None
    client: tuple[str, str] | None

    @property
    def shown(self) -> str:
        return f"databricks://{self.url.partition('://')[2]}/{self.catalog}"


def address_of(url: str, environment: Mapping[str, str] = os.environ) -> Address:
    """What ``databricks://HOST/CATALOG?warehouse=ID`` and the environment say. Raises ``ConfigError``."""
    parts = urlsplit(url)
    catalog = unquote(parts.path.strip("/"))
    query = dict(parse_qsl(parts.query))
    unknown = sorted(set(query) - set(_KNOWN))
    if unknown:
        raise ConfigError(f"--database: {unknown[0]} is not known; behind ? may stand {', '.join(_KNOWN)}")
    if parts.scheme != "databricks" or not parts.hostname or not _NAME.fullmatch(catalog) or not query.get("warehouse"):
        raise ConfigError(f"--warehouse databricks needs --database {EXAMPLE}")
    volume = query.get("volume")
    if volume is not None and not _VOLUME.fullmatch(volume):
        raise ConfigError(f"--database: volume={volume} is not a volume such as /Volumes/CATALOG/SCHEMA/VOLUME")
    host = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname
    token, client = _login(parts.password, environment)
    return Address(
        f"{query.get('protocol', 'https')}://{host}",
        catalog,
        query["warehouse"],
        None if volume is None else volume.rstrip("/"),
        token,
        client,
    )


def _login(password: str | None, environment: Mapping[str, str]) -> tuple[str | None, tuple[str, str] | None]:
    """A token, or client and secret of a service principal."""
    if password:
        return unquote(password), None
    token, client, secret = (environment.get(name) for name in (TOKEN, CLIENT_ID, CLIENT_SECRET))
    if token and client:
        raise ConfigError(f"{TOKEN} and {CLIENT_ID} are two ways to log in to Databricks: leave one of them set")
    if token:
        return token, None
    if client and secret:
        return None, (client, secret)
    raise ConfigError(f"there is no login to Databricks: set {TOKEN}, or {CLIENT_ID} and {CLIENT_SECRET}")


class DatabricksError(Exception):
    """A statement that failed. ``state`` is its SQL state, empty where it has none."""

    def __init__(self, message: str, code: str = "", state: str = "") -> None:
        super().__init__(" ".join(message.split()))
        found = _STATE.search(message)
        self.code = code
        self.state = state or (found[1] if found else "")

    @property
    def passing(self) -> bool:
        return self.state.startswith("40") or any(name in f"{self.code} {self}" for name in _PASSING)


class Result(NamedTuple):
    """Columns with their types as SQL prints them, and rows of texts."""

    columns: list[tuple[str, str]]
    rows: list[list[str | None]]


class Client:
    """Statements of one loader. Close it."""

    def __init__(self, address: Address, sleep: Callable[[float], Any] = time.sleep) -> None:
        self._address = address
        self._http = Http(secrets=[secret for secret in (address.token, *(address.client or ())) if secret])
        self._sleep = sleep
        self._token = address.token
        self._renew_at = float("inf") if address.token else 0.0

    def close(self) -> None:
        self._http.close()

    def run(self, sql: str, seconds: float) -> Result:
        """The result of a statement, which may take so long; 0: as long as it likes.

        Raises :class:`DatabricksError`, ``TargetError`` where the server cannot be asked, ``LoadError`` where the
        statement takes too long: it is cancelled then.
        """
        body = {
            "warehouse_id": self._address.warehouse, "catalog": self._address.catalog, "statement": sql,
            "wait_timeout": _WAIT, "on_wait_timeout": "CONTINUE", "format": "JSON_ARRAY", "disposition": "INLINE",
        }  # fmt: skip
        until = time.monotonic() + (seconds or float("inf"))
        found = self._json("POST", "/api/2.0/sql/statements", body)
        asked = 0
        while found["status"]["state"] in ("PENDING", "RUNNING"):
            place = f"/api/2.0/sql/statements/{found['statement_id']}"
            if time.monotonic() > until:
                self._json("POST", f"{place}/cancel", {})
                raise LoadError(f"{self._address.shown}: a statement took longer than {seconds:,.0f} s", transient=True)
            self._sleep(_PAUSES[min(asked, len(_PAUSES) - 1)])
            asked += 1
            found = self._json("GET", place)
        status = found["status"]
        if status["state"] != "SUCCEEDED":
            error = status.get("error") or {}
            message = error.get("message") or f"the statement is {status['state']}"
            raise DatabricksError(message, str(error.get("error_code", "")), str(status.get("sql_state", "")))
        return self._result(found)

    def _result(self, found: Mapping[str, Any]) -> Result:
        schema = (found.get("manifest") or {}).get("schema") or {}
        columns = [(column["name"], column.get("type_text", "")) for column in schema.get("columns") or ()]
        chunk = found.get("result") or {}
        rows = list(chunk.get("data_array") or ())
        while chunk.get("next_chunk_internal_link"):
            chunk = self._json("GET", chunk["next_chunk_internal_link"])
            rows += chunk.get("data_array") or ()
        return Result(columns, rows)

    def upload(self, file: FileInfo, path: str) -> None:
        """A stored file as one of a volume, in the place of the one that is there."""
        with filesystem(file.url).open(file.url) as source:
            data = source.read()
        url = f"{self._address.url}/api/2.0/fs/files{quote(path)}?overwrite=true"
        seconds = 60.0 + file.size / 100_000
        policy = Policy(read=seconds, deadline=3 * seconds, retries=3)
        self._checked(self._send("PUT", url, data, "application/octet-stream", policy))

    def remove(self, path: str) -> None:
        self._checked(self._send("DELETE", f"{self._address.url}/api/2.0/fs/files{quote(path)}", None, "", _ASK))

    def _json(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        policy = _ASK if method == "GET" else _TELL
        response = self._send(method, self._address.url + path, data, "application/json", policy)
        self._checked(response)
        found: dict[str, Any] = json.loads(response.body or b"{}")
        return found

    def _send(self, method: str, url: str, data: bytes | None, content: str, policy: Policy) -> Response:
        headers = {"authorization": f"Bearer {self._lent()}", **({"content-type": content} if content else {})}
        try:
            return self._http.request(method, url, headers=headers, body=data, policy=policy)
        except HttpError as error:
            raise TargetError(f"{self._address.shown} does not answer: {error}", transient=error.passing) from None

    def _checked(self, response: Response) -> None:
        if response.status < 300:
            return
        try:
            said = json.loads(response.body)
            code, reason = str(said.get("error_code", "")), str(said.get("message", ""))
        except (ValueError, AttributeError):
            code, reason = "", response.body[:200].decode("utf-8", "replace")
        passing = response.status in _ASK.retried or any(name in code for name in _PASSING)
        raise TargetError(
            f"{self._address.shown} answers {response.status}: {' '.join(f'{code} {reason}'.split())}",
            transient=passing,
        )

    def _lent(self) -> str:
        """The token; that of a service principal is asked for, and renewed before it ends."""
        if self._token is not None and time.monotonic() < self._renew_at:
            return self._token
        assert self._address.client is not None
        body = urlencode({"grant_type": "client_credentials", "scope": "all-apis"}).encode()
        headers = {"content-type": "application/x-www-form-urlencoded"}
        url = f"{self._address.url}/oidc/v1/token"
        try:
            response = self._http.request(
                "POST", url, headers=headers, body=body, auth=self._address.client, policy=_ASK
            )
        except HttpError as error:
            raise TargetError(f"{self._address.shown} lends no token: {error}", transient=error.passing) from None
        if response.status != 200:
            words = f"{self._address.shown} lends no token to the client of {CLIENT_ID} ({response.status})"
            raise TargetError(words, transient=response.status in _ASK.retried)
        lent = json.loads(response.body)
        self._token = str(lent["access_token"])
        self._renew_at = time.monotonic() + max(float(lent.get("expires_in", 3600)) - _EARLY_SECONDS, 1.0)
        return self._token
