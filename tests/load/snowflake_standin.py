"""A stand-in for Snowflake: its protocol on a loopback port, for the real driver, and its SQL on the embedded Postgres.

Each statement is read by sqlglot's dialect first, so that what is not Snowflake's fails. What it holds of the server is
in its documentation: DDL commits the transaction it stands in; a statement that fails is undone, the transaction goes
on; an update keeps its table from other updates until the transaction ends; a ``COPY`` that transforms its rows stops
at the first that does not fit, whatever ``ON_ERROR`` says; a session whose client is gone is rolled back. ``PUT`` goes
to an S3 endpoint, as the driver does it.
"""

from __future__ import annotations

import gzip
import json
import re
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import unquote

import boto3
import psycopg
import sqlglot
from sqlglot import exp

from tests.load.places.on_s3 import BUCKET

_DETACHED_SECONDS = 3.0
"""Snowflake waits for five minutes, where others wait for the session's locks."""
_DDL = ("CREATE", "ALTER TABLE", "DROP")
_PATH = re.compile(
    r'(?P<row>\$1|\bv|sf_try_parse_json\(line\)):(?P<path>(?:\w+|"[^"]*")(?:\.\w+)*)'
    r"(?:::(?P<type>[A-Z_]+(?:\(\d+, \d+\))?))?"
)
_NUL = re.compile(r"\x00|(?<!\\)((?:\\\\)*)\\u0000")
"""What Postgres holds of no text, Snowflake does."""
_COPY = re.compile(
    r"COPY INTO (?P<table>[\w.]+) \((?P<columns>[^)]*)\) FROM \((?P<select>SELECT .* FROM (?P<place>@\S+))\) "
    r"FILES = \((?P<files>.*?)\) FILE_FORMAT = \(TYPE = (?P<type>\w+)(?P<options>.*)\) ON_ERROR = ABORT_STATEMENT "
    r"FORCE = TRUE(?P<rest>.*)",
    re.DOTALL,
)
_STAGE = re.compile(r"CREATE OR REPLACE TEMPORARY STAGE (?P<name>\S+)(?: URL = '(?P<url>[^']*)' (?P<reader>.*))?")
_PUT = re.compile(r"PUT 'file://(?P<path>(?:[^'\\]|\\.)*)' @(?P<stage>[^/]+)/(?P<folder>\S*) ")
_FUNCTIONS = (
    "TRY_TO_TIMESTAMP_NTZ", "TRY_TO_NUMBER", "TRY_TO_DOUBLE", "TRY_TO_BOOLEAN", "TRY_PARSE_JSON", "PARSE_JSON",
    "AS_ARRAY", "AS_OBJECT", "TYPEOF", "TO_JSON", "TO_VARIANT", "TO_VARCHAR", "SYSDATE", "CURRENT_WAREHOUSE",
    "CURRENT_DATABASE",
)  # fmt: skip
_TEXTS = (
    (re.compile(r",\s+CONSTRAINT \w+ PRIMARY KEY \(event_id\)| PRIMARY KEY"), ""),  # no key is enforced
    (re.compile(r"\bNUMBER\(", re.IGNORECASE), "numeric("),
    (re.compile(r"\bDOUBLE\b", re.IGNORECASE), "double precision"),
    (re.compile(r"(\s)ARRAY\b"), r"\1sf_array"),
    (re.compile(r"::ARRAY\b"), "::sf_array"),
    (re.compile(r"information_schema\."), "sf."),
    (re.compile(r"\bTEMPORARY TABLE IF NOT EXISTS \w+\."), "TEMPORARY TABLE IF NOT EXISTS "),
    (re.compile(r"\b\w+\.snowetl_lines"), "pg_temp.snowetl_lines"),
    (re.compile(r'"([A-Z_0-9]+)"'), lambda match: f'"{match[1].lower()}"'),
)
_SET_UP = """
CREATE SCHEMA sf;
CREATE DOMAIN sf.sf_array AS jsonb;
CREATE DOMAIN sf.object AS jsonb;
CREATE DOMAIN sf.variant AS jsonb;
CREATE DOMAIN sf.timestamp_ntz AS timestamp;
CREATE VIEW sf.schemata AS SELECT upper(nspname) AS schema_name FROM pg_namespace;
CREATE VIEW sf.columns AS SELECT upper(table_schema) AS table_schema, upper(table_name) AS table_name,
    upper(column_name) AS column_name, ordinal_position, character_maximum_length, is_nullable,
    CASE WHEN domain_name = 'sf_array' THEN 'ARRAY' WHEN domain_name IS NOT NULL THEN upper(domain_name)
    WHEN data_type LIKE 'character%' THEN 'TEXT' WHEN data_type = 'double precision' THEN 'FLOAT'
    WHEN data_type = 'boolean' THEN 'BOOLEAN' ELSE 'NUMBER' END AS data_type
    FROM information_schema.columns;
CREATE FUNCTION sf.sf_typeof(j jsonb) RETURNS text LANGUAGE sql AS $$ SELECT CASE jsonb_typeof(j)
    WHEN 'string' THEN 'VARCHAR' WHEN 'number' THEN 'DECIMAL' WHEN 'null' THEN 'NULL_VALUE'
    ELSE upper(jsonb_typeof(j)) END $$;
CREATE FUNCTION sf.sf_parse_json(t text) RETURNS jsonb LANGUAGE sql AS $$ SELECT t::jsonb $$;
CREATE FUNCTION sf.sf_try_parse_json(t text) RETURNS jsonb LANGUAGE plpgsql AS
    $$ BEGIN RETURN t::jsonb; EXCEPTION WHEN data_exception THEN RETURN NULL; END $$;
CREATE FUNCTION sf.sf_to_json(j jsonb) RETURNS text LANGUAGE sql AS $$ SELECT j::text $$;
CREATE FUNCTION sf.sf_to_variant(t text) RETURNS jsonb LANGUAGE sql AS $$ SELECT to_jsonb(t) $$;
CREATE FUNCTION sf.sf_to_varchar(t timestamp, f text) RETURNS text LANGUAGE sql AS
    $$ SELECT to_char(t, 'YYYY-MM-DD HH24:MI:SS.US') $$;
CREATE FUNCTION sf.sf_sysdate() RETURNS timestamp LANGUAGE sql AS $$ SELECT clock_timestamp() AT TIME ZONE 'UTC' $$;
CREATE FUNCTION sf.sf_current_warehouse() RETURNS text LANGUAGE sql AS
    $$ SELECT nullif(current_setting('sf.warehouse', true), '') $$;
CREATE FUNCTION sf.sf_current_database() RETURNS text LANGUAGE sql AS $$ SELECT 'DB' $$;
CREATE FUNCTION sf.sf_as_array(j jsonb) RETURNS jsonb LANGUAGE sql AS
    $$ SELECT CASE jsonb_typeof(j) WHEN 'array' THEN j END $$;
CREATE FUNCTION sf.sf_as_object(j jsonb) RETURNS jsonb LANGUAGE sql AS
    $$ SELECT CASE jsonb_typeof(j) WHEN 'object' THEN j END $$;
CREATE FUNCTION sf.sf_array_of(j jsonb) RETURNS jsonb LANGUAGE sql AS
    $$ SELECT CASE WHEN jsonb_typeof(j) = 'array' THEN j WHEN j IS NOT NULL THEN jsonb_build_array(j) END $$;
CREATE FUNCTION sf.sf_object_of(j jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN
    IF j IS NOT NULL AND jsonb_typeof(j) <> 'object' THEN
        RAISE EXCEPTION 'Failed to cast variant value to OBJECT' USING ERRCODE = '22018'; END IF;
    RETURN j; END $$;
CREATE FUNCTION sf.sf_text_of(j jsonb) RETURNS text LANGUAGE sql AS $$ SELECT j #>> '{}' $$;
CREATE FUNCTION sf.sf_timestamp_of(t text) RETURNS timestamp LANGUAGE sql AS
    $$ SELECT (t::timestamptz AT TIME ZONE 'UTC')::timestamp $$;
CREATE FUNCTION sf.sf_try_to_timestamp_ntz(t text) RETURNS timestamp LANGUAGE plpgsql AS
    $$ BEGIN RETURN sf.sf_timestamp_of(t); EXCEPTION WHEN data_exception THEN RETURN NULL; END $$;
CREATE FUNCTION sf.sf_try_to_number(t text, p int, s int) RETURNS numeric LANGUAGE plpgsql AS $$ DECLARE n numeric;
    BEGIN EXECUTE format('SELECT %L::numeric(%s, %s)', t, p, s) INTO n; RETURN n;
    EXCEPTION WHEN data_exception THEN RETURN NULL; END $$;
CREATE FUNCTION sf.sf_try_to_double(t text) RETURNS double precision LANGUAGE plpgsql AS
    $$ BEGIN RETURN t::double precision; EXCEPTION WHEN data_exception THEN RETURN NULL; END $$;
CREATE FUNCTION sf.sf_try_to_boolean(t text) RETURNS boolean LANGUAGE plpgsql AS
    $$ BEGIN RETURN t::boolean; EXCEPTION WHEN data_exception THEN RETURN NULL; END $$;
"""


class Refused(Exception):
    """What the server answers instead of a result."""

    def __init__(self, code: int, state: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.state = state


class Answer(NamedTuple):
    """A result: names of columns, rows, and the kind of the statement as the protocol numbers it."""

    names: list[str]
    rows: list[tuple[Any, ...]]
    kind: int = 4096


_DONE = Answer(["status"], [("Statement executed successfully.",)])
_INSERT, _UPDATE, _DELETE = 12544, 12800, 13056


class Stage(NamedTuple):
    bucket: str
    prefix: str


class ServerSession:
    """One session: a connection to Postgres, and its temporary stages."""

    def __init__(self, server: SnowflakeServer, warehouse: str) -> None:
        self._server = server
        self.connection = psycopg.connect(server.url, autocommit=True)
        self.connection.execute("SET TIME ZONE 'UTC'; SET search_path = public, sf, pg_temp")
        self.connection.execute("SELECT set_config('sf.warehouse', %s, false)", [warehouse or None])
        self._in_transaction = False
        self._stages: dict[str, Stage] = {}
        self.lines: set[Any] = set()
        """Connections of its client that are open."""

    def execute(self, sql: str) -> Answer:
        """Raises :class:`Refused`."""
        sqlglot.parse_one(sql, read="snowflake", error_level=sqlglot.ErrorLevel.RAISE)
        self._server.statements.append(sql)
        if self._server.fail_on and self._server.fail_on in sql:
            raise Refused(603, "XX000", "the server has a bad day")
        if sql.startswith(_DDL) and self._in_transaction:
            self._server.implicit_commits.append(sql)
            self.connection.execute("COMMIT")
            self._in_transaction = False
        if sql in ("BEGIN TRANSACTION", "COMMIT", "ROLLBACK"):
            return self._transact(sql)
        if stage := _STAGE.fullmatch(sql):
            return self._make_stage(stage)
        if sql.startswith("DESC STAGE "):
            url = self._server.external.get(sql.removeprefix("DESC STAGE "))
            if url is None:
                raise Refused(2003, "02000", f"Stage '{sql[11:]}' does not exist or not authorized.")
            urls = json.dumps([url])
            return Answer(["parent", "property", "type", "value"], [("STAGE_LOCATION", "URL", "String", urls)])
        try:
            with self.connection.transaction():
                copy = _COPY.fullmatch(sql)
                return self._copy(copy) if copy else self._plain(sql)
        except psycopg.Error as error:
            raise _refusal(error) from error

    def _transact(self, sql: str) -> Answer:
        if self._in_transaction == (sql == "BEGIN TRANSACTION"):
            return _DONE  # Snowflake lets it pass
        self._in_transaction = not self._in_transaction
        self.connection.execute(sql)
        return _DONE

    def _make_stage(self, stage: re.Match[str]) -> Answer:
        if stage["url"] is None:
            self._stages[stage["name"]] = Stage(BUCKET, f"internal/{uuid.uuid4()}/")
        else:
            assert stage["reader"].startswith(("STORAGE_INTEGRATION = ", "CREDENTIALS = (AWS_KEY_ID = "))
            bucket, _, prefix = stage["url"].removeprefix("s3://").partition("/")
            self._stages[stage["name"]] = Stage(bucket, prefix)
        return _DONE

    def upload(self, put: re.Match[str]) -> dict[str, Any]:
        """What the driver needs to upload a file by itself."""
        stage = self._stages[put["stage"]]
        folder = f"{stage.prefix}{put['folder']}"
        info = {
            "locationType": "S3", "location": f"{stage.bucket}/{folder}", "path": folder, "region": "eu-west-1",
            "endPoint": self._server.s3["endpoint_url"], "isClientSideEncrypted": False, "useRegionalUrl": False,
            "creds": {"AWS_KEY_ID": "test", "AWS_SECRET_KEY": "test", "AWS_TOKEN": "t"},
        }  # fmt: skip
        return {
            "command": "UPLOAD", "src_locations": [re.sub(r"\\(.)", r"\1", put["path"])], "autoCompress": False,
            "overwrite": True, "sourceCompression": "auto_detect", "parallel": 1, "threshold": 209_715_200,
            "stageInfo": info, "encryptionMaterial": None, "queryId": "02", "statementTypeId": _INSERT,
        }  # fmt: skip

    def _plain(self, sql: str) -> Answer:
        cursor = self.connection.execute(_translated(sql))  # type: ignore[call-overload]
        if cursor.description:
            return Answer([column.name for column in cursor.description], cursor.fetchall())
        for word, kind in (("INSERT", _INSERT), ("UPDATE", _UPDATE), ("DELETE", _DELETE)):
            if sql.startswith(word):
                return Answer([f"number of rows {word.lower()}ed"], [(cursor.rowcount,)], kind)
        return _DONE

    def _copy(self, copy: re.Match[str]) -> Answer:
        files = re.findall(r"'((?:[^']|'')*)'", copy["files"])
        assert len(files) <= 1000
        lines = [line for name in files for line in self._lines(copy["place"], name.replace("''", "'"))]
        if not files:
            return Answer(["status"], [("Copy executed with 0 files processed.",)])
        if copy["type"] == "CSV":
            assert "FIELD_DELIMITER = NONE RECORD_DELIMITER = '\\n' NULL_IF = ()" in copy["options"]
            self._insert("pg_temp.snowetl_lines (line)", "line", lines)
        else:
            for line in lines:
                with suppress(ValueError):
                    if json.loads(line) is not None:
                        continue
                raise Refused(100069, "22P02", f"Error parsing JSON: {line[:100]}")
            self._insert(f"{copy['table']} ({copy['columns']})", self._values(copy), lines)
        rows = [(name, "LOADED", 0, 0) for name in files[1:]]
        return Answer(
            ["file", "status", "rows_parsed", "rows_loaded"], [(files[0], "LOADED", len(lines), len(lines)), *rows]
        )

    def _insert(self, target: str, values: str, lines: list[str]) -> None:
        self.connection.execute("CREATE TEMPORARY TABLE sf_lines (line text) ON COMMIT DROP")
        with self.connection.cursor() as cursor, cursor.copy("COPY sf_lines FROM STDIN") as out:
            for line in lines:
                out.write_row((_NUL.sub("\\1\ufffd", line),))
        self.connection.execute(f"INSERT INTO {target} SELECT {values} FROM (SELECT line FROM sf_lines) AS lines")  # type: ignore[call-overload]
        self.connection.execute("DROP TABLE sf_lines")

    def _values(self, copy: re.Match[str]) -> str:
        """The selected values; texts are cut to their columns."""
        selected = sqlglot.parse_one(copy["select"], read="snowflake")
        assert isinstance(selected, exp.Select)
        items = _items(copy["select"].removeprefix("SELECT ").rpartition(" FROM ")[0])
        lengths = dict(
            self.connection.execute(
                "SELECT column_name, character_maximum_length FROM information_schema.columns "
                "WHERE table_schema || '.' || table_name = %s",
                [copy["table"]],
            ).fetchall()
        )
        columns = [column.strip().strip('"').lower() for column in copy["columns"].split(", ")]
        assert len(items) == len(columns) == len(selected.expressions)
        cut = "TRUNCATECOLUMNS = TRUE" in copy["rest"]
        values = []
        for item, column in zip(items, columns, strict=True):
            value = _translated(item).replace("$1", "line::jsonb")
            values.append(f"left({value}, {lengths[column]})" if cut and lengths.get(column) else value)
        return ", ".join(values)

    def _lines(self, place: str, name: str) -> Iterator[str]:
        stage, _, folder = place.removeprefix("@").partition("/")
        if stage in self._server.external:
            bucket, _, prefix = self._server.external[stage].removeprefix("s3://").partition("/")
            found = Stage(bucket, prefix)
        else:
            found = self._stages[stage]
        client = boto3.client("s3", **self._server.s3)
        data = client.get_object(Bucket=found.bucket, Key=f"{found.prefix}{unquote(folder)}{name}")["Body"].read()
        text = (gzip.decompress(data) if name.endswith(".gz") else data).decode("utf-8", "replace")
        yield from text.removesuffix("\n").split("\n") if text else ()


def _items(selected: str) -> list[str]:
    """The expressions of a select list."""
    items, depth = [""], 0
    for piece in re.findall(r"[^(),]+|.", selected):
        depth += (piece == "(") - (piece == ")")
        if piece == "," and not depth:
            items.append("")
        else:
            items[-1] += piece
    return [item.strip() for item in items]


def _translated(sql: str) -> str:
    """A statement, or an expression, as Postgres takes it. Texts in it stay as they are."""
    return "".join(
        piece if piece.startswith("'") else _translated_words(piece)
        for piece in re.findall(r"'(?:[^']|'')*'|[^']+", sql)
    )


def _translated_words(sql: str) -> str:
    for name in _FUNCTIONS:
        sql = re.sub(rf"(?<![\w]){name}\(", f"sf_{name.lower()}(", sql)
    sql = _PATH.sub(_path, sql)
    for pattern, new in _TEXTS:
        sql = pattern.sub(new, sql)  # type: ignore[arg-type]
    return sql


def _path(match: re.Match[str]) -> str:
    keys = ",".join(key.strip('"') for key in re.findall(r'"[^"]*"|\w+', match["path"]))
    value = f"({match['row']} #> '{{{keys}}}')"
    type_ = match["type"]
    if type_ is None:
        return value
    text = f"sf_text_of({value})"
    if type_ in ("ARRAY", "OBJECT"):
        return f"sf_{type_.lower()}_of({value})"
    if type_ == "VARCHAR":
        return text
    return f"sf_timestamp_of({text})" if type_ == "TIMESTAMP_NTZ" else f"{text}::{type_}"


def _refusal(error: psycopg.Error) -> Refused:
    state, message = error.sqlstate or "XX000", str(error).partition("\n")[0]
    if state == "23502":
        return Refused(100072, "22000", f"NULL result in a non-nullable column: {message}")
    if state.startswith("22"):
        return Refused(100038, "22018", message)
    if state.startswith("42"):
        return Refused(2003 if state in ("42P01", "42703", "3F000") else 1003, "42S02", message)
    return Refused(603, state, message)


class SnowflakeServer:
    """The server. ``statements`` is what it was told; ``external`` are external stages there are: addresses by name."""

    def __init__(self, url: str, s3: dict[str, Any]) -> None:
        self.url = url
        self.s3 = s3
        self.fail_on: str | None = None
        self.external: dict[str, str] = {}
        self.statements: list[str] = []
        self.implicit_commits: list[str] = []
        """DDL within a transaction, which it commits."""
        self.logins: list[dict[str, Any]] = []
        self.passwords = {"loader": "secret"}
        self.sessions: dict[str, ServerSession] = {}
        with psycopg.connect(url) as connection:
            connection.execute(_SET_UP)

    def log_in(self, data: dict[str, Any], query: str) -> str:
        """The token of a new session. Raises :class:`Refused`."""
        self.logins.append(data)
        known = self.passwords.get(data["LOGIN_NAME"])
        if "AUTHENTICATOR" not in data and known != data.get("PASSWORD"):
            raise Refused(390100, "08001", "Incorrect username or password was specified.")
        token = str(uuid.uuid4())
        warehouse = re.search(r"[?&]warehouse=([^&]*)", query)
        self.sessions[token] = ServerSession(self, warehouse[1] if warehouse else "")
        return token

    def hang_up(self, line: Any) -> None:
        """A connection is closed. A session that has no other one in a while ends, and what it did not commit."""
        for token, session in list(self.sessions.items()):
            session.lines.discard(line)
            if not session.lines:
                timer = threading.Timer(_DETACHED_SECONDS, self._log_out_detached, [token, session])
                timer.daemon = True
                timer.start()

    def _log_out_detached(self, token: str, session: ServerSession) -> None:
        if not session.lines:
            self.log_out(token)

    def log_out(self, token: str) -> None:
        session = self.sessions.pop(token, None)
        if session is not None:
            session.connection.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    snowflake: SnowflakeServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        document = json.loads(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body or b"{}")
        token = (re.search(r'Token="([^"]*)"', self.headers.get("Authorization") or "") or ["", ""])[1]
        try:
            answer = {"success": True, "code": None, "message": None, "data": self._answer(document, token)}
        except Refused as refused:
            data = {"errorCode": str(refused.code), "sqlState": refused.state, "queryId": "01", "line": -1, "pos": -1}
            answer = {"success": False, "code": str(refused.code), "message": str(refused), "data": data}
        out = json.dumps(answer).encode()
        with suppress(BrokenPipeError, ConnectionResetError):
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(out)))
            self.end_headers()
            self.wfile.write(out)

    def _answer(self, document: dict[str, Any], token: str) -> Any:
        server = self.snowflake
        if "/session/v1/login-request" in self.path:
            token = server.log_in(document["data"], self.path)
            server.sessions[token].lines.add(self.connection)
            return {
                "token": token, "masterToken": token, "sessionId": 1, "validityInSeconds": 3600,
                "masterValidityInSeconds": 14400, "parameters": [{"name": "AUTOCOMMIT", "value": True}],
                "sessionInfo": {"databaseName": "DB", "schemaName": None, "warehouseName": "W", "roleName": "R"},
            }  # fmt: skip
        if "/session?delete" in self.path:
            server.log_out(token)
        if "/queries/v1/query-request" not in self.path:
            return None
        session = server.sessions[token]
        session.lines.add(self.connection)
        put = _PUT.match(document["sqlText"])
        if put:
            server.statements.append(document["sqlText"])
            return session.upload(put)
        return _result(session.execute(document["sqlText"]))

    def finish(self) -> None:
        super().finish()
        self.snowflake.hang_up(self.connection)

    def log_message(self, *_: Any) -> None:
        pass


def _result(answer: Answer) -> dict[str, Any]:
    columns = list(zip(*answer.rows, strict=True)) if answer.rows else [()] * len(answer.names)
    numbers = [bool(column) and all(isinstance(value, int) for value in column) for column in columns]
    types = [
        {"name": name.upper(), "type": "fixed" if number else "text", "scale": 0, "precision": 38, "length": 16_777_216,
         "byteLength": 16_777_216, "nullable": True}
        for name, number in zip(answer.names, numbers, strict=True)
    ]  # fmt: skip
    rowset = [[None if value is None else str(value) for value in row] for row in answer.rows]
    return {
        "queryId": "01", "queryResultFormat": "json", "rowtype": types, "rowset": rowset, "total": len(rowset),
        "returned": len(rowset), "parameters": [], "statementTypeId": answer.kind, "finalDatabaseName": "DB",
        "sqlState": "00000",
    }  # fmt: skip


@contextmanager
def snowflake_server(url: str, s3: dict[str, Any]) -> Iterator[tuple[SnowflakeServer, int]]:
    """The server over an empty database of Postgres and an S3 endpoint, and its port on the loopback interface."""
    server = SnowflakeServer(url, s3)
    handler = type("Handler", (_Handler,), {"snowflake": server})
    http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    http.daemon_threads = True
    threading.Thread(target=http.serve_forever, daemon=True).start()
    try:
        yield server, http.server_port
    finally:
        http.shutdown()
        http.server_close()
        for token in list(server.sessions):
            server.log_out(token)
