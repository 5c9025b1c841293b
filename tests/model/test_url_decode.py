"""Form-decoding as ``java.net.URLDecoder`` does it, oddities and all; and the forgiving way for user agents."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowetl.jvm.strings import from_units, to_units
from snowetl.model.text import UrlDecodeError, percent_decode, url_decode

_PREFIX = "exception URL-decoding (encoding UTF-8): URLDecoder: "
_ILLEGAL = "Illegal hex characters in escape (%) pattern - "


@pytest.mark.parametrize(
    ("text", "decoded"),
    [
        ("", ""),
        ("a+b%2B", "a b+"),
        ("%C3%A9é😀", "éé😀"),
        ("%C3é", "\ufffdé"),
        ("%0D%0A%09\r\n\t", " " * 8),
        ("%+1", "\x01"),
        ("%-0", "\x00"),
        ("%٣1😀", "1😀"),
    ],
)
def test_decoded(text: str, decoded: str) -> None:
    assert url_decode(text) == decoded


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("%", "Incomplete trailing escape (%) pattern"),
        ("a%41%4", "Incomplete trailing escape (%) pattern"),
        ("%zz", _ILLEGAL + 'Error at index 0 in: "zz"'),
        ("%1z", _ILLEGAL + 'Error at index 1 in: "1z"'),
        ("%+z", _ILLEGAL + 'Error at index 1 in: "+z"'),
        ("%%41", _ILLEGAL + 'Error at index 0 in: "%4"'),
        ("%-1", _ILLEGAL + "negative value"),
        ("%😀", _ILLEGAL + 'Error at index 0 in: "😀"'),
        ("%1😀", _ILLEGAL + 'Error at index 1 in: "1\ud83d"'),
    ],
)
def test_faults(text: str, reason: str) -> None:
    with pytest.raises(UrlDecodeError) as caught:
        url_decode(text)
    assert str(caught.value) == _PREFIX + reason


@given(st.text())
def test_user_agents_never_fail(text: str) -> None:
    assert percent_decode(text.replace("%", "")) == text.replace("%", "")
    percent_decode(text, plus=True)


@given(st.text(st.characters()))
def test_units_and_back(text: str) -> None:
    units = to_units(text)
    assert all(unit <= "\uffff" for unit in units)
    assert from_units(units) == from_units(text)
