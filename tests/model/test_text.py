"""The reference's own text rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowetl.model import text


@given(st.text())
def test_tsv_safe_leaves_no_ascii_control_character(value):
    safe = text.tsv_safe(value)
    assert not any(ord(char) < 32 or ord(char) == 127 for char in safe)
    assert text.tsv_safe(safe) == safe


def test_tsv_safe_widens_tabs_and_keeps_other_spaces():
    assert text.tsv_safe("a\tb\nc\u2028\u0085") == "a    bc\u2028\u0085"


def test_percents_are_decoded_once():
    assert text.single_encode_percents("a%2520b%25zz%2525") == "a%20b%25zz%25"


def test_url_decoding_names_the_fault():
    assert text.url_decode("a+b%20c%E2%82%AC%0A") == "a b c€"
    with pytest.raises(text.UrlDecodeError, match="Incomplete trailing escape"):
        text.url_decode("a%2")
