"""MD2: the digests that a JVM prints for the same texts."""

from __future__ import annotations

import pytest

from snowetl.jvm import md2


@pytest.mark.parametrize(
    ("text", "digest"),
    [
        ("", "8350e5a3e24c153df2275c9f80692773"),
        ("a", "32ec01ec4a6dac72c0ab96fb34c0b5d1"),
        ("abc", "da853b0d3f88d99b30283a69e6ded6bb"),
        ("message digest", "ab4f496bfb2a530b219ff33031fe06b0"),
        ("héllo", "77b33c868358aceabb2afb13fa8fd1af"),
    ],
)
def test_digests(text: str, digest: str) -> None:
    assert md2.digest(text.encode()).hex() == digest
