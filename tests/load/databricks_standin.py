"""A stand-in for Databricks: the Statement Execution API on a loopback port, over Spark SQL and Delta Lake.

A program of its own, for Spark takes Delta's extension only when it starts: ``python -m tests.load.databricks_standin
FOLDER JARS`` prints its port. Statements are read by sqlglot's dialect first. What Spark lacks of Databricks: columns
that are generated (they are plain here), and volumes (a folder). Results of a ``MERGE`` come when they are asked for
again, as those of long statements do.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import uuid
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import sqlglot

from tests.spark_shell import lake_jars

_ROOT = Path(__file__).parents[2]
_GENERATED = re.compile(r" GENERATED ALWAYS AS \(.*?\)\)?(?=\n|,)")
TOKEN, CLIENT, SECRET = "dapi-test", "a-client", "a-secret"


class Databricks:
    """``tokens`` are those that are lent."""

    def __init__(self, spark: Any, folder: Path) -> None:
        self.spark = spark
        self.folder = folder
        self.tokens = {TOKEN}
        self.waiting: dict[str, dict[str, Any]] = {}

    def statement(self, asked: dict[str, Any]) -> dict[str, Any]:
        sql = asked["statement"]
        sqlglot.parse_one(sql, read="databricks", error_level=sqlglot.ErrorLevel.RAISE)
        known = str(uuid.uuid4())
        here = _GENERATED.sub("", sql).replace("`/Volumes/", f"`{self.folder}/Volumes/")
        try:
            found = self.spark.sql(here)
            rows = [[_text(value) for value in row] for row in found.collect()]
            columns = [{"name": field.name, "type_text": self._sql(field.dataType)} for field in found.schema]
            answer = {
                "status": {"state": "SUCCEEDED"}, "result": {"data_array": rows},
                "manifest": {"schema": {"columns": columns}},
            }  # fmt: skip
        except Exception as error:
            state = getattr(error, "getSqlState", lambda: None)() or ""
            answer = {
                "status": {
                    "state": "FAILED", "sql_state": state, "error": {"error_code": "BAD_REQUEST", "message": str(error)}
                }
            }  # fmt: skip
        answer["statement_id"] = known
        if sql.startswith("MERGE"):
            self.waiting[known] = answer
            return {"statement_id": known, "status": {"state": "RUNNING"}}
        return answer

    def _sql(self, type_: Any) -> str:
        jvm = self.spark._jvm.org.apache.spark.sql.types.DataType
        return str(jvm.fromJson(type_.json()).sql())


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


class Handler(BaseHTTPRequestHandler):
    databricks: Databricks

    def _answer(self, status: int, document: Any) -> None:
        out = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(out)))
        self.end_headers()
        self.wfile.write(out)

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _is_known(self) -> bool:
        known = self.headers.get("Authorization", "").removeprefix("Bearer ") in self.databricks.tokens
        if not known:
            self._answer(401, {"error_code": "UNAUTHENTICATED", "message": "the token is not known"})
        return known

    def do_POST(self) -> None:
        body = self._body()
        if self.path == "/oidc/v1/token":
            given = b64decode(self.headers["Authorization"].removeprefix("Basic ")).decode()
            if given != f"{CLIENT}:{SECRET}" or b"scope=all-apis" not in body:
                self._answer(401, {"error": "invalid_client"})
                return
            token = str(uuid.uuid4())
            self.databricks.tokens.add(token)
            self._answer(200, {"access_token": token, "expires_in": 3600})
        elif self._is_known():
            self._answer(200, self.databricks.statement(json.loads(body)))

    def do_GET(self) -> None:
        if self._is_known():
            self._answer(200, self.databricks.waiting.pop(self.path.rpartition("/")[2]))

    def _path(self) -> Path:
        path = unquote(self.path.removeprefix("/api/2.0/fs/files").partition("?")[0])
        return self.databricks.folder / path.lstrip("/")

    def do_PUT(self) -> None:
        body = self._body()
        if self._is_known():
            self._path().parent.mkdir(parents=True, exist_ok=True)
            self._path().write_bytes(body)
            self._answer(200, {})

    def do_DELETE(self) -> None:
        if self._is_known():
            self._path().unlink()
            self._answer(200, {})

    def log_message(self, *_: Any) -> None:
        pass


def serve(folder: Path, jars: str) -> None:
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]").config("spark.jars", jars)  # type: ignore[attr-defined]
    for key, value in {
        "spark.ui.enabled": "false",
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.warehouse.dir": str(folder / "tables"),
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",  # Arrow reads the other kind as nanoseconds
        "spark.databricks.delta.snapshotPartitions": "1",
        "spark.sql.codegen.wholeStage": "false",  # compiling 130 columns takes longer than the rows of a test
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
    }.items():
        builder = builder.config(key, value)
    handler = type("_Handler", (Handler,), {"databricks": Databricks(builder.getOrCreate(), folder)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    print(server.server_port, flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()  # until whoever started it is gone


@contextmanager
def databricks_server(folder: Path) -> Iterator[tuple[Path, str]]:
    """The folder of a stand-in, and its port. Skips the tests, saying so, where Delta's jars cannot be had."""
    command = [sys.executable, "-m", "tests.load.databricks_standin", str(folder), ",".join(lake_jars())]
    environment = os.environ | {"PYTHONPATH": str(_ROOT), "SPARK_LOCAL_IP": "127.0.0.1"}
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment,
        cwd=folder,
    )  # fmt: skip
    assert process.stdout is not None and process.stdin is not None
    try:
        yield folder, process.stdout.readline().strip()
    finally:
        process.stdin.close()
        process.wait(60)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), sys.argv[2])
