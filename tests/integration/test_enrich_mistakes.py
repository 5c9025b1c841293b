"""What a new user does wrong: one clear message, the right exit code, nothing half-written."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from snowetl.cli.main import main
from tests.iglu.server import Answer, serving
from tests.integration.support import (
    RESOLVER,
    ROOT,
    cloudfront_line,
    environment,
    files,
    options,
    write_json,
    write_logs,
)

ENRICHMENTS = "iglu:com.snowplowanalytics.snowplow/enrichments/jsonschema/1-0-0"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_logs(tmp_path / "raw", files=2, lines=50)
    write_json(tmp_path / "resolver.json", RESOLVER)
    return tmp_path


def enrichment(vendor: str, name: str, version: str, **parameters: Any) -> dict[str, Any]:
    return {
        "schema": f"iglu:{vendor}/{name}/jsonschema/{version}",
        "data": {"vendor": vendor, "name": name, "enabled": True, "parameters": parameters},
    }


def one_enrichment(folder: Path, configuration: object) -> list[str]:
    (folder / "enrichments").mkdir()
    write_json(folder / "enrichments" / "it.json", configuration)
    return ["--enrichments", str(folder / "enrichments")]


def text_file(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text)
    return str(folder / name)


def no_input(folder: Path) -> list[str]:
    return ["--input-folder", str(folder / "row")]


def empty_input(folder: Path) -> list[str]:
    (folder / "empty").mkdir()
    (folder / "empty" / "log.txt").touch()
    return ["--input-folder", str(folder / "empty")]


def glob_without_match(folder: Path) -> list[str]:
    return ["--input-folder", str(folder / "raw" / "*.lzo")]


def no_resolver(folder: Path) -> list[str]:
    return ["--iglu-config", str(folder / "resolver.jsn")]


def resolver_is_no_json(folder: Path) -> list[str]:
    return ["--iglu-config", text_file(folder, "resolver.txt", "{'schema': nothing")]


def resolver_is_another_json(folder: Path) -> list[str]:
    return ["--iglu-config", text_file(folder, "other.json", '{"schema": "iglu:a/b/jsonschema/1-0-0", "data": {}}')]


def no_enrichments(folder: Path) -> list[str]:
    return ["--enrichments", str(folder / "enrichmnets")]


def enrichment_is_no_json(folder: Path) -> list[str]:
    (folder / "enrichments").mkdir()
    text_file(folder / "enrichments", "anon_ip.json", "{")
    return ["--enrichments", str(folder / "enrichments")]


def unknown_enrichment(folder: Path) -> list[str]:
    return one_enrichment(folder, enrichment("com.snowplowanalytics.snowplow", "anon_ipp", "1-0-0"))


def enrichment_with_wrong_parameters(folder: Path) -> list[str]:
    return one_enrichment(folder, enrichment("com.snowplowanalytics.snowplow", "anon_ip", "1-0-0", anonOctets="many"))


def ip_lookups(folder: Path, uri: str) -> list[str]:
    geo = {"database": "GeoLite2-City.mmdb", "uri": uri}
    return one_enrichment(folder, enrichment("com.snowplowanalytics.snowplow", "ip_lookups", "2-0-0", geo=geo))


def no_database(folder: Path) -> list[str]:
    return ip_lookups(folder, f"file:{folder}/maxmind")


def wrong_database(folder: Path) -> list[str]:
    (folder / "maxmind").mkdir()
    (folder / "maxmind" / "GeoLite2-City.mmdb").write_bytes(b"this is not a database" * 100)
    return ip_lookups(folder, f"file:{folder}/maxmind")


def unreachable_database(folder: Path) -> list[str]:
    return ip_lookups(folder, "http://127.0.0.1:9/maxmind")


def unknown_format(folder: Path) -> list[str]:
    return ["--input-format", "Cloudfront"]


def wrong_format(folder: Path) -> list[str]:
    return ["--input-format", "clj-tomcat"]


def wrong_files(folder: Path) -> list[str]:
    (folder / "tables").mkdir()
    (folder / "tables" / "a.parquet").write_bytes(b"PAR1")
    return ["--input-folder", str(folder / "tables")]


def output_in_input(folder: Path) -> list[str]:
    return ["--output-folder", str(folder / "raw" / "good")]


def one_folder_for_both(folder: Path) -> list[str]:
    return ["--bad-folder", str(folder / "out" / "good")]


def output_is_a_file(folder: Path) -> list[str]:
    return ["--output-folder", text_file(folder, "file", "x")]


def bad_run_id(folder: Path) -> list[str]:
    return ["--run-id", "yesterday"]


def unknown_storage(folder: Path) -> list[str]:
    return ["--input-folder", "ftp://host/raw"]


def workers_on_spark(folder: Path) -> list[str]:
    return ["--master", "local[2]", "--workers", "2"]


@pytest.mark.parametrize(
    ("mistake", "code", "names"),
    [
        (no_input, 2, ["row"]),
        (empty_input, 3, ["nothing to do", "empty"]),
        (glob_without_match, 3, ["nothing to do", "*.lzo"]),
        (no_resolver, 2, ["resolver.jsn"]),
        (resolver_is_no_json, 2, ["resolver.txt", "JSON"]),
        (resolver_is_another_json, 2, ["other.json"]),
        (no_enrichments, 2, ["enrichmnets"]),
        (enrichment_is_no_json, 2, ["anon_ip.json", "JSON"]),
        (unknown_enrichment, 2, ["anon_ipp"]),
        (enrichment_with_wrong_parameters, 2, ["anon_ip", "anonOctets"]),
        (no_database, 2, ["maxmind/GeoLite2-City.mmdb"]),
        (wrong_database, 2, ["GeoLite2-City.mmdb"]),
        (unreachable_database, 2, ["http://127.0.0.1:9/maxmind/GeoLite2-City.mmdb"]),
        (unknown_format, 2, ["Cloudfront"]),
        (wrong_format, 2, ["is not 'clj-tomcat'", "--input-format cloudfront"]),
        (wrong_files, 2, ["a.parquet", "Parquet"]),
        (output_in_input, 2, ["lies in the input folder"]),
        (one_folder_for_both, 2, ["are the same"]),
        (output_is_a_file, 2, ["file"]),
        (bad_run_id, 2, ["yesterday", "YYYY-MM-DD-HH-mm-ss"]),
        (unknown_storage, 2, ["ftp"]),
        (workers_on_spark, 2, ["--workers", "--master none"]),
    ],
)
def test_mistakes(
    folder: Path,
    mistake: Callable[[Path], list[str]],
    code: int,
    names: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = mistake(folder)
    arguments = options(folder, *given, *(() if "--master" in given else ("--master", "none")))
    before = files(folder)
    assert main(arguments) == code
    captured = capsys.readouterr()
    errors = [line for line in captured.err.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1, captured.err
    assert "Traceback" not in captured.err
    assert all(name in captured.err for name in names), captured.err
    assert files(folder) == before


@pytest.mark.parametrize(
    ("logs", "given", "looks_like"),
    [
        ("cloudfront", "thrift", "cloudfront"),
        ("cloudfront", "ndjson/com.example/v1", "cloudfront"),
        ("thrift", "cloudfront", "thrift"),
        ("thrift", "clj-tomcat", "thrift"),
        ("clj-tomcat", "thrift", "clj-tomcat"),
        ("clj-tomcat", "cloudfront", "clj-tomcat"),
        ("airship", "cloudfront", "ndjson/<vendor>/<version>"),
    ],
)
def test_the_format_it_looks_like_is_named(
    folder: Path, logs: str, given: str, looks_like: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source = str(ROOT / "fixtures" / "logs" / logs)
    assert main(options(folder, "--master", "none", "--input-folder", source, "--input-format", given)) == 2
    assert f"It looks like '{looks_like}': give --input-format {looks_like}" in capsys.readouterr().err
    assert not (folder / "out").exists()


def test_garbage_is_no_mistake_but_a_warning(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Lines that no format knows are what bad rows are for."""
    (folder / "junk").mkdir()
    (folder / "junk" / "a.txt").write_text("neither this\nnor that\n")
    assert main(options(folder, "--master", "none", "--input-folder", str(folder / "junk"))) == 0
    assert "made 2 bad rows and 0 events (100 %), most of them collector_payload_format_violation" in " ".join(
        capsys.readouterr().err.split()
    )


def self_describing_logs(folder: Path) -> Path:
    """Events whose schema only a registry that does not answer could know."""
    event = {
        "schema": "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0",
        "data": {"schema": "iglu:com.acme/thing/jsonschema/1-0-0", "data": {}},
    }
    line = cloudfront_line(1).replace("e=pv", f"e=ue&ue_pr={quote(json.dumps(event))}")
    (folder / "events").mkdir()
    (folder / "events" / "log.txt").write_text(f"{line}\n")
    return folder / "events"


def unreachable_registry(folder: Path, uri: str = "http://127.0.0.1:9/api") -> list[str]:
    http = {"uri": uri}
    registry = {"name": "Nobody", "priority": 1, "vendorPrefixes": ["com.acme"], "connection": {"http": http}}
    document = {"schema": RESOLVER["schema"], "data": {"cacheSize": 5, "repositories": [registry]}}
    path = write_json(folder / "unreachable.json", document)
    return ["--input-folder", str(self_describing_logs(folder)), "--iglu-config", str(path)]


@pytest.mark.parametrize(
    "master",
    [
        ["--master", "none"],
        ["--master", "none", "--workers", "2"],
        pytest.param(["--master", "local[2]"], marks=pytest.mark.spark),
    ],
)
def test_a_registry_that_does_not_answer_fails_the_job(folder: Path, master: list[str]) -> None:
    arguments = options(folder, *master, *unreachable_registry(folder))
    before = files(folder)
    result = subprocess.run(
        [sys.executable, "-m", "snowetl", *arguments],
        capture_output=True, text=True, env=environment(), timeout=600, check=False,
    )  # fmt: skip
    assert result.returncode == 1, result.stderr
    errors = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1, result.stderr
    assert "Nobody" in errors[0] or "127.0.0.1:9" in errors[0]
    assert "Traceback" not in result.stderr
    assert files(folder) == before


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Answer(401), "/jsonschema/1-0-0 answers 401: give its apikey"),
        (Answer(403, b"<Error><Code>AccessDenied</Code></Error>"), "/jsonschema/1-0-0 answers 403: it refuses us."),
        (Answer(200, b"<!DOCTYPE html><title>Log in</title>"), "/jsonschema/1-0-0 answers 200 with a web page"),
    ],
)
def test_a_registry_that_answers_something_else_fails_the_job(
    folder: Path, capsys: pytest.CaptureFixture[str], answer: Answer, told: str
) -> None:
    """Only a registry that says 404 says that the events are bad."""
    before = files(folder)
    with serving(lambda path: answer) as server:
        extra = ["--master", "none", *unreachable_registry(folder, server.uri)]
        assert main(options(folder, *extra)) == 1
        error = " ".join(capsys.readouterr().err.split())
        assert "Iglu registry 'Nobody' does not answer as a registry does" in error and told in error
        assert "--on-registry-failure bad-rows" in error
        assert not any("part-" in name for name in files(folder).keys() - before.keys())
        assert main(options(folder, *extra, "--on-registry-failure", "bad-rows")) == 0


def test_a_registry_that_does_not_answer_may_make_bad_rows(folder: Path) -> None:
    extra = ["--master", "none", *unreachable_registry(folder), "--on-registry-failure", "bad-rows"]
    assert main(options(folder, *extra)) == 0


@pytest.mark.parametrize(
    "master",
    [
        ["--master", "none"],
        ["--master", "none", "--workers", "2"],
        pytest.param(["--master", "local[2]"], marks=pytest.mark.spark),
    ],
)
def test_a_full_disk(folder: Path, master: list[str]) -> None:
    """A limit on the size of files stands for the disk: the parts of this input do not fit."""
    write_logs(folder / "raw", files=2, lines=20_000)
    before = files(folder)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    result = subprocess.run(
        [sys.executable, "-m", "snowetl", *options(folder), *master, "--compression", "none"],
        capture_output=True, text=True, env=environment(), timeout=600, preexec_fn=limit, check=False,
    )  # fmt: skip
    assert result.returncode == 1, result.stderr
    errors = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1, result.stderr
    assert "cannot write" in errors[0]
    assert str(folder / "out") in errors[0]
    assert "Traceback" not in result.stderr
    assert files(folder) == before
