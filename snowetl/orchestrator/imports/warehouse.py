"""Connections of other loaders as our settings: a URL without its password, a schema, a role."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from snowetl.orchestrator.imports.found import Carried, Left

_SSL_MODES = {
    "DISABLE": "disable",
    "ALLOW": "allow",
    "PREFER": "prefer",
    "REQUIRE": "require",
    "VERIFY_CA": "verify-ca",
    "VERIFY_FULL": "verify-full",
}
_PORTS = {"redshift": 5439, "postgres": 5432}
_SCHEMES = {"redshift": "redshift", "postgres": "postgresql"}


@dataclass(frozen=True)
class Connection:
    """What a loader was told of its warehouse. ``kind`` is ``redshift`` or ``postgres``; ``where`` names the file.

    Texts are in the syntax of ``snowetl.yml``. ``password`` is as the loader's configuration has it: a text, a
    reference ``${NAME}``, or a mapping that names an entry of the Parameter Store.
    """

    kind: str
    where: str
    host: Any
    database: Any
    username: Any
    port: Any = None
    password: Any = None
    schema: Any = None
    ssl: bool = True
    ssl_mode: str | None = None
    role_arn: str | None = None
    assume_role_arn: str | None = None
    region: str | None = None
    max_error: int | None = None
    ssh_tunnel: Any = None
    left: tuple[Left, ...] = field(default=())


def settings(connection: Connection) -> tuple[dict[str, Carried], list[Left]]:
    """Keys of ``snowetl.yml`` for a warehouse, and what has to be done by hand."""
    left = [*connection.left]
    query: list[str] = []
    password = _password(connection, left)
    if connection.kind == "redshift" and not connection.ssl:
        query.append("ssl=false")
    if connection.kind == "postgres" and connection.ssl_mode:
        query.append(f"sslmode={_SSL_MODES.get(str(connection.ssl_mode), str(connection.ssl_mode).lower())}")
    user = _in_url(connection.username)
    address = f"{_in_url(connection.host)}:{connection.port or _PORTS[connection.kind]}"
    url = f"{_SCHEMES[connection.kind]}://{user}{password}@{address}/{_in_url(connection.database)}"
    if query:
        url += "?" + "&".join(query)
    if connection.ssh_tunnel:
        left.append(
            Left(
                f"{connection.where}: sshTunnel",
                "a load opens no tunnel",
                "Open it with ssh -L before the load, and point `database` at it; or load where it is reachable",
            )
        )
    origins: dict[str, Any] = {
        "warehouse": connection.kind,
        "database": url,
        "schema": connection.schema,
        "role-arn": connection.role_arn,
        "assume-role-arn": connection.assume_role_arn,
        "region": connection.region,
        "max-error": connection.max_error,
    }
    return {key: Carried(value, connection.where) for key, value in origins.items() if value is not None}, left


def _password(connection: Connection, left: list[Left]) -> str:
    """The part of the URL that stands for the password: a reference."""
    given = connection.password
    if isinstance(given, Mapping):
        for name in _parameter_names(given):
            return f":${{ssm:{name}}}"
    if isinstance(given, str) and given.startswith("${") and given.endswith("}"):
        return f":{given}"
    variable = f"{connection.kind.upper()}_PASSWORD"
    left.append(
        Left(
            f"{connection.where}: password",
            "passwords are not written to files",
            f"Set {variable} in the environment of each run (percent-encoded where it has characters such as / or @), "
            "or write ${secretsmanager:NAME} or ${ssm:NAME} in its place",
        )
    )
    return f":${{{variable}}}"


def _parameter_names(given: Mapping[str, Any]) -> Iterator[str]:
    for store in given.values():
        if isinstance(store, Mapping) and "parameterName" in store:
            yield str(store["parameterName"])


def _in_url(value: Any) -> str:
    """A part of a URL; references to the environment stay as they are."""
    return quote(str(value), safe="${}.-_~")
