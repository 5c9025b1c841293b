"""As much of BigQuery's REST API as a load asks for, on 127.0.0.1, over DuckDB: datasets, tables, load jobs, queries.

It refuses what BigQuery refuses: a second job of an id, fields that a load may not add, columns of another type, nulls
in arrays. Queries are translated by sqlglot.
"""

from __future__ import annotations

import io
import json
import re
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import sqlglot

from snowetl.ddl.duckdb import add_column, sql_type
from snowetl.load.evolution import canonical, evolve, types_of

PROJECT = "shop"
_PAGE = 150
"""Rows a page of a table has at most."""
Fields = list[dict[str, Any]]


class Refused(Exception):
    def __init__(self, status: int, reason: str, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.error = {"reason": reason, "message": words, "domain": "global"}


class BigQuery:
    """Datasets, tables, jobs. ``fail_next`` makes the next load fail after it was begun."""

    def __init__(self) -> None:
        self.connection = duckdb.connect()
        self.connection.execute("SET TimeZone = 'UTC'")
        self.datasets: set[str] = set()
        self.tables: dict[str, dict[str, Any]] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.lock = threading.RLock()
        self.fail_next = False

    # --- jobs -------------------------------------------------------------------------------------------------------

    def new_job(self, job: dict[str, Any]) -> None:
        name = job["jobReference"]["jobId"]
        if name in self.jobs:
            raise Refused(409, "duplicate", f"Already Exists: Job {PROJECT}:EU.{name}")

    def load(self, job: dict[str, Any], data: bytes) -> dict[str, Any]:
        with self.lock:
            self.new_job(job)
            status: dict[str, Any] = {"state": "DONE"}
            try:
                if self.fail_next:
                    self.fail_next = False
                    raise Refused(400, "invalid", "the job was ended by somebody")
                self._load(job["configuration"]["load"], data)
            except Refused as error:
                status |= {"errorResult": error.error, "errors": [error.error]}
            kept = {**job, "kind": "bigquery#job", "id": job["jobReference"]["jobId"], "status": status}
            kept["statistics"] = {"creationTime": "1", "startTime": "1", "endTime": "2"}
            kept["jobReference"] = {"location": "EU", "projectId": PROJECT} | job["jobReference"]
            self.jobs[job["jobReference"]["jobId"]] = kept
            return kept

    def _load(self, load: dict[str, Any], data: bytes) -> None:
        to = load["destinationTable"]
        if to["datasetId"] not in self.datasets:
            raise Refused(404, "notFound", f"Not found: Dataset {PROJECT}:{to['datasetId']}")
        assert load["sourceFormat"] == "PARQUET" and load["parquetOptions"] == {"enableListInference": True}
        name = f"{to['datasetId']}.{to['tableId']}"
        rows = pq.read_table(io.BytesIO(data))
        for column in rows.columns:
            _refuse_null_elements(column.combine_chunks())
        fields: Fields = load["schema"]["fields"]
        assert [field["name"] for field in fields] == rows.column_names
        present = self.tables.get(name)
        if present is None:
            self.connection.execute(f"CREATE SCHEMA IF NOT EXISTS {to['datasetId']}")
            columns = ", ".join(f'"{field.name}" {sql_type(canonical(field.type))}' for field in rows.schema)
            self.connection.execute(f"CREATE TABLE {name} ({columns})")
            kept = {key: load[key] for key in ("timePartitioning", "clustering") if key in load}
            self.tables[name] = {"schema": {"fields": fields}} | kept
        else:
            present["schema"] = {"fields": _merged(present["schema"]["fields"], fields, load["schemaUpdateOptions"])}
            there = self.connection.sql(f"SELECT * FROM {name} LIMIT 0").to_arrow_table().schema
            for path, type_ in evolve(types_of(there), types_of(rows.schema)).added:
                self.connection.execute(add_column(*name.split("."), path, type_))
        self.connection.register("rows", rows)
        self.connection.execute(f"INSERT INTO {name} BY NAME SELECT * FROM rows")
        self.connection.unregister("rows")

    # --- queries ----------------------------------------------------------------------------------------------------

    def query(self, request: dict[str, Any]) -> dict[str, Any]:
        sql = request["query"].replace(f"{PROJECT}.", "")
        for parameter in request.get("queryParameters", ()):
            value = parameter["parameterValue"].get("value")
            literal = "NULL" if value is None else "'" + value.replace("'", "''") + "'"
            sql = re.sub(rf"@{parameter['name']}\b", lambda _, literal=literal: literal, sql)
        with self.lock:
            found = self.connection.execute(sqlglot.transpile(sql, "bigquery", "duckdb")[0])
            names = [column[0] for column in found.description or ()]
            rows = found.fetchall()
        fields = [
            {"name": name, "type": "INTEGER" if all(isinstance(row[place], int) for row in rows) else "STRING"}
            for place, name in enumerate(names)
        ]
        shown = [{"f": [{"v": None if value is None else str(value)} for value in row]} for row in rows]
        reference = {"projectId": PROJECT, "jobId": uuid.uuid4().hex, "location": "EU"}
        return {
            "kind": "bigquery#queryResponse", "jobComplete": True, "schema": {"fields": fields}, "rows": shown,
            "totalRows": str(len(rows)), "jobReference": reference,
        }  # fmt: skip

    def listed(self, name: str, asked: Mapping[str, list[str]]) -> dict[str, Any]:
        """A page of a table's rows: some columns, in the table's order."""
        wanted = asked["selectedFields"][0].split(",")
        assert asked["formatOptions.useInt64Timestamp"] == ["True"]
        columns = [field for field in self.tables[name]["schema"]["fields"] if field["name"] in wanted]
        start, most = int(asked.get("pageToken", ["0"])[0]), min(int(asked["maxResults"][0]), _PAGE)
        shown = ", ".join(
            f"epoch_us({field['name']})" if field["type"] == "TIMESTAMP" else field["name"] for field in columns
        )
        with self.lock:
            rows = self.connection.execute(f"SELECT {shown} FROM {name} LIMIT {most + 1} OFFSET {start}").fetchall()
        page = [{"f": [{"v": None if value is None else str(value)} for value in row]} for row in rows[:most]]
        more = {"pageToken": str(start + most)} if len(rows) > most else {}
        return {"kind": "bigquery#tableDataList", "rows": page, **more}


def _merged(present: Fields, given: Fields, options: list[str]) -> Fields:
    """The fields of a table after a load. Raises ``Refused`` for those that do not go together."""
    found = {field["name"]: field for field in present}
    for field in given:
        old = found.get(field["name"])
        if old is None:
            if "ALLOW_FIELD_ADDITION" not in options:
                raise Refused(400, "invalid", f"Provided Schema does not match: no such field: {field['name']}")
            found[field["name"]] = field
            continue
        for key in ("type", "mode", "precision", "scale"):
            if old.get(key) != field.get(key):
                raise Refused(400, "invalid", f"Field {field['name']} has changed {key}")
        if "fields" in field:
            found[field["name"]] = old | {"fields": _merged(old["fields"], field["fields"], options)}
    return [*found.values()]


def _refuse_null_elements(array: pa.Array) -> None:
    if pa.types.is_struct(array.type):
        for member in array.flatten():
            _refuse_null_elements(member)
    if pa.types.is_list(array.type):
        assert not pa.types.is_list(array.type.value_type)
        if array.flatten().null_count:
            raise Refused(400, "invalid", "Array cannot have a null element")
        _refuse_null_elements(array.flatten())


class Handler(BaseHTTPRequestHandler):
    wbufsize = -1
    server: Server

    def do_GET(self) -> None:
        self._answered(self._get)

    def do_POST(self) -> None:
        self._answered(self._post)

    def do_PUT(self) -> None:
        self._answered(self._put)

    def _answered(self, method: Callable[[list[str], bytes], dict[str, Any] | None]) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path).path.removeprefix("/upload").removeprefix("/bigquery/v2").strip("/").split("/")
        try:
            answer, status = method(path[2:], body), 200
        except Refused as error:
            status = error.status
            answer = {"error": {"code": status, "message": str(error), "errors": [error.error]}}
        except Exception as error:  # a fault of this file: its client would ask for ten minutes
            answer, status = {"error": {"code": 400, "message": repr(error), "errors": []}}, 400
        data = json.dumps(answer or {}).encode()
        self.send_response(status)
        if answer is None:
            self.send_header("Location", f"http://{self.headers['Host']}{self._session}")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    def _get(self, path: list[str], body: bytes) -> dict[str, Any]:
        them = self.server.them
        match path:
            case ["jobs", name] if name in them.jobs:
                return them.jobs[name]
            case ["datasets", name] if name in them.datasets:
                return {"datasetReference": {"projectId": PROJECT, "datasetId": name}}
            case ["datasets", name, "tables", table] if f"{name}.{table}" in them.tables:
                reference = {"projectId": PROJECT, "datasetId": name, "tableId": table}
                return them.tables[f"{name}.{table}"] | {"tableReference": reference}
            case ["datasets", name, "tables", table, "data"] if f"{name}.{table}" in them.tables:
                return them.listed(f"{name}.{table}", parse_qs(urlsplit(self.path).query))
        raise Refused(404, "notFound", f"Not found: {'/'.join(path)}")

    def _post(self, path: list[str], body: bytes) -> dict[str, Any] | None:
        them, document = self.server.them, json.loads(body)
        match path:
            case ["datasets"]:
                them.datasets.add(document["datasetReference"]["datasetId"])
                return dict(document)
            case ["queries"]:
                return them.query(document)
            case ["jobs"]:
                them.new_job(document)
                session = uuid.uuid4().hex
                self.server.uploads[session] = document
                self._session = f"/upload/bigquery/v2/projects/{PROJECT}/jobs?uploadType=resumable&upload_id={session}"
                return None
        raise Refused(404, "notFound", f"Not found: {'/'.join(path)}")

    def _put(self, path: list[str], body: bytes) -> dict[str, Any]:
        [session] = parse_qs(urlsplit(self.path).query)["upload_id"]
        return self.server.them.load(self.server.uploads[session], body)

    def log_message(self, *_: Any) -> None:
        """Nothing is said."""


class Server(ThreadingHTTPServer):
    daemon_threads = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.them = BigQuery()
        self.uploads: dict[str, dict[str, Any]] = {}


@contextmanager
def bigquery_server() -> Iterator[tuple[str, BigQuery]]:
    """Its address, for ``BIGQUERY_EMULATOR_HOST``, and what is in it."""
    with Server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", server.them
        server.shutdown()
