"""Base64 as commons-codec reads it."""

from __future__ import annotations

import base64

from hypothesis import given
from hypothesis import strategies as st

from snowetl.jvm.commons_codec import decode_base64


@given(st.binary())
def test_base64_of_either_alphabet_decodes(raw):
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        encoded = encode(raw).decode()
        assert decode_base64(encoded) == raw
        assert decode_base64(encoded.rstrip("=")) == raw
        assert decode_base64("\n".join(encoded)) == raw


def test_base64_is_lenient():
    assert decode_base64("YQ==YQ==") == b"a"
    assert decode_base64("YWJjZ") == b"abc"
    assert decode_base64("¢¢¢") == b""
