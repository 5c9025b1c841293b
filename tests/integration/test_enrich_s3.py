"""The enrich job against an S3 endpoint that stumbles: uploads, listings of many pages, 503s now and then."""

from __future__ import annotations

import gzip
import http.client
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.aws_server import aws_server
from tests.integration.support import HEADER, RUN, cloudfront_line, options, run

BUCKET = "logs"
MANY = 230
PAGE = 100
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "eu-west-1"}


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    os.environ["MOTO_S3_DEFAULT_MAX_KEYS"] = str(PAGE)
    with aws_server() as url:
        yield url
    del os.environ["MOTO_S3_DEFAULT_MAX_KEYS"]


class Stumbling(ThreadingHTTPServer):
    """A proxy before the endpoint; every ``every``-th request is answered 503 SlowDown instead of being passed on."""

    def __init__(self, target: str, every: int) -> None:
        super().__init__(("127.0.0.1", 0), _Proxy)
        self.target = target.removeprefix("http://")
        self.every = every
        self.requests = 0
        self.refused = 0
        self.lock = threading.Lock()

    def refuses(self) -> bool:
        with self.lock:
            self.requests += 1
            refused = self.every > 0 and self.requests % self.every == 0
            self.refused += refused
            return refused


class _Proxy(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Stumbling

    def do_GET(self) -> None:
        body = self._body()
        if self.server.refuses():
            text = b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Please slow down</Message></Error>"
            self._answer(503, [("Content-Type", "application/xml")], text)
            return
        connection = http.client.HTTPConnection(self.server.target, timeout=60)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("transfer-encoding", "content-length")}
        connection.request(self.command, self.path, body, headers | {"Content-Length": str(len(body))})
        response = connection.getresponse()
        hop = ("transfer-encoding", "connection", "server", "date")
        kept = [(name, value) for name, value in response.getheaders() if name.lower() not in hop]
        self._answer(response.status, kept, response.read())
        connection.close()

    do_PUT = do_POST = do_DELETE = do_HEAD = do_GET  # noqa: N815

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        pieces = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(pieces)

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            if name.lower() != "content-length" or self.command == "HEAD":
                self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def proxy(moto: str) -> Iterator[Stumbling]:
    server = Stumbling(moto, every=9)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def s3(moto: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", endpoint_url=moto, region_name="eu-west-1")
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    yield client
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        for item in page.get("Contents", ()):
            client.delete_object(Bucket=BUCKET, Key=item["Key"])
    client.delete_bucket(Bucket=BUCKET)


def put_logs(s3: Any, folder: str, files: int, lines: int) -> None:
    for file in range(files):
        text = HEADER + "".join(cloudfront_line(file * lines + line) + "\n" for line in range(lines))
        s3.put_object(Bucket=BUCKET, Key=f"{folder}/E1.{file:05d}.gz", Body=gzip.compress(text.encode(), 1, mtime=0))


def arguments(folder: Path, output: str, *extra: str) -> list[str]:
    usual = {
        "--input-folder": f"s3://{BUCKET}/raw/*",
        "--output-folder": f"s3://{BUCKET}/{output}/good",
        "--bad-folder": f"s3://{BUCKET}/{output}/bad",
    }
    return options(folder, *(part for option in usual.items() if option[0] not in extra for part in option), *extra)


def contents(s3: Any, folder: str) -> dict[str, bytes]:
    keys = [
        item["Key"]
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"{folder}/")
        for item in page.get("Contents", ())
    ]
    return {
        key.removeprefix(f"{folder}/"): s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        for key in keys
        if not key.endswith(("_plan.json", "_work.jsonl.gz", "_report.json", "_report.html"))
    }


def open_uploads(s3: Any) -> list[str]:
    return [upload["Key"] for upload in s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])]


@pytest.mark.spark
def test_spark_against_an_endpoint_that_stumbles(s3: Any, moto: str, proxy: Stumbling, tmp_path: Path) -> None:
    put_logs(s3, "raw", files=6, lines=1500)
    plain = run(arguments(tmp_path, "plain", "--master", "none", "--split-size", "1k"), AWS_ENDPOINT_URL=moto)
    assert plain.returncode == 0, plain.stderr
    endpoint = f"http://127.0.0.1:{proxy.server_port}"
    spark = run(arguments(tmp_path, "spark", "--master", "local[2]", "--split-size", "1k"), AWS_ENDPOINT_URL=endpoint)
    assert spark.returncode == 0, spark.stderr
    assert proxy.refused > 3
    assert contents(s3, "spark") == contents(s3, "plain")
    assert f"good/run={RUN}/_SUCCESS" in contents(s3, "spark")
    assert len(contents(s3, "spark")) == 14
    assert open_uploads(s3) == []


def test_a_listing_of_many_pages(s3: Any, moto: str, tmp_path: Path) -> None:
    put_logs(s3, "raw", files=MANY, lines=1)
    assert len(s3.list_objects_v2(Bucket=BUCKET)["Contents"]) == PAGE
    result = run(arguments(tmp_path, "many", "--master", "none"), AWS_ENDPOINT_URL=moto)
    assert result.returncode == 0, result.stderr
    assert len(contents(s3, "many")) == 4
    assert f"{MANY:,} files" in result.stdout


def test_uploads_of_a_dead_attempt_are_aborted(s3: Any, moto: str, tmp_path: Path) -> None:
    put_logs(s3, "raw", files=2, lines=10)
    key = f"out/good/run={RUN}/part-00000-{RUN}.txt.gz"
    s3.create_multipart_upload(Bucket=BUCKET, Key=key)
    s3.put_object(Bucket=BUCKET, Key=f"out/bad/run={RUN}/part-00099-old.txt.gz", Body=b"old")
    result = run(arguments(tmp_path, "out", "--master", "none"), AWS_ENDPOINT_URL=moto)
    assert result.returncode == 0, result.stderr
    assert open_uploads(s3) == []
    assert f"bad/run={RUN}/part-00099-old.txt.gz" not in contents(s3, "out")


@pytest.mark.parametrize(
    ("change", "code", "name"),
    [
        (["--input-folder", "s3://no-such-bucket/raw"], (1, 2), "no-such-bucket"),
        (["--output-folder", "s3://no-such-bucket/good"], (1, 2), "no-such-bucket"),
        (["--input-folder", f"s3://{BUCKET}/row/"], (2,), f"s3://{BUCKET}/row/"),
    ],
)
def test_mistakes(s3: Any, moto: str, tmp_path: Path, change: list[str], code: tuple[int, ...], name: str) -> None:
    put_logs(s3, "raw", files=1, lines=10)
    result = run(arguments(tmp_path, "out", "--master", "none", *change), AWS_ENDPOINT_URL=moto)
    assert result.returncode in code, result.stderr
    assert "Traceback" not in result.stderr
    assert name in result.stderr
    assert contents(s3, "out") == {}
    assert open_uploads(s3) == []
