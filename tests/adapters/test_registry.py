from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path

import pytest

from snowetl.adapters import catalogue, tp1
from snowetl.adapters.base import Setup
from snowetl.adapters.registry import AdapterRegistry
from snowetl.adapters.remote import RemoteAdapter, RemoteAdaptersConfig
from snowetl.adapters.schemas import check_schemas, resolve_schemas
from snowetl.errors import ConfigError
from tests.adapters.helpers import (
    FORM,
    JSON,
    ORIGIN,
    AllValid,
    event,
    failures,
    input_data,
    parameters,
    payload,
    refusal,
    registry,
)


@pytest.mark.parametrize("path", ["com.example/v1", "com.mailchimp/v2", "com.Mailchimp/v1", "com.example/tp2", "/"])
def test_a_path_nobody_knows(path):
    given = payload(path, "body", JSON, [("a", "1"), ("a", None)])
    row = refusal(given)
    assert row.type == "adapter_failures"
    assert row.data["failure"]["messages"] == [
        input_data("vendor/version", path, "vendor/version combination is not supported")
    ]
    assert row.data["payload"]["querystring"] == [{"name": "a", "value": "1"}, {"name": "a", "value": None}]


def test_a_row_holds_the_whole_payload():
    given = payload("com.mailchimp/v1", "type=x", FORM, referer_uri="r", network_userid="n")
    assert refusal(given).data["payload"] == {
        "vendor": "com.mailchimp",
        "version": "v1",
        "querystring": [],
        "contentType": FORM,
        "body": "type=x",
        "collector": "ssc-3.0.0-test",
        "encoding": "UTF-8",
        "hostname": "collector.example.com",
        "timestamp": "2026-03-04T04:53:20.000Z",
        "ipAddress": "198.18.0.9",
        "useragent": "Hookshot/2.1",
        "refererUri": "r",
        "headers": ["Accept: */*"],
        "networkUserId": "n",
    }


def test_paths_of_adapters_are_all_different():
    paths = [(adapter.vendor, adapter.version) for adapter in catalogue.built_in()]
    assert len(set(paths)) == len(paths) == 21


def test_every_event_of_an_adapter_has_a_schema():
    for adapter in catalogue.built_in():
        assert set(adapter.events.values()) <= set(adapter.schemas), adapter.name
        assert bool(adapter.schemas) is bool(adapter.group), adapter.name


def test_too_deep_json_is_refused():
    body = '{"type":"sent","x":' + "[" * 100_000 + "]" * 100_000 + "}"
    [message] = failures(payload("com.getvero/v1", body))
    assert "nested" in message.get("error", "") + message.get("expectation", "")


def test_failures_of_a_payload_are_bounded():
    body = "[" + ",".join(["{}"] * 5000) + "]"
    assert len(failures(payload("com.hubspot/v1", body, JSON))) == 1000


class TestSchemas:
    def test_another_schema_for_one_type(self):
        using = registry(schemas={"sendgrid": {"open": "iglu:com.example/opened/jsonschema/1-2-3"}})
        body = '[{"event":"%s"}]'
        assert event(payload("com.sendgrid/v3", body % "open", JSON), using)[0] == "com.example/opened/jsonschema/1-2-3"
        assert (
            event(payload("com.sendgrid/v3", body % "click", JSON), using)[0] == "com.sendgrid/click/jsonschema/3-0-0"
        )

    def test_defaults_are_left_alone(self):
        adapters = catalogue.built_in()
        changed = resolve_schemas(adapters, {"marketo": {"event": "iglu:a/b/jsonschema/1-0-0"}})
        assert changed["marketo"] == {"event": "iglu:a/b/jsonschema/1-0-0"}
        assert resolve_schemas(adapters, None)["marketo"] == {"event": "iglu:com.marketo/event/jsonschema/2-0-0"}

    @pytest.mark.parametrize(
        ("overrides", "message"),
        [
            ({"callrail": {"call_complete": "call"}}, "CallRail: Cannot parse schema call_complete: call"),
            (
                {"vero": {"sent": "iglu:a/b/jsonschema/0-0-1"}},
                "Vero: Cannot parse schema sent: iglu:a/b/jsonschema/0-0-1",
            ),
            ({"olark": {"transcript": 7}}, "Olark: Cannot parse schema transcript: 7"),
            ({"sendgird": {}}, "adaptersSchemas: unknown adapter 'sendgird'. Did you mean 'sendgrid'?"),
            ({"mailgun": {"message_open": "x"}}, "unknown key 'message_open'. Did you mean 'message_opened'?"),
            ({"vero": []}, "adaptersSchemas.vero must hold keys and values, not []"),
            ([1], "adaptersSchemas must hold keys and values, not [1]"),
        ],
    )
    def test_what_cannot_be_used_is_told_at_start_up(self, overrides, message):
        with pytest.raises(ConfigError) as caught:
            check_schemas(overrides)
        assert message in str(caught.value)
        with pytest.raises(ConfigError):
            registry(schemas=overrides)


class TestInstalledAdapters:
    def install(self, monkeypatch, folder: Path, source: str, value: str = "shop_adapter:ADAPTER") -> None:
        (folder / "shop_adapter.py").write_text(source, "utf-8")
        info = folder / "shop_adapter-1.0.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shop-adapter\nVersion: 1.0.0\n", "utf-8")
        (info / "entry_points.txt").write_text(f"[snowetl.adapters]\nshop = {value}\n", "utf-8")
        monkeypatch.syspath_prepend(str(folder))
        monkeypatch.delitem(sys.modules, "shop_adapter", raising=False)

    def test_the_guide_works_as_written(self, monkeypatch, tmp_path):
        guide = Path(__file__).parents[2].joinpath("docs/adapters.md").read_text("utf-8")
        module = guide.split("```python\n")[1].split("```")[0]
        source = "\n".join(line.removeprefix("   ") for line in module.splitlines()) + "\n"
        toml = guide.split("```toml\n")[1].split("```")[0]
        assert '[project.entry-points."snowetl.adapters"]' in toml and 'shop = "shop_adapter:ADAPTER"' in toml
        self.install(monkeypatch, tmp_path, source)
        given = payload("com.example.shop/v1", '{"total": 1.50}', None, {"aid": "shop"})
        assert event(given, registry()) == ("com.example.shop/order_placed/jsonschema/1-0-0", {"total": 1.5})
        assert parameters(given, registry())[0]["aid"] == "shop"
        assert failures(payload("com.example.shop/v1", "{"), registry())[0]["error"] == "invalid json: exhausted input"
        other = registry(schemas={"shop": {"order": "iglu:com.example.shop/order/jsonschema/2-0-0"}})
        assert event(given, other)[0] == "com.example.shop/order/jsonschema/2-0-0"

    def test_they_win_over_built_in_ones_and_remote_ones_win_over_them(self, monkeypatch, tmp_path):
        source = (
            "from snowetl.adapters import Adapter, input_failure\n"
            "def build(setup):\n    return lambda payload: input_failure('mine', None, 'mine')\n"
            "ADAPTER = Adapter('Mine', 'com.mailchimp', 'v1', build)\n"
        )
        self.install(monkeypatch, tmp_path, source)
        given = payload("com.mailchimp/v1")
        assert failures(given, registry())[0]["field"] == "mine"
        remote = RemoteAdaptersConfig((RemoteAdapter("com.mailchimp", "v1", "http://localhost:1/x"),))
        assert "not a valid remote adapter" in failures(given, registry(remote=remote))[0]["expectation"]

    @pytest.mark.parametrize(
        ("source", "value", "reason"),
        [
            ("raise OSError('no licence')", "shop_adapter:ADAPTER", "cannot be loaded: no licence"),
            ("ADAPTER = 7", "shop_adapter:ADAPTER", "must be a snowetl.adapters.base.Adapter, not int"),
            ("", "shop_adapter:ADAPTER", "cannot be loaded"),
        ],
    )
    def test_a_broken_one_is_named(self, monkeypatch, tmp_path, source, value, reason):
        self.install(monkeypatch, tmp_path, source, value)
        with pytest.raises(ConfigError) as caught:
            registry()
        assert reason in str(caught.value)
        assert "adapter 'shop' of shop-adapter (shop_adapter:ADAPTER)" in str(caught.value)


def test_an_adapter_of_the_guide_kind_needs_no_schemas():
    assert tp1.ADAPTER.build(Setup(AllValid(), {})) is tp1.adapt


def test_a_registry_is_built_quickly_and_its_configuration_pickles():
    config = RemoteAdaptersConfig((RemoteAdapter("a", "b", "http://localhost/x"),))
    assert pickle.loads(pickle.dumps(config)) == config
    assert AdapterRegistry(AllValid(), ORIGIN) is not None
    assert json.dumps(refusal(payload("x/y")).to_dict())
