"""An adapter in a file outside the package: registered by its entry point, run through the command line."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from snowetl.cli.main import main
from snowetl.model.fields import INDEX
from snowetl.storage import lzop_writer
from tests.collector.samples import thrift_record
from tests.integration.support import RESOLVER, RUN, output_lines

SOURCE = '''
from snowetl.adapters import Adapter, Failures, RawEvent, input_failure, parse_json


def build(setup):
    """Bicycle counters send one JSON object: a tracker's page view of the counter's page."""

    def adapt(payload):
        if not payload.body:
            return input_failure("body", None, "empty body: no counter speaks")
        count = parse_json("body", payload.body)
        if isinstance(count, Failures):
            return count
        return [RawEvent(payload, {"e": "pv", "p": "iot", "tv": "counter-1", "page": count["bridge"]})]

    return adapt


ADAPTER = Adapter(name="Counters", vendor="com.example.counters", version="v1", build=build)
'''


def test_one_file_and_one_entry_point_make_an_adapter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site"
    info = site / "counters-1.0.0.dist-info"
    info.mkdir(parents=True)
    (site / "counters_adapter.py").write_text(SOURCE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: counters\nVersion: 1.0.0\n")
    (info / "entry_points.txt").write_text("[snowetl.adapters]\ncounters = counters_adapter:ADAPTER\n")
    monkeypatch.syspath_prepend(site)
    monkeypatch.delitem(sys.modules, "counters_adapter", raising=False)
    bodies = ('{"bridge":"Elbe"}', None, "{")
    records = [thrift_record(path="/com.example.counters/v1", querystring=None, body=body) for body in bodies]
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "part.lzo").write_bytes(lzop_writer.write(records)[0])

    (tmp_path / "resolver.json").write_text(json.dumps(RESOLVER))

    code = main(
        [
            "enrich",
            *("--input-format", "thrift", "--input-folder", f"{tmp_path}/raw", "--master", "none", "--run-id", RUN),
            *("--output-folder", f"{tmp_path}/out/good", "--bad-folder", f"{tmp_path}/out/bad"),
            *("--iglu-config", f"{tmp_path}/resolver.json"),
        ]
    )

    assert code == 0
    (event,) = [line.split("\t") for line in output_lines(tmp_path / "out" / "good")]
    assert (event[INDEX["page_title"]], event[INDEX["platform"]]) == ("Elbe", "iot")
    failures = [json.loads(line)["data"]["failure"] for line in output_lines(tmp_path / "out" / "bad")]
    assert [failure["vendor"] for failure in failures] == ["com.example.counters"] * 2
    assert failures[0]["messages"][0]["expectation"] == "empty body: no counter speaks"
    assert failures[1]["messages"][0]["error"] == "invalid json: exhausted input"
