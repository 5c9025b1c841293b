"""Secrets that AWS keeps: what refers to them, and what they become."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from snowetl import documents, references, secret_keys
from snowetl.errors import ConfigError, TargetError
from snowetl.interpolation import escape, interpolate
from snowetl.load.target import Target
from snowetl.settings.fingerprint import read_document
from snowetl.settings.secrets import is_open
from snowetl.steps.settings import LoadSettings

URL = "postgresql://loader:${secretsmanager:prod/db#password}@db/x"
PASSWORD = "p/a ss@w'0rd"


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    references.look_up.cache_clear()
    with mock_aws():
        store = boto3.client("secretsmanager")
        store.create_secret(Name="prod/db", SecretString=json.dumps({"username": "loader", "password": PASSWORD}))
        store.create_secret(Name="key", SecretString="0123")
        boto3.client("ssm").put_parameter(Name="/iglu/key", Value="abcd", Type="SecureString")
        yield
    references.look_up.cache_clear()


@pytest.mark.slow
def test_all_stores() -> None:
    assert [references.look_up(one) for one in ("secretsmanager:key", "ssm:/iglu/key")] == ["0123", "abcd"]
    assert references.look_up("secretsmanager:prod/db#password") == PASSWORD


@pytest.mark.slow
@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ("secretsmanager:nobody", "cannot be looked up"),
        ("ssm:/nobody", "cannot be looked up"),
        ("secretsmanager:prod/db#pass", "not JSON with the key pass"),
        ("secretsmanager:key#password", "not JSON with the key password"),
    ],
)
def test_one_that_leads_nowhere_is_named_and_shows_no_secret(reference: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told) as caught:
        references.look_up(reference)
    assert reference in str(caught.value) and "0123" not in str(caught.value) and PASSWORD not in str(caught.value)


def test_addresses_are_spelled_as_they_need() -> None:
    assert references.in_address(URL) == "postgresql://loader:p%2Fa%20ss%40w%270rd@db/x"
    assert references.in_address("host=db password=${secretsmanager:prod/db#password}") == (
        "host=db password='p/a ss@w\\'0rd'"
    )
    assert references.in_address("${secretsmanager:key}") == "0123"


def test_documents_look_them_up_and_fingerprints_do_not(tmp_path: Path) -> None:
    path = tmp_path / "resolver.json"
    path.write_text('{"apikey": "${ssm:/iglu/key}", "text": "$${ssm:/iglu/key}"}')
    assert documents.read(str(path), "it").value == {"apikey": "abcd", "text": "${ssm:/iglu/key}"}
    assert read_document(str(path))["apikey"] == "${ssm:/iglu/key}"
    content = read_document(str(path), variables=False)
    assert secret_keys.masked(content) == content and list(secret_keys.secrets_in(content)) == []


@pytest.mark.slow
def test_variables_and_references_side_by_side() -> None:
    assert interpolate("${A}-${ssm:x}-${B:-c}", {"A": "a"}) == "a-${ssm:x}-c"
    assert escape("${A}-${ssm:x}") == "$${A}-${ssm:x}"
    assert interpolate(escape("${A}-${ssm:x}"), {}) == "${A}-${ssm:x}"


def test_an_address_with_a_reference_may_travel_and_one_with_a_password_may_not() -> None:
    open_, closed = (
        LoadSettings(input_folder="s3://b/x", iglu_config={}, database=url) for url in (URL, "postgresql://a:b@c/d")
    )
    assert URL in open_.to_argv() and open_.to_json()["database"] == URL
    assert LoadSettings.from_mapping(open_.to_json(), {}) == open_
    assert "--database" not in closed.to_argv() and closed.to_json()["database"] == "${SNOWETL_DATABASE}"
    assert not is_open("postgresql://a:x${ssm:b}@c/d"), "a part of it is a password"
    assert not is_open("postgresql://a@c/d")


def test_a_target_looks_its_password_up_to_connect_and_never_shows_it() -> None:
    target = Target(database=URL)
    assert str(target) == "postgres postgresql://loader@db/x, schema atomic"
    target.check()
    with pytest.raises(TargetError, match="cannot be looked up") as caught:
        Target(database="postgresql://loader:${ssm:/nobody}@db/x").check()
    assert caught.value.transient
