"""Connection URLs of PostgreSQL: those that can be, and how they are shown."""

from __future__ import annotations

import re

from snowetl.errors import ConfigError

_PASSWORD = re.compile(
    r"(//[^:/@\s]*:)(?:[^/\s?#]*|[^\s@]*)(@)|(\bpassword\s*=\s*)(?:'(?:[^'\\]|\\.)*'|[^\s&]+)", re.IGNORECASE
)
_KEYWORDS = re.compile(r"\s*\w+\s*=")
_OTHERS = {
    "mysql": "MySQL", "mariadb": "MariaDB", "oracle": "Oracle", "sqlserver": "SQL Server", "mssql": "SQL Server",
    "snowflake": "Snowflake", "sqlite": "SQLite", "databricks": "Databricks",
}  # fmt: skip
_EXAMPLE = "postgresql://USER:PASSWORD@HOST:5432/DATABASE"


def checked(url: str) -> str:
    """``url`` itself. Raises ``ConfigError`` for what no PostgreSQL server can be reached by."""
    text = url.strip()
    scheme, separator, rest = text.partition("://")
    if separator and "=" not in scheme:
        text = f"{scheme.lower()}://{rest}"
    if text.startswith(("postgresql://", "postgres://")) or (_KEYWORDS.match(text) and "://" not in text.split("=")[0]):
        _parse(text)
        return text
    raise ConfigError(f"--database {shown(text)}: {_what_is_wrong(text)}; write {_EXAMPLE}")


def _parse(text: str) -> None:
    try:
        from psycopg import Error
        from psycopg.conninfo import conninfo_to_dict
    except ImportError:  # said elsewhere
        return
    try:
        host = str(conninfo_to_dict(text).get("host") or "")
        if "@" in host:
            raise ConfigError(f"--database {shown(text)}: an @ in the password must be written %40; write {_EXAMPLE}")
    except Error as error:
        raise ConfigError(f"--database cannot be read: {shown(str(error).strip())}; write {_EXAMPLE}") from None


def host_and_port(url: str) -> tuple[str, int]:
    """The one server a URL names. Raises ``ConfigError`` for several, and for a socket."""
    from psycopg.conninfo import conninfo_to_dict

    found = conninfo_to_dict(checked(url))
    host = str(found.get("host") or "")
    if not host or "," in host or host.startswith("/"):
        raise ConfigError(f"--ssh-tunnel leads to one host; --database {shown(url)} names {host or 'none'}")
    return host, int(str(found.get("port") or 5432))


def through(url: str, port: int) -> str:
    """The URL of the same server behind a port of this machine. Its name stays: certificates are checked by it."""
    from psycopg.conninfo import make_conninfo

    return make_conninfo(checked(url), hostaddr="127.0.0.1", port=port)


def _what_is_wrong(text: str) -> str:
    scheme = text.partition(":")[0].lower()
    if scheme == "jdbc":
        return "this is a URL for Java's drivers; leave out jdbc: and put user and password before the host"
    if scheme.partition("+")[0] in ("postgresql", "postgres"):
        return (
            f"this is a URL of SQLAlchemy; leave out {scheme[scheme.find('+') :]}" if "+" in scheme else "// is missing"
        )
    if scheme == "redshift":
        return "this is a Redshift cluster; add --warehouse redshift"
    if scheme in _OTHERS:
        return f"{_OTHERS[scheme]} is not a warehouse snowetl loads"
    if "://" in text:
        return f"{scheme}:// is not a URL of PostgreSQL"
    return "a connection URL is needed"


def shown(text: str) -> str:
    """A URL, or a message that has one in it, without passwords."""
    return _PASSWORD.sub(lambda match: f"{match[1]}***{match[2]}" if match[1] else f"{match[3]}***", text)
