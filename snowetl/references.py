"""References to secrets that AWS keeps: ``${secretsmanager:NAME}``, ``${secretsmanager:NAME#key}``, ``${ssm:NAME}``.

They may stand wherever a secret may: in resolver and enrichment files, and in the address of a database. A reference
travels in the open (in arguments, plans and files), the secret does not: whoever needs it looks it up, with the rights
of its own role.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import quote

from snowetl.errors import ConfigError
from snowetl.jvm import jsontext

_REFERENCE = re.compile(r"\$\{((?:secretsmanager|ssm):[^{}]+)\}")


def has_reference(text: str) -> bool:
    return _REFERENCE.search(text) is not None


def is_reference(text: str) -> bool:
    """Whether ``text`` is a reference, and nothing else."""
    return _REFERENCE.fullmatch(text.strip()) is not None


def without_references(text: str) -> str:
    return _REFERENCE.sub("", text)


@lru_cache(maxsize=256)
def look_up(reference: str) -> str:
    """The secret that ``secretsmanager:NAME#key`` or ``ssm:NAME`` names; asked for once a process.

    Of a secret that is JSON, ``#key`` is the value of a key. Raises :class:`ConfigError`, which never holds the secret.
    """
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    store, _, name = reference.partition(":")
    name, _, key = name.strip().partition("#")
    try:
        if store == "ssm":
            found = boto3.client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
        else:
            found = boto3.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"]
    except (BotoCoreError, ClientError, KeyError) as error:
        raise ConfigError(f"${{{reference}}} cannot be looked up: {error}") from None
    return _value_of(str(found), key, reference) if key else str(found)


def _value_of(text: str, key: str, reference: str) -> str:
    try:
        return str(jsontext.loads(text)[key])
    except (jsontext.JsonError, KeyError, TypeError):
        raise ConfigError(f"${{{reference}}}: the secret is not JSON with the key {key}") from None


def in_address(address: str) -> str:
    """The address of a database (a URL, or ``key=value`` as libpq writes it) with its secrets, spelled as it needs.

    An address that is a reference as a whole is taken as it is kept. Raises :class:`ConfigError`.
    """
    if is_reference(address):
        return look_up(address.strip()[2:-1])
    return _REFERENCE.sub(lambda match: _spelled(look_up(match[1]), "://" in address), address)


def _spelled(secret: str, in_url: bool) -> str:
    if in_url:
        return quote(secret, safe="")
    escaped = secret.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
