"""Character sets by JVM names."""

from __future__ import annotations

import pytest

from snowetl.jvm import charsets
from snowetl.jvm.charsets import UnknownCharset, lookup


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("utf-8", "UTF-8"),
        ("UTF8", "UTF-8"),
        ("Latin1", "ISO-8859-1"),
        ("l9", "ISO-8859-15"),
        ("cp1252", "windows-1252"),
        ("ascii", "US-ASCII"),
        ("unicode", "UTF-16"),
        ("SJIS", "Shift_JIS"),
        ("ms932", "windows-31j"),
    ],
)
def test_names_and_aliases(name: str, canonical: str) -> None:
    assert lookup(name).name == canonical


@pytest.mark.parametrize("name", ["", " UTF-8", "UTF-8 ", "ISO-8859-99", "null", "é", "utf_8", "x" * 10_000])
def test_unknown_names(name: str) -> None:
    with pytest.raises(UnknownCharset) as caught:
        lookup(name)
    assert caught.value.args == (name,)


def test_every_entry_of_the_table_decodes() -> None:
    for name in charsets._KNOWN:
        assert isinstance(lookup(name).decode(bytes(range(256))), str)


def test_bytewise_means_that_ascii_stands_for_itself() -> None:
    for name in charsets._KNOWN:
        charset = lookup(name)
        if charset.bytewise:
            assert charset.decode(b"a\x00\xff")[:2] == "a\x00"
    assert lookup("windows-1252").bytewise
    assert not lookup("UTF-16").bytewise
    assert not lookup("GBK").bytewise


@pytest.mark.parametrize(
    ("raw", "text"), [(b"\x00a", "a"), (b"\xfe\xff\x00a", "a"), (b"\xff\xfea\x00", "a"), (b"\x00a\x00", "a\ufffd")]
)
def test_utf_16_heeds_its_byte_order_mark(raw: bytes, text: str) -> None:
    assert lookup("UTF-16").decode(raw) == text


def test_impossible_pairs_count_as_on_the_jvm() -> None:
    assert lookup("Big5").decode(b"\xe2\x80\x93 ok") == "\ufffd\ufffd ok"
    assert lookup("Big5").decode(b"\xe2") == "\ufffd"
    assert lookup("Big5").decode("瞿".encode("big5")) == "瞿"
    assert lookup("Shift_JIS").decode("日本".encode("shift_jis")) == "日本"
