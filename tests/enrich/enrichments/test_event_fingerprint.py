"""event_fingerprint: what is hashed, in which order, by which algorithm."""

from __future__ import annotations

import hashlib

import pytest

from snowetl.errors import ConfigError
from tests.enrich.enrichments.support import conf, draft, step


def text_of(given: dict[str, str | None], *excluded: str) -> str:
    one = step("event_fingerprint_config", hashAlgorithm="MD5", excludeParameters=list(excluded))
    first = one.text(given)  # type: ignore[attr-defined]
    assert one.text(given) == first  # type: ignore[attr-defined]
    return str(first).replace("\x1f", "|")


def test_names_are_sorted_and_excluded_ones_left_out() -> None:
    assert text_of({"se_ac": "buy", "e": "se", "stm": "1", "Z": "z"}, "stm") == "Z|z|e|se|se_ac|buy|"
    assert text_of({"b": "", "a": None, "c": "x"}) == "b||c|x|"
    assert text_of({"a": None}) == ""
    assert text_of({}) == ""
    assert text_of({"only": "one"}) == "only|one|"


def test_values_may_hold_anything() -> None:
    assert text_of({"a%s": "%d %(x)s", "b": "%"}) == "a%s|%d %(x)s|b|%|"


def test_names_are_compared_by_utf16_units() -> None:
    assert text_of({"\U0001f600": "1", "\uff61": "2"}) == "\U0001f600|1|\uff61|2|"


@pytest.mark.parametrize("name", ["MD5", "SHA1", "SHA256", "SHA384", "SHA512"])
def test_hashes(name: str) -> None:
    one = step("event_fingerprint_config", hashAlgorithm=name, excludeParameters=[])
    made = draft(parameters={"e": "pv", "page": "é"})
    one(made)
    expected = hashlib.new(name.lower(), "e\x1fpv\x1fpage\x1fé\x1f".encode()).hexdigest()
    assert made.event["event_fingerprint"] == expected
    lone = draft(parameters={"e": "\ud800"})
    one(lone)
    assert lone.event["event_fingerprint"] == hashlib.new(name.lower(), b"e\x1f?\x1f").hexdigest()


def test_bad_parameters() -> None:
    with pytest.raises(ConfigError, match=r"\[CRC32\] is not a supported event fingerprint generation algorithm"):
        conf("event_fingerprint_config", hashAlgorithm="CRC32", excludeParameters=[])
    with pytest.raises(ConfigError, match="parameters.excludeParameters as list of strings.*, .*hashAlgorithm"):
        conf("event_fingerprint_config", excludeParameters="stm")


@pytest.mark.slow
def test_memory_is_bounded() -> None:
    one = step("event_fingerprint_config", hashAlgorithm="MD5", excludeParameters=[])
    for number in range(10_000):
        one.text({f"n{number}": "x"})  # type: ignore[attr-defined]
    one.text({"n" * 100_000: "x"})  # type: ignore[attr-defined]
    forms = one._forms  # type: ignore[attr-defined]
    assert len(forms) <= 4_096
    assert max(sum(map(len, form.pieces)) for form in forms.values()) < 3_000
