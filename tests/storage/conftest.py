"""A real S3 endpoint on loopback for this room's tests, and a proxy that makes it fail on demand."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest

from snowetl.storage.s3 import S3FileSystem
from tests.aws_server import aws_server
from tests.storage.hdfs_cluster import cluster

BUCKET = "storage-tests"


@pytest.fixture(scope="session")
def endpoint() -> Iterator[tuple[str, int]]:
    """Host and port of a moto server."""
    with aws_server() as url:
        address = urlsplit(url)
        yield str(address.hostname), int(address.port or 0)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, endpoint: tuple[str, int]) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    monkeypatch.setenv("SNOWETL_S3_ENDPOINT", f"http://{endpoint[0]}:{endpoint[1]}")


@pytest.fixture
def s3(aws: None) -> Iterator[S3FileSystem]:
    """A file system with an empty bucket."""
    files = S3FileSystem()
    files.client.create_bucket(Bucket=BUCKET)
    yield files
    for upload in files.client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []):
        files.client.abort_multipart_upload(Bucket=BUCKET, Key=upload["Key"], UploadId=upload["UploadId"])
    for page in files.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        keys = [{"Key": item["Key"]} for item in page.get("Contents", [])]
        if keys:
            files.client.delete_objects(Bucket=BUCKET, Delete={"Objects": keys})
    files.client.delete_bucket(Bucket=BUCKET)


@pytest.fixture(scope="session")
def hdfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """``hdfs://host:port`` of a real cluster, for tests marked slow."""
    with cluster(tmp_path_factory.mktemp("hdfs")) as base:
        yield base


class FaultyProxy:
    """Passes connections on to the endpoint. ``fault`` looks at each request's first line and may answer how to fail:
    ``"503"`` instead of an answer, or a number of bytes of the answer after which the connection is cut.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self.fault: Callable[[str], str | int | None] = lambda request: None
        self.requests: list[str] = []
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        """One request per connection."""
        with client:
            head = b""
            while b"\r\n\r\n" not in head:
                data = client.recv(65536)
                if not data:
                    return
                head += data
            headers, _, body = head.partition(b"\r\n\r\n")
            request = headers.split(b"\r\n")[0].decode()
            self.requests.append(request)
            fields = dict(line.lower().split(b": ", 1) for line in headers.split(b"\r\n")[1:])
            if fields.pop(b"expect", None):
                client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            while len(body) < int(fields.get(b"content-length", 0)):
                body += client.recv(65536)
            fault = self.fault(request)
            if fault == "503":
                client.sendall(b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return
            kept = [line for line in headers.split(b"\r\n") if not line.lower().startswith((b"expect", b"connection"))]
            with socket.create_connection(self._target) as server:
                server.sendall(b"\r\n".join([*kept, b"Connection: close"]) + b"\r\n\r\n" + body)
                left = fault if isinstance(fault, int) else 1 << 60
                while left > 0 and (data := server.recv(65536)):
                    client.sendall(data[:left])
                    left -= len(data)


@pytest.fixture
def proxy(endpoint: tuple[str, int]) -> Iterator[FaultyProxy]:
    faulty = FaultyProxy(endpoint)
    yield faulty
    faulty.close()
