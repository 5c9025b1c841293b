"""Strings as Java sees them."""

from __future__ import annotations

from snowetl.jvm.strings import decimal_digits, decode_utf8, hex_digit, trim, utf16_length


def test_trim_takes_controls_and_blanks_but_no_other_spaces() -> None:
    assert trim("\x00 \t a b\x1f\u00a0 \r") == "a b\x1f\u00a0"


def test_digits_of_any_script_of_the_first_plane() -> None:
    assert decimal_digits("٣５7") == "357"
    assert [decimal_digits(text) for text in ("", "²", "1 ", "\U0001d7ce", "-1")] == [None] * 5
    assert [hex_digit(char) for char in "9fＦ٣gé"] == [9, 15, 15, 3, -1, -1]


def test_lengths_count_utf_16_units() -> None:
    assert utf16_length("a😀é") == 4


def test_replacement_counts_are_those_of_the_jvm():
    assert decode_utf8(b"a\xed\xa0\x80b") == "a\ufffdb"
    assert decode_utf8(b"\xff\xfe") == "\ufffd\ufffd"
