"""The table of input formats, and a format in a file outside the package: registered, planned, read, explained."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from snowetl.cli.main import main
from snowetl.collector import FORMATS, Loader, format_of, formats, loader_for
from snowetl.errors import ConfigError
from snowetl.model.badrow import Origin
from snowetl.storage.records import TextForm

ORIGIN = Origin("snowetl", "1", 0)
SOURCE = '''
"""Lines of a load balancer: time in ms, address, path, query string; separated by bars."""
from snowetl.collector import Loader
from snowetl.collector.loader import UTF_8, parse_querystring
from snowetl.collector.path import parse_path
from snowetl.model import badrow
from snowetl.model.payload import CollectorPayload

class BalancerLoader(Loader):
    name = "balancer"

    def load(self, record):
        if record.startswith("//"):
            return None
        columns = record.split("|")
        if len(columns) != 4:
            return self.violations(record, badrow.simple_error("not four columns"))
        api, pairs = parse_path(columns[2]), parse_querystring(columns[3], UTF_8)
        return CollectorPayload(
            vendor=api[0], version=api[1], querystring=pairs, content_type=None, body=None, collector=self.name,
            encoding=UTF_8, hostname=None, timestamp=int(columns[0]), ip_address=columns[1], useragent=None,
            referer_uri=None,
        )
'''
RESOLVER = {
    "schema": "iglu:com.snowplowanalytics.iglu/resolver-config/jsonschema/1-0-1",
    "data": {"cacheSize": 1, "repositories": []},
}


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package beside the test, as pip would install it; the folder of its entry points."""
    site = tmp_path / "site"
    info = site / "acme_balancer-1.0.0.dist-info"
    info.mkdir(parents=True)
    (site / "acme_balancer.py").write_text(SOURCE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-balancer\nVersion: 1.0.0\n")
    (info / "entry_points.txt").write_text("[snowetl.formats]\nbalancer = acme_balancer:BalancerLoader\n")
    monkeypatch.syspath_prepend(site)
    monkeypatch.delitem(__import__("sys").modules, "acme_balancer", raising=False)
    formats.cache_clear()
    yield info
    formats.cache_clear()


def run(folder: Path, input_format: str) -> int:
    (folder / "resolver.json").write_text(json.dumps(RESOLVER))
    return main(
        [
            *("enrich", "--master", "none", "--input-folder", f"{folder}/raw", "--input-format", input_format),
            *("--output-folder", f"{folder}/good", "--bad-folder", f"{folder}/bad", "--compression", "none"),
            *("--iglu-config", f"{folder}/resolver.json"),
        ]
    )


def test_one_file_and_one_entry_point_make_a_format(
    tmp_path: Path, installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "raw").mkdir()
    hit = "1772438400000|198.18.0.7|/i|e=pv&p=web&tv=t-1&aid=shop"
    (tmp_path / "raw/balancer.log").write_text(f"// time|address|path|query\n{hit}\nnonsense\n{hit}\n")
    assert run(tmp_path, "balancer") == 0
    [good] = tmp_path.glob("good/run=*/part-*")
    assert [line.split("\t")[0] for line in good.read_text().splitlines()] == ["shop", "shop"]
    [bad] = tmp_path.glob("bad/run=*/part-*")
    [row] = map(json.loads, bad.read_text().splitlines())
    assert (row["data"]["failure"]["loader"], row["data"]["payload"]) == ("balancer", "nonsense")
    capsys.readouterr()
    given = ("--input-format", "balancer", "--iglu-config", f"{tmp_path}/resolver.json")
    assert main(["explain", f"{tmp_path}/raw/balancer.log:2", *given]) == 0
    assert "198.18.0.7" in capsys.readouterr().out


def test_the_look_at_the_first_records_knows_installed_formats(
    tmp_path: Path, installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw/balancer.log").write_text("1772438400000|198.18.0.7|/i|e=pv&p=web&tv=t-1\n" * 3)
    assert run(tmp_path, "cloudfront") == 2
    assert "It looks like 'balancer'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("nowhere:Loader", "cannot be loaded"),
        ("acme_balancer:CollectorPayload", "must be a class derived from"),
        ("snowetl.collector.thrift:ThriftLoader", "its name, thrift, is taken"),
    ],
)
def test_what_is_no_new_format_is_refused(installed: Path, value: str, text: str) -> None:
    (installed / "entry_points.txt").write_text(f"[snowetl.formats]\nbalancer = {value}\n")
    with pytest.raises(ConfigError, match=f"format 'balancer' of acme-balancer .*{text}"):
        formats()


@pytest.mark.parametrize("name", FORMATS)
def test_a_row_says_what_other_rooms_ask(name: str) -> None:
    loader = FORMATS[name]
    assert (loader.name, loader.binary) == (name, name == "thrift")
    written = f"{name}/com.acme/v1" if loader.takes_adapter else name
    assert format_of(written) is loader
    made: Loader = loader_for(written, ORIGIN)
    assert type(made) is loader
    assert not loader.binary or loader.text == TextForm()


@pytest.mark.parametrize("name", [name for name, loader in FORMATS.items() if loader.takes_fields])
def test_fields_of_a_log_may_follow_its_format(name: str) -> None:
    assert type(loader_for(f"{name}/timestamp,cs-uri-stem,cs-uri-query", ORIGIN)) is FORMATS[name]
    with pytest.raises(ConfigError, match="names no field cs-uri-stem and none timestamp"):
        loader_for(f"{name}/c-ip,date", ORIGIN)
    with pytest.raises(ConfigError, match="names an empty name"):
        loader_for(f"{name}/date,time,,cs-uri-stem", ORIGIN)
    for wrong in (f"{name}/", f"{name}/a\n"):
        with pytest.raises(ConfigError, match="is not a recognised Snowplow event collector"):
            loader_for(wrong, ORIGIN)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Cloudfront", "cloudfront"),
        ("cloud-front", "cloudfront"),
        ("clojure-tomcat", "clj-tomcat"),
        ("Thrift", "thrift"),
        ("TSV/com.acme/v1", "tsv/com.acme/v1"),
    ],
)
def test_format_Cloudfront_did_you_mean(typed: str, meant: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loader_for(typed, ORIGIN)
    assert str(caught.value).startswith(
        f"[{typed}] is not a recognised Snowplow event collector; did you mean {meant}; input formats are: thrift, "
    )
