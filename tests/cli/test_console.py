"""Secrets stay secret."""

from __future__ import annotations

import pytest

from snowetl.cli import console
from snowetl.secret_keys import secrets_in


@pytest.fixture(autouse=True)
def forget() -> None:
    console._secrets.clear()


def test_values_of_telling_keys_are_masked(capsys: pytest.CaptureFixture[str]) -> None:
    document = {"data": {"repositories": [{"connection": {"http": {"apikey": "0815-4711"}}}]}}
    console.remember(secrets_in(document))
    console.fail("cannot reach https://iglu.example.com?key=0815-4711")
    console.say("0815-4711")
    console.show("0815-4711")
    captured = capsys.readouterr()
    assert "0815-4711" not in captured.out + captured.err
    assert "https://iglu.example.com?key=***" in captured.err


def test_passwords_in_urls_are_masked() -> None:
    assert console.mask("postgresql://me:pa55@db:5432/x") == "postgresql://***@db:5432/x"


def test_short_and_absent_values_mask_nothing() -> None:
    console.remember(secrets_in({"apikey": None, "password": "a", "token": ["x"]}))
    assert console.mask("a token") == "a token"


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("\x1b[31mred\x1b]0;title\x07", "\\x1b[31mred\\x1b]0;title\\x07"),
        ("a\x9b2Jb\x85", "a\\x9b2Jb\\x85"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
        ("half \ud83d", "half \\ud83d"),
        ("tab\tand\nline, Grüße 😀", "tab\tand\nline, Grüße 😀"),
    ],
)
def test_H6_characters_that_act_on_a_terminal_are_shown(
    text: str, seen: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for speak in (console.show, console.say, console.warn, console.fail):
        speak(text)
    captured = capsys.readouterr()
    assert (captured.out + captured.err).count(seen) == 4


def test_values_of_events_stay_on_their_line() -> None:
    assert console.one_line("a\nb\tc") == "a\\nb\\tc"
