"""Character sets by JVM names."""

from __future__ import annotations

from functools import partial

import pytest

from snowetl.jvm import charsets
from snowetl.jvm.charsets import UnknownCharset, lookup
from tests.growth import assert_linear


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


@pytest.mark.slow
def test_every_entry_of_the_table_decodes() -> None:
    for name in charsets._known().keys() - charsets.not_read():
        assert isinstance(lookup(name).decode(bytes(range(256))), str)


def test_bytewise_means_that_ascii_stands_for_itself() -> None:
    for name in charsets._known().keys() - charsets.not_read():
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


@pytest.mark.parametrize(
    ("name", "raw", "text"),
    [
        # EUC-JP: a byte beyond ASCII takes the next along, 8F the next two
        ("EUC-JP", "a4a2 a4 41 42", "あ\ufffdB"),
        ("EUC-JP", "8fb0a1 8f2041 43", "丂\ufffdC"),
        ("EUC-JP", "8eb1 8e31 8f41", "ｱ\ufffd\ufffd"),
        ("EUC-JP", "a1bd 8fa2b7", "\u2014\uff5e"),
        ("eucjp", "a4", "\ufffd"),
        # Big5-HKSCS: two bytes always
        ("Big5-HKSCS", "87df 8862 ff41 42", "\u9fcb\ufffd\ufffdB"),
        ("big5-hkscs", "a140 8741", "\u3000䰲"),
        # private characters
        ("GBK", "a140 a2e3 a8bf f8a1 fefe", "\ue4c6€\ue7c8\ue234\ue4c5"),
        ("CP936", "80 81ff", "\ufffd\ufffd"),
        ("x-mswin-936", "80", "€"),
        ("x-windows-949", "c9a2 fea1 a2fe 41", "\ue001\ue05e\ufffd\ufffdA"),
        ("x-windows-950", "fa40 8140", "\ue000\ueeb8"),
        ("GB18030", "a6d9 82359037 8130 81", "\ufe10\ue81e\ufffd"),
        ("GB18030", "fe39fe39 41 8f39a435 8431a437 42", "\ufffdA\ufffd\ufffdB"),
        # MS932 and its elder sister
        ("MS932", "80 a0 fd 81 8160", "\ufffd\ufffd\ufffd＝`"),
        ("MS932", "f040", "\ue000"),
        ("SJIS", "815c b1", "\u2014ｱ"),
        # one byte
        ("TIS-620", "a1 a0 81 df fb", "ก\xa0\ufffd฿๛"),
        ("IBM037", "c885939396 15", "Hello\n"),
        ("cp1047", "ad bd", "[]"),
        ("x-MacCyrillic", "80 ff", "А¤"),
        ("JIS_X0201", "b1 80", "ｱ\ufffd"),
        # Unicode
        ("CESU-8", "c3a9 eda0bdedb880 f09f9880", "é😀\ufffd\ufffd\ufffd\ufffd"),
        ("x-UTF-16LE-BOM", "fffe 4100", "A"),
        ("x-UTF-16LE-BOM", "feff 0041", "A"),
        ("x-UTF-16LE-BOM", "4100", "A"),
        ("X-UTF-32LE-BOM", "41000000", "A"),
        ("UTF-16BE", "d83d0041 0042 dc00 00", "\ufffdB\ufffd\ufffd"),
        ("UTF-32", "0000d83d 00110000 000000", "\ud83d\ufffd\ufffd"),
    ],
)
def test_F3_malformed_and_private_characters_as_on_the_jvm(name: str, raw: str, text: str) -> None:
    assert lookup(name).decode(bytes.fromhex(raw)) == text


def test_F3_charsets_not_read_are_unknown() -> None:
    assert {"iso-2022-cn", "x-ibm930", "cp933", "x-euc-tw"} <= charsets.not_read()
    for name in charsets.not_read():
        with pytest.raises(UnknownCharset):
            lookup(name)


@pytest.mark.parametrize("name", ["EUC-JP", "GBK", "Big5-HKSCS", "GB18030", "UTF-16", "CESU-8", "UTF-32"])
def test_F3_text_of_any_length_takes_linear_time(name: str) -> None:
    for unit in (b"\xa1", b"\x8f", b"\x81\x30", b"\xd8", b"a\xff"):
        assert_linear(lambda size, unit=unit: partial(lookup(name).decode, unit * (size // len(unit))), 200_000)
