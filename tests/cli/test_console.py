"""Secrets stay secret."""

from __future__ import annotations

import pytest

from snowetl.cli import console


@pytest.fixture(autouse=True)
def forget() -> None:
    console._secrets.clear()


def test_values_of_telling_keys_are_masked(capsys: pytest.CaptureFixture[str]) -> None:
    console.remember_secrets({"data": {"repositories": [{"connection": {"http": {"apikey": "0815-4711"}}}]}})
    console.fail("cannot reach https://iglu.example.com?key=0815-4711")
    console.say("0815-4711")
    console.show("0815-4711")
    captured = capsys.readouterr()
    assert "0815-4711" not in captured.out + captured.err
    assert "https://iglu.example.com?key=***" in captured.err


def test_passwords_in_urls_are_masked() -> None:
    assert console.mask("postgresql://me:pa55@db:5432/x") == "postgresql://***@db:5432/x"


def test_short_and_absent_values_mask_nothing() -> None:
    console.remember_secrets({"apikey": None, "password": "a", "token": ["x"]})
    assert console.mask("a token") == "a token"
