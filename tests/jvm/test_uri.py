"""Octets and IPv6 literals in authorities, settled by a run of ``java.net.URI`` of Java 17."""

import pytest

from snowetl.jvm import uri
from snowetl.jvm.uri import JavaUriError


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("http://0001.2.3.4/", "0001.2.3.4", -1),
        ("http://1.2.3.0255:80/", "1.2.3.0255", 80),
        ("http://[::0001.2.3.4]/", "[::0001.2.3.4]", -1),
        ("http://[::%a]/", "[::%a]", -1),
        ("http://00256.1.1.1/", None, -1),
        ("http://99999999999.2.3.4/", None, -1),
        ("http://1.2.3.4.5/", None, -1),
        pytest.param(f"http://a.b:{'0' * 5000}80/", "a.b", 80, id="a port of 5,002 digits"),
        pytest.param(f"http://a.b:{'0' * 12}99999999999/", None, -1, id="no port"),
        pytest.param(f"http://{'0' * 5000}1.1.1.1/", f"{'0' * 5000}1.1.1.1", -1, id="an octet of 5,001 digits"),
    ],
)
def test_zeros_may_lead_a_number(text, host, port):
    parts = uri.parse(text)
    assert (parts.host, parts.port) == (host, port)


@pytest.mark.parametrize(
    ("literal", "fault"),
    [
        ("::1.2.3", "Malformed IPv4 address at index 15"),
        ("::1..2.3", "Malformed IPv4 address at index 12"),
        ("::1.2.3.4.", "Malformed IPv4 address at index 17"),
        ("::1.256.1.1", "Malformed IPv4 address at index 12"),
        ("::1.2.3.4a", "Expected hex digits or IPv4 address at index 10"),
        ("::1%", "scope id expected"),
        ("::1%a-", "Illegal character in scope id at index 13"),
        ("fe80:zz%a-", "Expected digits for an IPv6 address at index 13"),
        ("%a", "Malformed IPv6 address at index 8"),
    ],
)
def test_an_address_is_read_before_its_scope(literal, fault):
    with pytest.raises(JavaUriError) as caught:
        uri.parse(f"http://[{literal}]/")
    assert str(caught.value) == f"{fault}: http://[{literal}]/"


@pytest.mark.parametrize(("octet", "index"), [("99999999999", 9), ("2147483648", 9), ("002147483648", 11)])
def test_an_octet_past_32_bits_is_another_error_than_one_past_a_byte(octet, index):
    with pytest.raises(JavaUriError) as caught:
        uri.parse(f"http://[::{octet}.1.1.1]/")
    assert str(caught.value) == f'Error at index {index} in: "{octet}"'
