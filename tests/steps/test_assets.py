"""Fetching what enrichments read: from folders, over HTTP, and what is said when that fails."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from snowetl.enrich import assets as downloads
from snowetl.enrich.enrichments.base import Asset
from snowetl.errors import AssetError
from snowetl.steps import assets


class _Handler(BaseHTTPRequestHandler):
    busy = 2
    """Requests for /busy that are answered 503 before one is answered."""

    def do_GET(self) -> None:
        status, body = {"/geo.mmdb": (200, b"geo" * 1000), "/moved": (302, b""), "/busy": (200, b"late")}.get(
            self.path, (404, b"")
        )
        if self.path == "/busy" and _Handler.busy > 0:
            _Handler.busy -= 1
            status = 503
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
    monkeypatch.setattr(downloads, "_POLICY", replace(downloads._POLICY, first_wait=0.0))


def test_local_files_stay_where_they_are(tmp_path: Path) -> None:
    plain, url = tmp_path / "geo.mmdb", tmp_path / "rules.yml"
    plain.write_bytes(b"geo")
    url.write_bytes(b"rules")
    paths = assets.fetch_all([Asset(str(plain), "ip_geo"), Asset(f"file://{url}", "x")], tmp_path / "new")
    assert paths == {str(plain): str(plain), f"file://{url}": str(url)}


def test_files_of_the_same_name_are_kept_apart(tmp_path: Path) -> None:
    uris = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "rules.yml").write_text(folder)
        uris.append(str(tmp_path / folder / "rules.yml"))
    (tmp_path / "work").mkdir()
    paths = assets.fetch_all([Asset(uri, "x") for uri in uris], tmp_path / "work")
    assert [Path(paths[uri]).read_text() for uri in uris] == ["a", "b"]
    assert len({Path(path).name for path in paths.values()}) == 2


def test_downloads(server: str, tmp_path: Path) -> None:
    uris = [f"{server}/geo.mmdb", f"{server}/moved", f"{server}/busy"]
    paths = assets.fetch_all([Asset(uri, "x") for uri in uris], tmp_path)
    assert [Path(paths[uri]).read_bytes() for uri in uris] == [b"geo" * 1000, b"geo" * 1000, b"late"]


def test_what_cannot_be_had_is_named(server: str, tmp_path: Path) -> None:
    for uri, reason in [
        (f"{server}/none.mmdb", "HTTP 404"),
        ("http://127.0.0.1:9/geo.mmdb", "onnection refused"),
        (str(tmp_path / "none.mmdb"), "there is no file"),
        ("gopher://x/geo.mmdb", "no storage for gopher"),
    ]:
        with pytest.raises(AssetError) as error:
            assets.fetch_all([Asset(uri, "ip_geo")], tmp_path)
        assert uri in str(error.value)
        assert reason in str(error.value)


def test_assets_of_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AssetError, match="--local: there is no file .*ip_geo"):
        assets.in_working_folder([Asset("s3://b/geo.mmdb", "ip_geo")])
    (tmp_path / "ip_geo").write_bytes(b"geo")
    paths = assets.in_working_folder([Asset("s3://b/geo.mmdb", "ip_geo")])
    assert paths == {"s3://b/geo.mmdb": str(tmp_path / "ip_geo")}
