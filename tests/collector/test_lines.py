"""TSV and NDJSON lines, and the choice of a loader."""

from __future__ import annotations

import pytest

from snowetl.collector import Loader, loader_for
from snowetl.errors import ConfigError
from snowetl.jvm.jsontext import MAX_DEPTH
from snowetl.model.badrow import Origin
from snowetl.model.payload import CollectorPayload

ORIGIN = Origin("test", "1.0.0", 0)
TSV = loader_for("tsv/com.acme/v1", ORIGIN)
NDJSON = loader_for("ndjson/com.acme/v1", ORIGIN)


def _payload(collector: str, body: str) -> CollectorPayload:
    return CollectorPayload(
        vendor="com.acme",
        version="v1",
        querystring=[],
        content_type=None,
        body=body,
        collector=collector,
        encoding="UTF-8",
        hostname=None,
        timestamp=None,
        ip_address=None,
        useragent=None,
        referer_uri=None,
    )


def _fault(loader: Loader, line: str) -> dict[str, object]:
    rows = loader.load(line)
    assert isinstance(rows, list)
    assert len(rows) == 1
    assert rows[0].data["failure"]["loader"] == loader.name
    assert rows[0].data["payload"] == line
    message: dict[str, object] = rows[0].data["failure"]["message"]
    return message


@pytest.mark.parametrize("line", ["a\tb", "", "#version", " #Fields: x", "\t"])
def test_tsv_lines_are_bodies(line: str) -> None:
    assert TSV.load(line) == TSV.load(line.encode()) == _payload("tsv", line)


def test_tsv_headers_are_discarded() -> None:
    assert TSV.load("#Version: 1.0") is TSV.load("#Fields: a") is None


@pytest.mark.parametrize("line", ["{}", '{"a":1,"a":2}\r\n', "1", " null ", '"é"'])
def test_json_lines_are_bodies(line: str) -> None:
    assert NDJSON.load(line) == NDJSON.load(line.encode()) == _payload("ndjson", line)


@pytest.mark.parametrize("line", ["", "\n", "\r\n", "\n\r\n\n"])
def test_empty_json_lines_are_discarded(line: str) -> None:
    assert NDJSON.load(line) is None


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (" ", "invalid json: exhausted input"),
        ("\r", "invalid json: exhausted input"),
        ("{", "invalid json: exhausted input"),
        ("x", "invalid json: expected json value got 'x' (line 1, column 1)"),
        ('{"a"1}', "invalid json: expected : got '1}' (line 1, column 5)"),
        ("1\n2", "expected a single line, found 2"),
        ("\n2\n\n", "expected a single line, found 2"),
        ("1\r\n\r\n3\r\n", "expected a single line, found 3"),
        ("[" * 100_000, f"invalid json: nested deeper than {MAX_DEPTH} levels"),
    ],
)
def test_faults_of_json_lines(line: str, error: str) -> None:
    assert _fault(NDJSON, line) == {"error": error}


def test_an_adapter_that_is_no_path_fails_every_line() -> None:
    fault = {
        "payloadField": "path",
        "value": "nope",
        "expectation": "path does not match (/)vendor/version(/) nor is a legacy /i(ce.png) request",
    }
    assert _fault(loader_for("tsv/nope", ORIGIN), "a") == fault
    assert _fault(loader_for("ndjson/nope", ORIGIN), "1") == fault
    assert "error" in _fault(loader_for("ndjson/nope", ORIGIN), "x")
    assert loader_for("tsv/nope", ORIGIN).load("#Version:") is None
    assert _fault(loader_for("tsv/", ORIGIN), "a")["value"] == ""


@pytest.mark.parametrize(
    ("input_format", "name", "binary"),
    [
        ("thrift", "thrift", True),
        ("cloudfront", "cloudfront", False),
        ("clj-tomcat", "clj-tomcat", False),
        ("tsv/com.amazon.aws.cloudfront/wd_access_log", "tsv", False),
        ("ndjson/com.acme/v1", "ndjson", False),
    ],
)
def test_loaders_by_input_format(input_format: str, name: str, binary: bool) -> None:
    loader = loader_for(input_format, ORIGIN)
    assert (loader.name, loader.binary) == (name, binary)
    assert loader.origin is ORIGIN


@pytest.mark.parametrize("input_format", ["", "Thrift", "thrift-raw", "tsv", "json/com.acme/v1", "thrift/", "tsv/a\nb"])
def test_other_input_formats_are_refused(input_format: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loader_for(input_format, ORIGIN)
    assert str(caught.value).startswith(f"[{input_format}] is not a recognised Snowplow event collector; ")
    assert "ndjson/<vendor>/<version>" in str(caught.value)
