"""How to reach Snowflake: the address, and the secret of the user, which is read from the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from snowetl.errors import ConfigError
from snowetl.settings.words import listed

EXAMPLE = "snowflake://USER@ACCOUNT/DATABASE?warehouse=WAREHOUSE"
_IDENTIFIER = r"[A-Za-z_][A-Za-z0-9_$]*"
_NAME = re.compile(_IDENTIFIER)
_STAGE = re.compile(rf"{_IDENTIFIER}(?:\.{_IDENTIFIER}){{0,2}}")
_KNOWN = ("warehouse", "role", "stage", "integration", "private_key_file", "host", "port", "protocol")
PRIVATE_KEY_FILE, PASSPHRASE = "SNOWFLAKE_PRIVATE_KEY_FILE", "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE"
TOKEN, PASSWORD = "SNOWFLAKE_TOKEN", "SNOWFLAKE_PASSWORD"
_WAYS = (PRIVATE_KEY_FILE, TOKEN, PASSWORD)
_LOGIN_SECONDS = 60


@dataclass(frozen=True, slots=True)
class SnowflakeLogin:
    """Who connects where. ``keywords`` are those of the driver; never show them.

    ``stage`` is the external stage that rows on S3 are read through, ``integration`` the storage integration that
    reads them where there is no such stage.
    """

    keywords: Mapping[str, Any]
    stage: str | None = None
    integration: str | None = None

    @property
    def shown(self) -> str:
        return f"snowflake://{self.keywords['account']}/{self.keywords['database']}"


def login_of(url: str, environment: Mapping[str, str] = os.environ) -> SnowflakeLogin:
    """The login that ``snowflake://USER@ACCOUNT/DATABASE?warehouse=…&role=…`` describes.

    The secret is a private key (``?private_key_file=``, or the variable), an OAuth token, or a password; of a user who
    has another way of the three in the environment, the one in the address is taken. Raises ``ConfigError``.
    """
    parts = urlsplit(url)
    database = unquote(parts.path.strip("/"))
    if parts.scheme != "snowflake" or not parts.hostname or not _NAME.fullmatch(database) or not parts.username:
        raise ConfigError(f"--warehouse snowflake needs --database {EXAMPLE}")
    query = dict(parse_qsl(parts.query))
    unknown = sorted(set(query) - set(_KNOWN))
    if unknown:
        raise ConfigError(f"--database: {unknown[0]} is not known; behind ? may stand {', '.join(_KNOWN)}")
    for key, pattern in (("warehouse", _NAME), ("role", _NAME), ("integration", _NAME), ("stage", _STAGE)):
        if key in query and not pattern.fullmatch(query[key]):
            raise ConfigError(f"--database: {key}={query[key]} is not a name of Snowflake's")
    if "stage" in query and "integration" in query:
        raise ConfigError("--database: stage= and integration= are two ways to read the same files: give one")
    keywords: dict[str, Any] = {
        "user": unquote(parts.username),
        "account": parts.hostname,
        "database": database,
        "login_timeout": _LOGIN_SECONDS,
        **{key: query[key] for key in ("warehouse", "role", "host", "protocol") if key in query},
        **({"port": int(query["port"])} if query.get("port", "").isdecimal() else {}),
        **_secret(parts.password, query.get("private_key_file"), environment),
    }
    return SnowflakeLogin(keywords, query.get("stage"), query.get("integration"))


def _secret(password: str | None, key_file: str | None, environment: Mapping[str, str]) -> dict[str, str]:
    """The driver's keywords for the one way to log in."""
    if password and key_file:
        raise ConfigError("--database has two ways to log in: the password and private_key_file; give one")
    if password:
        return {"password": unquote(password)}
    if key_file is None:
        found = [name for name in _WAYS if environment.get(name)]
        if len(found) > 1:
            raise ConfigError(f"{listed(found)} are several ways to log in to Snowflake: leave one of them set")
        if not found:
            raise ConfigError(
                f"there is no login to Snowflake: set one of {', '.join(_WAYS)}, or write &private_key_file=FILE"
            )
        if found[0] == TOKEN:
            return {"authenticator": "oauth", "token": environment[TOKEN]}
        if found[0] == PASSWORD:
            return {"password": environment[PASSWORD]}
        key_file = environment[PRIVATE_KEY_FILE]
    if not Path(key_file).is_file():
        raise ConfigError(f"the private key {key_file} is not there (looked for in {Path.cwd()})")
    passphrase = environment.get(PASSPHRASE)
    return {
        "authenticator": "SNOWFLAKE_JWT",
        "private_key_file": str(Path(key_file).resolve()),
        **({"private_key_file_pwd": passphrase} if passphrase else {}),
    }
