"""Files of enrichments: found here, fetched from there, and what is said when they cannot be had."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from snowetl.enrich import assets
from snowetl.enrich.enrichments.base import Asset
from snowetl.errors import AssetError

_busy = 0


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        global _busy
        status, body = {"/geo.mmdb": (200, b"geo" * 1000), "/moved": (302, b""), "/busy": (200, b"late")}.get(
            self.path, (404, b"")
        )
        if self.path == "/down" or (self.path == "/busy" and _busy < 3):
            _busy += 1
            status, body = 503, b""
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/geo.mmdb")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "_POLICY", replace(assets._POLICY, first_wait=0.0))


def test_local_files_stay_where_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a file.mmdb"
    path.write_bytes(b"x")
    quoted = str(path).replace(" ", "%20")
    for uri in (str(path), f"file:{quoted}", f"file://{quoted}", f"FILE://{quoted}"):
        assert assets.fetch(Asset(uri, "ip_geo"), tmp_path) == path


def test_downloads(server: str, tmp_path: Path) -> None:
    for uri, content in (("/geo.mmdb", b"geo" * 1000), ("/moved", b"geo" * 1000), ("/busy", b"late")):
        path = assets.fetch(Asset(f"{server}{uri}", "ip_geo"), tmp_path)
        assert path.parent == tmp_path
        assert path.read_bytes() == content
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize(
    ("uri", "cause"),
    [
        ("{server}/none.mmdb", "HTTP 404"),
        ("{server}/down", "HTTP 503"),
        ("http://127.0.0.1:9/geo.mmdb", "onnection refused"),
        ("gs://bucket/geo.mmdb", "Google Cloud Storage is not supported"),
        ("gopher://x/geo.mmdb", "no storage for gopher"),
    ],
)
def test_what_cannot_be_had(server: str, tmp_path: Path, uri: str, cause: str) -> None:
    uri = uri.format(server=server)
    with pytest.raises(AssetError) as error:
        assets.fetch(Asset(uri, "ip_geo"), tmp_path, "ip_lookups")
    text = str(error.value)
    assert all(part in text for part in (uri, cause, "the enrichment ip_lookups needs", "Check its 'uri'"))
    assert list(tmp_path.iterdir()) == []


def test_a_full_or_missing_folder(server: str, tmp_path: Path) -> None:
    with pytest.raises(AssetError, match=r"cannot store .*geo\.mmdb as .*: No such file or directory"):
        assets.fetch(Asset(f"{server}/geo.mmdb", "ip_geo"), tmp_path / "gone")


def test_keys_in_addresses_are_not_told(server: str, tmp_path: Path) -> None:
    with pytest.raises(AssetError) as error:
        assets.fetch(Asset(f"{server}/none?edition=City&license_key=s3cr3t", "ip_geo"), tmp_path)
    assert "edition=City&license_key=***" in str(error.value) and "s3cr3t" not in str(error.value)
