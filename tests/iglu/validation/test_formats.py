"""Formats, and how their faults are worded."""

from __future__ import annotations

import pytest

from snowetl.iglu.validation.formats import FORMATS

_GOOD = {
    "date-time": """
        2020-01-01T00:00:00Z 2020-01-01t23:59:59.9z 2020-02-29T00:00+18:00 2020-01-01T00:00:00.Z
        0000-01-01T00:00Z 2020-01-01T00:00:00.123456789-05:00 2020-01-01T00:00:00+01x30
        2020-01-01T00:00:00-00:30 2016-12-31T23:59:60Z 2016-12-31T18:59:60-05:00 1988-12-31T23:59:60Z
        2020-01-01T00:00:00.0000000001Z
    """,
    "date": "2020-02-29 +12020-01-01 -0001-12-31 -12345-01-01 +999999999-12-31",
    "time": "12:00:00 99:99:99.1",
    "uuid": "123e4567-E89B-12d3-a456-426614174000",
    "ipv4": "0.0.0.0 255.255.255.255",
    "ip-address": "1.2.3.4 01.2.3.4",
    "ipv6": ":: ::1 1:2:3:4:5:6:7:8 1::8 ::ffff:1.2.3.4 fe80::1",
    "uri": "a: about:blank http://[::1]:8/ mailto:a@b http://u:p@h:80/p?q#f x://a@b@c http://a/%zz urn:a:b?c#d",
    "hostname": "a a.b 1.2.3.4 a-b.c",
    "email": 'a@b.com a.b+c@d-e.co.uk o\'neil@x.org "a"@x.org a@[1.2.3.4] a@[::1] a@b.COM a@bücher.de a@b.xn--p1ai',
    "color": "red #fff abcdef",
    "alpha": "abc",
    "alphanumeric": "a1",
    "phone": "+123456789",
    "utc-millisec": "1 1.5",
    "style": "a:b",
}
_BAD = {
    "date-time": """
        2020-01-01 2020-01-01T00:00:00 2020-01-01T24:00Z 2020-01-01T00:60Z 2020-01-01T00:00:60Z
        2019-02-29T00:00Z 2020-01-01T00:00:00+0100 2020-01-01T00:00:00-00:00 2020-01-01T00:00:00-03:30
        2020-01-01T00:00:00+18:01 2020-01-01T00:00:00+19:00 2020-01-01T00:00:00.1234567890Z
        1979-12-31T23:59:60Z 2016-12-31T23:58:60Z ٢020-01-01T00:00Z
    """,
    "date": "2020-02-30 2020-1-1 12020-01-01 +2020-01-01 -0000-01-01 +1000000000-01-01 20200101 2020-01-01Z",
    "time": "12:00 12:00:00Z",
    "uuid": """
        123e4567e89b12d3a456426614174000 {123e4567-e89b-12d3-a456-426614174000}
        123e4567-e89b-12d3-a456-42661417400g 123e4567-e89b-12d3-a456-4266141740000
        123e4567-e89b-12d3-a456-42661417400é 0-00000000000-0000-0000-000000000000
    """,
    "ipv4": "256.1.1.1 1.2.3 01.2.3.4 1.2.3.4.5",
    "ip-address": "256.1.1.1 1.2.3",
    "ipv6": "1.2.3.4 ::: 1:2:3:4:5:6:7:8:9 fe80::1%eth0 g::",
    "uri": "example.com //a :a 1:a http://é http://a<b a:[ http://a/[ a:b##c",
    "hostname": "-a a- a_b a. .a",
    "email": """
        a@b a@localhost @b.com a@ a@b.invalidtld a..b@c.com a@b.com. a@[1.2.3] a@[01.2.3.4] a@[::1::]
        a@-b.com
    """,
    "color": "#ff pink",
    "alpha": "a1",
    "alphanumeric": "a-",
    "phone": "123",
    "utc-millisec": "1..5",
    "style": "ab",
}


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_formats(name: str) -> None:
    test = FORMATS[name].test
    assert [text for text in _GOOD[name].split() if not test(text)] == []
    assert [text for text in ["", *_BAD[name].split()] if test(text)] == []


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"email", "style"}))
def test_nothing_may_stand_around(name: str) -> None:
    text = _GOOD[name].split()[0]
    assert not any(map(FORMATS[name].test, (text + "\n", text + " ", " " + text, text + "\r", text + "\u2028")))


@pytest.mark.parametrize("name", ["hostname", "email"])
def test_lengths_are_limited(name: str) -> None:
    assert not any(map(FORMATS[name].test, ("a" * 64, "a" * 65 + "@b.com", "a@" + "b." * 200 + "com")))


def test_blanks_around_an_address() -> None:
    """The reference strips them from the right, and takes those on the left for a part of the name."""
    is_email = FORMATS["email"].test
    assert is_email(" a@b.com") and is_email("a@b.com \n") and is_email("\n\na@b.com") and not is_email("a\n@b.com")


def test_a_domain_holds_characters_of_unicode_3_2() -> None:
    """``java.net.IDN`` refuses the others."""
    is_email = FORMATS["email"].test
    assert is_email("a@b\u0442\u9fa5.com") and is_email("a@b\u3002com")
    assert not any(is_email(f"a@b{char}.com") for char in ("\u0372", "\u9fd5", "\u023f", "\ufae0"))


def test_words() -> None:
    assert FORMATS["ipv4"].targets("x")[0] == "ipv4" and FORMATS["ipv4"].keyword == "format"
    assert FORMATS["email"].targets("x") == ("x", "email")
    assert FORMATS["date"].targets("x") == ("x", "date") and FORMATS["date-time"].keyword == "dateTime"
    assert FORMATS["uuid"].targets("x") == ("x", "uuid") and FORMATS["uuid"].keyword == "uuid"
