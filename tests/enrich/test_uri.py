import contextlib
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowetl.enrich.uri import UriError, parse_uri, uri_columns
from tests.growth import assert_linear


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("http://www.acme.com/a?b=c#d", ("http", "www.acme.com", "80", "/a", "b=c", "d")),
        ("https://www.acme.com", ("https", "www.acme.com", "443", "", "", "")),
        ("HTTPS://acme.com/", ("HTTPS", "acme.com", "80", "/", "", "")),
        ("http://my_shop.com:8080/a", ("http", "", "80", "/a", "", "")),
        ("acme.com/a", ("", "", "80", "acme.com/a", "", "")),
        ("mailto:jo@acme.com", ("mailto", "", "80", "", "", "")),
        ("http://[::1]:81/", ("http", "[::1]", "81", "/", "", "")),
        ("http://acme.com/a b|c", ("http", "acme.com", "80", "/a%20b%7Cc", "", "")),
    ],
)
def test_columns(text, columns):
    assert uri_columns(parse_uri(text)) == columns


def test_blanks_are_encoded_and_the_rest_is_left_alone():
    assert parse_uri("http://acme.com/a b?c=%2B").text == "http://acme.com/a%20b?c=%2B"


def test_the_lenient_reading_re_encodes_everything():
    assert parse_uri("http://acme.com/?a=%2B|").text == "http://acme.com/?a=+%7C"
    assert parse_uri("http://acme.com/😀|").text == "http://acme.com/%3F%3F%7C"


def test_what_neither_reads_names_both_faults():
    with pytest.raises(UriError, match=r"neither by Java parsing .*Expected authority at index 7: http://"):
        parse_uri("http://")


@given(st.text() | st.text(alphabet="ht p:/?#[]@%&=.|abé😀09-_").map(lambda rest: "http://" + rest))
def test_any_text_is_a_uri_or_a_clear_fault(text):
    try:
        uri = parse_uri(text)
    except UriError as error:
        assert text in str(error)
        return
    assert len(uri_columns(uri)) == 6
    assert " " not in uri.text


@pytest.mark.parametrize("piece", ["a", "a.", "%", ":", "@", "a-", "/", "é", "[", "?a=b&"])
def test_long_addresses_take_linear_time(piece):
    def parse(text: str) -> None:
        with contextlib.suppress(UriError):
            parse_uri(text)

    assert_linear(lambda size: partial(parse, "http://" + piece * (size // len(piece))), 1_000_000)
