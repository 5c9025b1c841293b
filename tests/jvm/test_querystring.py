"""Query strings: what is legal, what comes out, and that the fast and the careful way agree."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowetl.jvm import querystring
from snowetl.jvm.charsets import UnknownCharset
from snowetl.jvm.querystring import QuerystringError, parse, parse_form, split


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("", []),
        ("e=pv&p=web", [("e", "pv"), ("p", "web")]),
        ("e=pv;p=web", [("e", "pv"), ("p", "web")]),
        ("b&a=&a=1&a=1", [("b", None), ("a", ""), ("a", "1"), ("a", "1")]),
        ("=x&&;=", []),
        ("a=b=c==", [("a", "b=c==")]),
        ("?a=1/?:@", [("?a", "1/?:@")]),
        ("a+b=c+%2B%26%3D%25", [("a b", "c +&=%")]),
        ("%61%3D=1", [("a=", "1")]),
        ("a=x#b=%20", [("a", "x")]),
        ("a=%E2%82%AC%20%F0%9F%98%80", [("a", "€ 😀")]),
        ("a=%00%01&b=%02%03&c", [("a", "\x00\x01"), ("b", "\x02\x03"), ("c", None)]),
        ("a=%00&b=c=d", [("a", "\x00"), ("b", "c=d")]),
        ("a=%C3&b=%A9", [("a", "\ufffd"), ("b", "\ufffd")]),
        ("a=%ED%A0%80&b=%ED%A0", [("a", "\ufffd"), ("b", "\ufffd")]),
        ("k=Ã¼&ü=😀", [("k", "ü"), ("\ufffd", "=\x00")]),
        ("ĥ=Ħ", [("%", "&")]),
    ],
)
def test_pairs(text: str, pairs: list[tuple[str, str | None]]) -> None:
    assert parse(text) == pairs
    assert parse_form(text) == pairs


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a b", "Illegal character in query at index 19"),
        ("aé😀|", "Illegal character in query at index 22"),
        ("a\t", "Illegal character in query at index 19"),
        ("a=\x80", "Illegal character in query at index 20"),
        ("a=\u2028", "Illegal character in query at index 20"),
        ("a=%", "Malformed escape pair at index 20"),
        ("a=%4", "Malformed escape pair at index 20"),
        ("a=%u0041", "Malformed escape pair at index 20"),
        ("a=%٣1", "Malformed escape pair at index 20"),
        ("a=%4#1", "Malformed escape pair at index 20"),
        ("a#b#c", "Illegal character in fragment at index 21"),
        ("a#%", "Malformed escape pair at index 20"),
    ],
)
def test_what_is_illegal_is_said_as_java_says_it(text: str, message: str) -> None:
    with pytest.raises(QuerystringError) as caught:
        parse(text)
    assert str(caught.value) == f"{message}: http://localhost/?{text}"


@pytest.mark.parametrize(
    ("charset", "value"),
    [
        ("ISO-8859-1", "é"),
        ("latin1", "é"),
        ("WINDOWS-1251", "й"),
        ("US-ASCII", "\ufffd"),
        ("utf8", "\ufffd"),
    ],
)
def test_charsets(charset: str, value: str) -> None:
    assert parse("a=%E9&b", charset) == [("a", value), ("b", None)]


def test_charsets_of_more_than_a_byte_decode_part_by_part() -> None:
    assert parse("%00a=%00%E9", "UTF-16") == [("a", "é")]
    assert parse("a=%82%A0&b=%8F", "Shift_JIS") == [("a", "あ"), ("b", "\ufffd")]


def test_unknown_charset() -> None:
    with pytest.raises(UnknownCharset, match="no-such-set"):
        parse("a=1", "no-such-set")


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("a=%zz&b=%4&%", [("a", "%zz"), ("b", "%4"), ("%", None)]),
        ("a=%+4", [("a", "%+4")]),
        ("a=%%41", [("a", "%%41")]),
        ("a=%٣1+b|", [("a", "1 b|")]),
        ("a=é", [("a", "\ufffd")]),
        ("a=%Ａｆ", [("a", "\ufffd")]),
        ("a=b c", [("a", "b c")]),
    ],
)
def test_the_query_of_a_uri_keeps_what_is_broken(text: str, pairs: list[tuple[str, str | None]]) -> None:
    assert split(text) == pairs


_LEGAL_PARTS = st.lists(
    st.sampled_from(
        ["a", "bc", "=", "&", ";", "+", "%41", "%3D", "%26", "%00", "%01", "%02", "%C3%A9", "%C3", "é", "😀", "ĥ"]
    )
)


@given(_LEGAL_PARTS, st.sampled_from(["UTF-8", "ISO-8859-1", "windows-1252"]))
def test_both_ways_agree(parts: list[str], charset: str) -> None:
    text = "".join(parts)
    assert parse(text, charset) == split(text, charset) == querystring._parse_parts(text, charset)


@given(st.text())
def test_any_text_has_an_outcome(text: str) -> None:
    split(text)
    try:
        parse(text)
    except QuerystringError as error:
        assert text in str(error)
