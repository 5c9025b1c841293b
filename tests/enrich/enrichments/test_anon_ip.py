"""anon_ip: what is masked of addresses, and of texts that only look like one."""

from __future__ import annotations

import pytest

from snowetl.errors import ConfigError
from snowetl.jvm.inet_addresses import parse_ipv4, parse_ipv6
from tests.enrich.enrichments.support import after, conf, draft, step


@pytest.mark.parametrize(
    ("octets", "segments", "ip", "expected"),
    [
        (1, 1, "198.18.0.7", "198.18.0.x"),
        (4, 1, "198.18.0.7", "x.x.x.x"),
        (2, 1, "300.1.2", "300.1.x"),
        (2, 1, "1.2.3.4.5.6", "1.2.x.x.x.x"),
        (1, 1, "1.2.3.4:80", "1.2.3.x"),
        (1, 1, "..", None),
        (1, 1, "1.2...", "1.2"),
        (1, 1, "unknown", "unknown"),
        (4, 8, "", "x"),
        (1, 8, "", None),
        (1, 3, "2001:DB8::A", "2001:db8:0:0:0:x:x:x"),
        (1, 8, "2001:db8::a", "x:x:x:x:x:x:x:x"),
        (1, 2, "2001:db8::10.1.2.3", "2001:db8:0:0:0:0:x:x"),
        (2, 4, "::ffff:10.1.2.3", "::ffff:10.1.x.x"),
        (2, 4, "::FFFF:10.1.2.3", "::FFFF:10.1.x.x"),
        (4, 4, "::ffff:a01:203", "x"),
        (1, 6, "2001:zz::1", "2001:zz:x:x:x:x:x:x"),
        (1, 4, "1:2::3::4", "1:2::3:x:x:x:x"),
        (1, 4, "::", "0:0:0:0:x:x:x:x"),
        (1, 4, ":", "x:x:x:x:x:x:x:x"),
        (1, 4, "fe80::1%eth0", "fe80::1%eth0:x:x:x:x:x"),
    ],
)
def test_masks(octets: int, segments: int, ip: str, expected: str | None) -> None:
    mask = step("anon_ip", anonOctets=octets, anonSegments=segments)
    assert after(mask, "user_ipaddress", user_ipaddress=ip) == (expected,)


def test_null_stays_null() -> None:
    made = draft()
    step("anon_ip", anonOctets=4)(made)
    assert made.event["user_ipaddress"] is None


def test_segments_default_to_octets() -> None:
    for given in ({}, {"anonSegments": None}, {"anonSegments": 2.5}, {"anonSegments": "3"}):
        made = conf("anon_ip", anonOctets=2, **given)
        assert (made.octets, made.segments) == (2, 2)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({}, "Could not extract parameters.anonOctets as integer from supplied JSON due to it is missing"),
        ({"anonOctets": 2.5}, "2.5 is not an integer"),
        ({"anonOctets": "2"}, '"2" is not an integer'),
        ({"anonOctets": True}, "true is not an integer"),
        ({"anonOctets": 0}, "IPv4 address octets to anonymize must be 1, 2, 3 or 4. Value: 0 was given"),
        ({"anonOctets": 1, "anonSegments": 9}, "must be 1, 2, 3, 4, 5, 6, 7 or 8. Value 9 was given"),
    ],
)
def test_bad_parameters(parameters: dict[str, object], fault: str) -> None:
    with pytest.raises(ConfigError) as error:
        conf("anon_ip", **parameters)
    assert fault in str(error.value)


@pytest.mark.parametrize(
    "text",
    ["", ":", ":::", "1", "1:2", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", ":1:2:3:4:5:6:7", "12345::", "g::",
     "::1%1", "[::1]", "::1.2.3", "::1.2.3.256", "::01.2.3.4", "1:2:3:4:5:6:7::8", "1:2:3:4:5:6:7:1.2.3.4", " ::1"],
)  # fmt: skip
def test_no_ipv6(text: str) -> None:
    assert parse_ipv6(text) is None


def test_ipv6() -> None:
    assert parse_ipv6("1:2:3:4:5:6:7:8") == [1, 2, 3, 4, 5, 6, 7, 8]
    assert parse_ipv6("1:2:3:4:5:6:7::") == [1, 2, 3, 4, 5, 6, 7, 0]
    assert parse_ipv6("::FFFF:1.2.3.4") == [0, 0, 0, 0, 0, 0xFFFF, 0x102, 0x304]
    assert parse_ipv6("1::") == [1, 0, 0, 0, 0, 0, 0, 0]


def test_ipv4() -> None:
    assert parse_ipv4("1.2.3.4") == 0x01020304
    assert [parse_ipv4(text) for text in ("1.2.3", "1.2.3.256", "01.2.3.4", "1.2.3.", "0.0.0.0")] == [None] * 4 + [0]
