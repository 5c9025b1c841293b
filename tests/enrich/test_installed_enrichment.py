"""An enrichment in a file outside the package: registered by its entry point, run through the command line."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from snowetl.cli.main import main
from snowetl.enrich.config import EnrichConfig
from snowetl.enrich.enrichments import registered
from snowetl.enrich.pipeline import Enricher
from snowetl.errors import ConfigError
from snowetl.model.badrow import BadRow
from snowetl.model.fields import INDEX
from snowetl.model.result import Discard
from tests.integration.support import RUN, output_lines, report

SOURCE = '''
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, ClassVar

from snowetl.enrich.draft import Draft, Entity
from snowetl.enrich.enrichments.base import Asset, Needs, Place
from snowetl.enrich.enrichments.parameters import Parameters, criterion, text
from snowetl.jvm import jsontext
from snowetl.model import badrow
from snowetl.model.fields import INDEX

SHOP = "iglu:com.acme/shop/jsonschema/1-0-0"


@dataclass(frozen=True)
class ShopConf:
    """Names the shop of an app id, from a file; drops tests, fails what is unknown."""

    criterion: ClassVar = criterion("shop_config", vendor="com.acme")
    place: ClassVar = Place(115)

    schema_key: Any
    names: Asset

    @classmethod
    def parse(cls, key, data):
        given = Parameters(data)
        names = given.asset("parameters.uri", "parameters.database", "shops.json")
        given.check()
        return cls(key, names)

    def needs(self):
        return Needs(files=(self.names,), lookups=(Shouted(),))

    @contextmanager
    def open(self, services):
        names = jsontext.loads(services.files[self.names.uri].read_text())
        shout = services.lookups["shouted"]

        def step(draft: Draft) -> None:
            app = draft.values[INDEX["app_id"]]
            if app == "test":
                draft.drop("events of tests")
            elif app in names:
                data = {"name": names[app], "loud": shout(app)}
                draft.add(Entity(SHOP, jsontext.dumps({"schema": SHOP, "data": data})))
            else:
                message = badrow.input_data("app_id", app, "not a shop")
                draft.fail(badrow.enrichment_message(message, str(self.schema_key), "shops"))

        yield step
        names.clear()


class Shouted:
    name = "shouted"
    columns = ("app_id",)

    def key(self, draft):
        return draft.values[INDEX["app_id"]] or None

    def check(self):
        pass

    def open(self):
        return nullcontext(lambda keys: [(key, key.upper()) for key in keys])
'''

CONFIG = "iglu:com.acme/shop_config/jsonschema/1-0-0"
RESOLVER = "iglu:com.snowplowanalytics.iglu/resolver-config/jsonschema/1-0-1"


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, source: str = SOURCE) -> None:
    """A package beside the test, as pip would install it."""
    (folder / "acme_shops.py").write_text(source)
    info = folder / "acme_shops-1.0.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-shops\nVersion: 1.0.0\n")
    (info / "entry_points.txt").write_text("[snowetl.enrichments]\nshop = acme_shops:ShopConf\n")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(__import__("sys").modules, "acme_shops", raising=False)


def schema(folder: Path, uri: str, **properties: object) -> None:
    path = folder / "schemas" / uri.removeprefix("iglu:")
    path.parent.mkdir(parents=True)
    described = {"type": "object", "properties": properties, "additionalProperties": False}
    path.write_text(json.dumps(described))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "site").mkdir()
    install(tmp_path / "site", monkeypatch)
    text = {"type": "string"}
    parameters = {"type": "object", "properties": {"uri": text, "database": text}}
    schema(tmp_path, CONFIG, vendor=text, name=text, enabled={"type": "boolean"}, parameters=parameters)
    schema(tmp_path, "iglu:com.acme/shop/jsonschema/1-0-0", name=text, loud=text)
    registry = {"name": "A", "priority": 0, "vendorPrefixes": [], "connection": {"embedded": {"path": str(tmp_path)}}}
    resolver = {"schema": RESOLVER, "data": {"cacheSize": 9, "repositories": [registry]}}
    (tmp_path / "resolver.json").write_text(json.dumps(resolver))
    (tmp_path / "shops.json").write_text('{"tea": "Larkspur Tea"}')
    (tmp_path / "enrichments").mkdir()
    data = {
        "vendor": "com.acme",
        "name": "shop_config",
        "enabled": True,
        "parameters": {"uri": f"file:{tmp_path}", "database": "shops.json"},
    }
    (tmp_path / "enrichments" / "shop.json").write_text(json.dumps({"schema": CONFIG, "data": data}))
    (tmp_path / "raw").mkdir()
    fields = "2026-03-02\t08:00:00\tLHR61-C1\t43\t198.18.0.7\tGET\td1.example.net\t/i\t200\t-\tagent\t{}"
    lines = [fields.format(f"e=pv&p=web&tv=t-1&aid={app}") for app in ("tea", "test", "unknown", "tea")]
    (tmp_path / "raw" / "log.gz").write_bytes(gzip.compress("\n".join(lines).encode() + b"\n"))
    return tmp_path


def test_one_file_and_one_entry_point_make_an_enrichment(project: Path) -> None:
    code = main(
        [
            "enrich",
            *("--input-format", "cloudfront", "--input-folder", f"{project}/raw", "--master", "none"),
            *("--output-folder", f"{project}/out/good", "--bad-folder", f"{project}/out/bad"),
            *("--run-id", RUN, "--enrichments", f"{project}/enrichments", "--iglu-config", f"{project}/resolver.json"),
        ]
    )
    assert code == 0
    events = [line.split("\t") for line in output_lines(project / "out" / "good")]
    assert [event[0] for event in events] == ["tea", "tea"]
    assert '"data":{"name":"Larkspur Tea","loud":"TEA"}' in events[0][INDEX["derived_contexts"]]
    (row,) = [json.loads(line) for line in output_lines(project / "out" / "bad")]
    (message,) = row["data"]["failure"]["messages"]
    assert message["enrichment"] == {"schemaKey": CONFIG, "identifier": "shops"}
    document = report(project)
    assert document["discarded"] == {"events of tests": 1}
    assert document["records"] == 4 == document["events"] + 1 + 1


def test_it_lives_as_long_as_the_enricher(project: Path) -> None:
    config = EnrichConfig.load(
        resolver=project / "resolver.json", enrichments=project / "enrichments", input_format="cloudfront"
    )
    line = gzip.decompress((project / "raw" / "log.gz").read_bytes()).decode().split("\n")
    with Enricher(config) as enricher:
        assert list(enricher.lookup_keys(line[0])) == [("shouted", "tea")]
        assert list(enricher.process(line[1])) == [Discard("events of tests")]
        (good,) = enricher.process(line[0])
        assert not isinstance(good, BadRow | Discard)
    (row,) = enricher.process(line[0])  # closed: the names are gone
    assert isinstance(row, BadRow) and row.type == "enrichment_failures"


def test_a_broken_one_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "raise OSError('no licence')")
    with pytest.raises(ConfigError, match=r"enrichment 'shop' of acme-shops \(acme_shops:ShopConf\): cannot be loaded"):
        registered()


def test_a_class_that_is_none_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "class ShopConf:\n    criterion = place = None\n")
    with pytest.raises(ConfigError, match="must be a class with parse, needs, open"):
        registered()
