"""Files of enrichments: found here, fetched from there, kept for the next run; what is said when they cannot be had."""

from __future__ import annotations

import gzip
import json
import multiprocessing
import os
from dataclasses import replace
from pathlib import Path

import pytest

from snowetl.enrich import asset_sources, assets
from snowetl.enrich.asset_cache import AssetCache
from snowetl.enrich.config import EnrichConfig
from snowetl.enrich.enrichments.base import Asset
from snowetl.errors import AssetError
from snowetl.iglu.client import IgluClient
from snowetl.iglu.config import ResolverConfig
from tests.iglu.server import Answer, Files, Server, dripping, serving, zipped


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    patience = replace(asset_sources.POLICY, first_wait=0.0, read=0.5, deadline=1.5, max_bytes=100_000)
    monkeypatch.setattr(asset_sources, "POLICY", patience)


def fetch(uri: str, folder: Path) -> bytes:
    return assets.fetch(Asset(uri, "ip_geo"), folder, "ip_lookups").read_bytes()


def failure(uri: str, folder: Path) -> str:
    """What is said of a file that cannot be had; nothing of it stays."""
    with pytest.raises(AssetError) as error:
        fetch(uri, folder)
    text = str(error.value)
    assert all(part in text for part in (f"cannot fetch {uri}, ", "the enrichment ip_lookups needs", "Check its 'uri'"))
    assert list(folder.iterdir()) == []
    return text


# --- where files lie ----------------------------------------------------------------------------------------------


def test_local_files_stay_where_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a file.mmdb"
    path.write_bytes(b"x")
    quoted = str(path).replace(" ", "%20")
    for uri in (str(path), f"file:{quoted}", f"file://{quoted}", f"FILE://{quoted}"):
        assert assets.fetch(Asset(uri, "ip_geo"), tmp_path) == path


def test_downloads(file_server: Server, tmp_path: Path) -> None:
    for uri, content in (("/geo.mmdb", b"geo" * 1000), ("/moved", b"geo" * 1000), ("/busy", b"late")):
        path = assets.fetch(Asset(f"{file_server.uri}{uri}", "ip_geo"), tmp_path)
        assert path.parent == tmp_path
        assert path.read_bytes() == content
    assert len(list(tmp_path.iterdir())) == 3


def test_google_cloud_storage_without_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(Files(**{"bucket/a%20folder/geo.mmdb": Answer(body=b"geo"), "bucket/private": Answer(403)})) as server:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.uri.removeprefix("http://"))
        assert "HTTP 403 (gs: addresses are read without credentials. Make" in failure("gs://bucket/private", tmp_path)
        assert fetch("gs://bucket/a folder/geo.mmdb", tmp_path) == b"geo"


@pytest.mark.parametrize("uri", ["s3://snowplow-hosted-assets/third-party/geo.mmdb", "s3a://acme-public/geo.mmdb"])
def test_public_buckets_need_no_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
    """The one Snowplow hosts is never asked with credentials, which might not open it; others if there are none."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    if "hosted" in uri:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "mine")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "mine")
    path = uri.partition("://")[2]
    with serving(Files(**{path: Answer(body=b"geo")})) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server.uri)
        assert fetch(uri, tmp_path) == b"geo"
        [(asked, headers)] = server.requests
    assert asked == f"/{path}" and "authorization" not in headers
    with serving(Files(**{path: Answer(403)})) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server.uri)
        with pytest.raises(AssetError, match=r"HTTP 403 \(it was asked for without AWS credentials\)"):
            fetch(uri, tmp_path)


# --- gzip ---------------------------------------------------------------------------------------------------------


def test_gzip_is_unpacked(tmp_path: Path) -> None:
    packed = gzip.compress(b"geo" * 1000)
    (tmp_path / "geo.mmdb.gz").write_bytes(packed)
    assert fetch(str(tmp_path / "geo.mmdb.gz"), tmp_path) == b"geo" * 1000
    with serving(Files(**{"geo.mmdb.gz": Answer(body=packed), "sent": zipped(b"geo" * 1000)})) as server:
        for name in ("geo.mmdb.gz", "sent"):
            assert fetch(f"{server.uri}/{name}", tmp_path) == b"geo" * 1000


def test_damaged_and_huge_gzip(tmp_path: Path) -> None:
    packed = gzip.compress(os.urandom(1000))
    bomb = gzip.compress(bytes(10_000_000))
    with serving(Files(cut=Answer(body=packed[:500]), bomb=Answer(body=bomb))) as server:
        assert "its gzip is damaged" in failure(f"{server.uri}/cut", tmp_path)
        assert "unpacked it is larger than 100,000 bytes" in failure(f"{server.uri}/bomb", tmp_path)


# --- what cannot be had -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("uri", "cause"),
    [
        ("{server}/none.mmdb", "HTTP 404"),
        ("{server}/down", "HTTP 503"),
        ("http://127.0.0.1:9/geo.mmdb", "onnection refused"),
        ("gopher://x/geo.mmdb", "no storage for gopher"),
    ],
)
def test_what_cannot_be_had(file_server: Server, tmp_path: Path, uri: str, cause: str) -> None:
    assert cause in failure(uri.format(server=file_server.uri), tmp_path)


def test_a_huge_answer(tmp_path: Path) -> None:
    with serving(Files(huge=Answer(body=bytes(200_000)))) as server:
        assert "larger than 100,000 bytes" in failure(f"{server.uri}/huge", tmp_path)


def test_an_answer_that_breaks_off(tmp_path: Path) -> None:
    with serving(Files(geo=Answer(body=b"half", breaks_off=True))) as server:
        failure(f"{server.uri}/geo", tmp_path)
        assert len(server.requests) > 1


@pytest.mark.slow
def test_an_answer_that_drips(tmp_path: Path) -> None:
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n" + bytes(1000)
    with dripping(answer, at_once=50) as server:
        assert "within 1.5 seconds" in failure(f"{server}/geo", tmp_path)


@pytest.mark.slow
def test_a_server_that_is_silent(tmp_path: Path) -> None:
    with dripping(b"HTTP", pause=60) as server:
        assert "within" in failure(f"{server}/geo", tmp_path)


def test_a_web_page_is_no_file(tmp_path: Path) -> None:
    with serving(Files(login=Answer(body=b"\xef\xbb\xbf\n<!DOCTYPE HTML><title>Log in</title>"))) as server:
        assert "the server answers with a web page, not with the file" in failure(f"{server.uri}/login", tmp_path)


def test_wrong_content_is_told_with_its_address() -> None:
    with serving(Files(**{"assets/GeoIP2-City.mmdb": Answer(body=b"no database")})) as server:
        config = EnrichConfig.load(
            enrichments={
                "schema": "iglu:com.snowplowanalytics.snowplow/ip_lookups/jsonschema/2-0-0",
                "data": {
                    "vendor": "com.snowplowanalytics.snowplow",
                    "name": "ip_lookups",
                    "enabled": True,
                    "parameters": {"geo": {"database": "GeoIP2-City.mmdb", "uri": f"{server.uri}/assets"}},
                },
            },
            input_format="thrift",
            etl_tstamp=0,
        )
        with (
            pytest.raises(
                AssetError, match=rf"{server.uri}/assets/GeoIP2-City.mmdb \(here: .*\) is not a MaxMind database"
            ),
            config.open(IgluClient(ResolverConfig.default(), now=0)),
        ):
            pass


def test_a_full_or_missing_folder(file_server: Server, tmp_path: Path) -> None:
    with pytest.raises(AssetError, match=r"cannot store .*geo\.mmdb as .*: No such file or directory"):
        assets.fetch(Asset(f"{file_server.uri}/geo.mmdb", "ip_geo"), tmp_path / "gone")


def test_keys_in_addresses_are_not_told(file_server: Server, tmp_path: Path) -> None:
    with pytest.raises(AssetError) as error:
        assets.fetch(Asset(f"{file_server.uri}/none?edition=City&license_key=s3cr3t", "ip_geo"), tmp_path)
    assert "edition=City&license_key=***" in str(error.value) and "s3cr3t" not in str(error.value)


# --- the cache ----------------------------------------------------------------------------------------------------


def versioned(content: bytes, etag: str = '"1"') -> Answer:
    return Answer(body=content, headers=(("etag", etag),))


@pytest.fixture
def keeping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SNOWETL_ASSET_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of one run."""
    (tmp_path / "run").mkdir()
    return tmp_path / "run"


def contents(keeping: Path) -> list[bytes]:
    return sorted(path.read_bytes() for path in keeping.iterdir() if path.suffix != ".json")


def test_a_file_is_downloaded_again_if_it_changed(keeping: Path, folder: Path) -> None:
    files = Files(geo=versioned(b"old"))
    with serving(files) as server:
        uri = f"{server.uri}/geo?license_key=s3cret"
        assert [fetch(uri, folder) for _ in range(2)] == [b"old", b"old"]
        files.put(geo=versioned(b"new", '"2"'))
        assert fetch(uri, folder) == b"new"
        asked = [headers.get("if-none-match") for _, headers in server.requests]
    assert asked == [None, '"1"', '"1"']
    assert contents(keeping) == [b"new", b"old"]
    [note] = keeping.glob("*.json")
    assert "s3cret" not in note.read_text() and json.loads(note.read_text())["version"] == '"2"'
    assert keeping.stat().st_mode & 0o077 == 0


def test_what_is_kept_is_unpacked(keeping: Path, folder: Path) -> None:
    with serving(Files(geo=versioned(gzip.compress(b"geo")))) as server:
        assert [fetch(f"{server.uri}/geo", folder) for _ in range(2)] == [b"geo", b"geo"]
    assert contents(keeping) == [b"geo"]


def test_a_server_that_is_down_fails_in_spite_of_the_cache(keeping: Path, folder: Path) -> None:
    """Nobody knows then whether the file is still the one to use."""
    with serving(Files(geo=[versioned(b"old"), Answer(503)])) as server:
        assert fetch(f"{server.uri}/geo", folder) == b"old"
        with pytest.raises(AssetError, match="HTTP 503"):
            fetch(f"{server.uri}/geo", folder)


@pytest.mark.parametrize("damage", ["other", "shorter", "gone", "note"])
def test_a_damaged_cache_is_not_used(keeping: Path, folder: Path, damage: str) -> None:
    with serving(Files(geo=versioned(b"old"))) as server:
        fetch(f"{server.uri}/geo", folder)
        [kept] = [path for path in keeping.iterdir() if path.suffix != ".json"]
        [note] = keeping.glob("*.json")
        if damage == "note":
            note.write_text("{")
        elif damage == "gone":
            kept.unlink()
        else:
            kept.write_bytes(b"OLD" if damage == "other" else b"o")
        assert fetch(f"{server.uri}/geo", folder) == b"old"
    assert contents(keeping) == [b"old"]


def test_files_without_version_are_not_kept(keeping: Path, folder: Path) -> None:
    with serving(Files(geo=Answer(body=b"geo"))) as server:
        fetch(f"{server.uri}/geo", folder)
    assert not keeping.exists()


def test_last_modified_is_a_version(keeping: Path, folder: Path) -> None:
    date = "Thu, 05 Mar 2026 08:00:00 GMT"
    files = Files(geo=[Answer(body=b"geo", headers=(("last-modified", date),)), Answer(304)])
    with serving(files) as server:
        assert [fetch(f"{server.uri}/geo", folder) for _ in range(2)] == [b"geo", b"geo"]
        assert [headers.get("if-modified-since") for _, headers in server.requests] == [None, date]


def test_the_cache_is_bounded(tmp_path: Path) -> None:
    cache, source = AssetCache(tmp_path / "cache", max_bytes=25), tmp_path / "source"
    for number in range(5):
        source.write_bytes(b"%d" % number * 10)
        cache.keep(f"u{number}", "v", source)
        os.utime(tmp_path / "cache" / cache.known(f"u{number}").sha256, (number, number))  # type: ignore[union-attr]
    assert contents(tmp_path / "cache") == [b"3" * 10, b"4" * 10]
    source.write_bytes(bytes(26))
    cache.keep("large", "v", source)
    assert cache.known("large") is None and cache.known("u0") is None and cache.known("u4") is not None


def test_a_folder_that_cannot_be_written_keeps_nothing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SNOWETL_ASSET_CACHE", str(tmp_path / "file"))
    with serving(Files(geo=versioned(b"geo"))) as server:
        assert fetch(f"{server.uri}/geo", folder) == b"geo"


def _fetch_often(uri: str, folder: Path) -> None:
    os.environ["SNOWETL_ASSET_CACHE"] = str(folder / "cache")
    own = folder / str(os.getpid())
    own.mkdir()
    for _ in range(20):
        assert fetch(uri, own) in (b"a" * 50_000, b"b" * 50_000)


@pytest.mark.slow
def test_two_processes_at_once(tmp_path: Path) -> None:
    """While the file changes all the time."""
    versions = [versioned(name * 50_000, f'"{name.decode()}"') for name in (b"a", b"b")]
    with serving(Files(geo=versions * 200)) as server:
        context = multiprocessing.get_context("spawn")
        processes = [context.Process(target=_fetch_often, args=(f"{server.uri}/geo", tmp_path)) for _ in range(2)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert not [path for path in (tmp_path / "cache").iterdir() if path.name.startswith(".new-")]
