"""A run and the files its enrichments read: which ones, in the report; fetched once; newer ones are used at once."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

import snowetl
from snowetl.errors import ConfigError
from snowetl.model.fields import INDEX
from snowetl.reporting.enrich import EnrichReport
from tests.iglu.server import Answer, Files, Server, serving

FIXTURES = Path(__file__).parents[2] / "fixtures"
RUN = "2026-03-05-00-00-00"


def database(medium: str, etag: str) -> Answer:
    """Of referrers that all fixtures come from."""
    content = {medium: {"Everyone": {"domains": ["com", "de", "example", "co.uk"]}}}
    return Answer(body=json.dumps(content).encode(), headers=(("etag", etag),))


def options(folder: Path, server: Server, run: str = RUN) -> dict[str, Any]:
    referer_parser = {
        "schema": "iglu:com.snowplowanalytics.snowplow/referer_parser/jsonschema/2-0-0",
        "data": {
            "vendor": "com.snowplowanalytics.snowplow",
            "name": "referer_parser",
            "enabled": True,
            "parameters": {"internalDomains": [], "database": "referers.json?token=s3cret", "uri": server.uri},
        },
    }
    return {
        "input_folder": str(FIXTURES / "logs" / "clj-tomcat"),
        "input_format": "clj-tomcat",
        "output_folder": str(folder / "good"),
        "bad_folder": str(folder / "bad"),
        "iglu_config": str(FIXTURES / "resolver.json"),
        "enrichments": json.dumps(referer_parser),
        "run_id": run,
        "master": "none",
    }


def media(folder: Path, run: str) -> set[str]:
    lines = [
        line.split("\t")
        for part in (folder / "good" / f"run={run}").glob("part-*")
        for line in gzip.decompress(part.read_bytes()).decode().split("\n")
        if line
    ]
    return {line[INDEX["refr_medium"]] for line in lines} - {""}


def test_a_run_tells_what_it_read_and_the_next_reads_what_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SNOWETL_ASSET_CACHE", str(tmp_path / "cache"))
    files = Files(**{"referers.json": database("search", '"1"')})
    with serving(files) as server:
        first = snowetl.enrich(**options(tmp_path, server))
        assert isinstance(first, EnrichReport)
        assert len(server.requests) == 1
        [asset] = first.assets
        assert asset.uri == f"{server.uri}/referers.json?token=***"
        assert asset.sha256 == hashlib.sha256(files("/referers.json").body).hexdigest()
        assert first.fingerprint["files"] == {asset.uri: asset.sha256}
        assert "search" in media(tmp_path, RUN)

        files.put(**{"referers.json": database("email", '"2"')})
        assert snowetl.enrich(**options(tmp_path, server)) == first  # what is done stays done
        assert len(server.requests) == 1
        later = "2026-03-05-01-00-00"
        second = snowetl.enrich(**options(tmp_path, server, later))
        assert isinstance(second, EnrichReport)
        assert media(tmp_path, later) & {"search", "email"} == {"email"}
        assert second.fingerprint["digest"] != first.fingerprint["digest"]
        assert second.fingerprint["keys"] == first.fingerprint["keys"]
        snowetl.enrich(**options(tmp_path, server, "2026-03-05-02-00-00"))
        assert [headers.get("if-none-match") for _, headers in server.requests] == [None, '"1"', '"2"']


def test_a_wrong_file_stops_the_run_before_it_begins(tmp_path: Path) -> None:
    with (
        serving(Files(**{"referers.json": Answer(body=b"[]")})) as server,
        pytest.raises(
            ConfigError, match=rf"{server.uri}/referers.json\?token=\*\*\* \(here: .*is not a referer database"
        ),
    ):
        snowetl.enrich(**options(tmp_path, server))
    assert not (tmp_path / "good").exists()
