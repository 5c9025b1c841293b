import contextlib
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowetl.enrich.uri import UriError, parse_uri
from snowetl.jvm import uri as java_uri
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
    assert parse_uri(text).columns == columns


def test_blanks_are_encoded_and_the_rest_is_left_alone():
    assert parse_uri("http://acme.com/a b?c=%2B").text == "http://acme.com/a%20b?c=%2B"


def test_the_lenient_reading_re_encodes_everything():
    assert parse_uri("http://acme.com/?a=%2B|").text == "http://acme.com/?a=+%7C"
    assert parse_uri("http://acme.com/😀|").text == "http://acme.com/%3F%3F%7C"


def test_what_neither_reads_names_both_faults():
    with pytest.raises(UriError, match=r"neither by Java parsing .*Expected authority at index 7: http://"):
        parse_uri("http://")


_LETTERS = st.text("aZ0-.:@/?#%4 é[]", max_size=12)


@given(st.builds("{}://{}{}".format, st.sampled_from(["http", "https", "HTTP", "ftp"]), _LETTERS, _LETTERS))
def test_web_addresses_are_split_as_all_others_are(text):
    try:
        expected = java_uri._Parser(text).parse()
    except java_uri.JavaUriError:
        with pytest.raises(java_uri.JavaUriError):
            java_uri.parse(text)
    else:
        assert java_uri.parse(text) == expected


@given(st.text() | st.text(alphabet="ht p:/?#[]@%&=.|abé😀09-_").map(lambda rest: "http://" + rest))
def test_any_text_is_a_uri_or_a_clear_fault(text):
    try:
        uri = parse_uri(text)
    except UriError as error:
        assert text in str(error)
        return
    assert len(uri.columns) == 6
    assert " " not in uri.text


@pytest.mark.parametrize("piece", ["a", "a.", "%", ":", "@", "a-", "/", "é", "[", "?a=b&"])
def test_long_addresses_take_linear_time(piece):
    def parse(text: str) -> None:
        with contextlib.suppress(UriError):
            parse_uri(text)

    assert_linear(lambda size: partial(parse, "http://" + piece * (size // len(piece))), 400_000)


def fault_of(text):
    with pytest.raises(UriError) as caught:
        parse_uri(text)
    scala = str(caught.value).partition("nor by Scala parsing (error: [")[2].removesuffix("]).")
    message, _, shown = scala.partition(":\n")
    return message.removeprefix("Invalid URL could not be parsed. "), shown


AFTER_PORT = "_path_for_authority, _maybe_query_string, _fragment or 'EOI'"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        # user info: an @ that never comes, one that came
        ("http://jo:secret|/", "Unexpected end of input, expected [^@] or '@' (line 1, column 19)"),
        ("http://jo@host:x/|", "Invalid input 'x', expected _int (line 1, column 16)"),
        ("http://jo:a/b?c@host:x/|", "Invalid input 'x', expected _int (line 1, column 22)"),
        ("//jo@h:1x/|", f"Invalid input 'x', expected Digit, {AFTER_PORT} (line 1, column 9)"),
        # what looks like a port without the user info is none, since nothing is read twice
        ("http://u:80/@h:bad|", "Invalid input 'b', expected _int (line 1, column 16)"),
        # ports
        ("http://jo@h:00000000001/|", f"Invalid input '1', expected {AFTER_PORT} (line 1, column 23)"),
        ("http://jo@h:|", "Invalid input '|', expected _int (line 1, column 13)"),
        ("http://a|b:", "Unexpected end of input, expected [^@], '@' or _int (line 1, column 12)"),
        ("http://jo@h:99999999999/|", 'For input string: "9999999999"'),
        # IPv6
        ("http://[a:b/|", "Invalid input '/', expected HexDigit or ':' (line 1, column 12)"),
        ("http://[a:abcd/|", "Invalid input '/', expected ':' (line 1, column 15)"),
        ("http://[a:12|", f"Invalid input '|', expected HexDigit, ':', Digit, {AFTER_PORT} (line 1, column 13)"),
        ("http://[fe80::|]/", "Invalid input '|', expected _ip_v6_hex_pieces or ']' (line 1, column 15)"),
        ("http://[1:2:3:4:5:6:7:8|]/", "Invalid input '|', expected HexDigit, ']' or ':' (line 1, column 24)"),
        ("http://[::1]|/", f"Invalid input '|', expected _port, {AFTER_PORT} (line 1, column 13)"),
        ("http://jo@[::1]:x", "Invalid input 'x', expected _int (line 1, column 17)"),
        (
            "http://[1:2:3:4:5:6:7::]/|",
            "IPv6 has too many pieces. "
            "Must be either exactly eight hex pieces or fewer than six hex pieces with a '::'",
        ),
        # columns count UTF-16 units
        ("http://😀:8x/|", "Unexpected end of input, expected [^@] or '@' (line 1, column 15)"),
    ],
)
def test_F5_the_lenient_parser_names_the_furthest_fault(text, message):
    assert fault_of(text)[0] == message


def test_F5_the_fault_is_shown_below_its_line():
    assert fault_of("http://jo@h:x/|")[1] == "http://jo@h:x/|\n            ^"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("http://[@=%4+", "Illegal character in user info at index 7"),
        ("http://[+x1.%41%4", "Expected closing bracket for IPv6 address at index 17"),
        ("http://ab.c[%4.b.c", "Illegal character in hostname at index 11"),
    ],
)
def test_an_open_bracket_hides_broken_escapes_behind_it(text, fault):
    with pytest.raises(java_uri.JavaUriError, match=fault):
        java_uri.parse(text)


@pytest.mark.parametrize(
    ("text", "rebuilt"),
    [
        ("http://acme.com/a|?%\u0661B=%+5%-5%zz", "http://acme.com/a%7C?%1B=%05%EF%BF%BD%25zz"),
        ("http://acme.com/a|?b=c\uffff#d", "http://acme.com/a%7C?b=c"),
        ("http://acme\uffff.com/a|", "http://acme"),
    ],
)
def test_the_lenient_parser_reads_digits_of_any_script_and_ends_at_its_own_mark(text, rebuilt):
    assert parse_uri(text).text == rebuilt


def test_the_end_mark_is_named_where_it_is_a_fault():
    fault, shown = fault_of("http://a:b\uffff@c/|")
    assert fault == "Invalid input 'EOI', expected [^@] or '@' (line 1, column 11)"
    assert shown.startswith("http://a:b\uffff@c/|\n")
