from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowetl.jvm import text, timestamps


@given(st.binary())
def test_base64_of_either_alphabet_decodes(raw):
    import base64

    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        encoded = encode(raw).decode()
        assert text.decode_base64(encoded) == raw
        assert text.decode_base64(encoded.rstrip("=")) == raw
        assert text.decode_base64("\n".join(encoded)) == raw


def test_base64_is_lenient():
    assert text.decode_base64("YQ==YQ==") == b"a"
    assert text.decode_base64("YWJjZ") == b"abc"
    assert text.decode_base64("¢¢¢") == b""


@given(st.text())
def test_tsv_safe_leaves_no_ascii_control_character(value):
    safe = text.tsv_safe(value)
    assert not any(ord(char) < 32 or ord(char) == 127 for char in safe)
    assert text.tsv_safe(safe) == safe


def test_tsv_safe_widens_tabs_and_keeps_other_spaces():
    assert text.tsv_safe("a\tb\nc\u2028\u0085") == "a    bc\u2028\u0085"


def test_percents_are_decoded_once():
    assert text.single_encode_percents("a%2520b%25zz%2525") == "a%20b%25zz%25"


def test_url_decoding_names_the_fault():
    assert text.url_decode("a+b%20c%E2%82%AC%0A") == "a b c€"
    with pytest.raises(text.UrlDecodeError, match="Incomplete trailing escape"):
        text.url_decode("a%2")


def test_replacement_counts_are_those_of_the_jvm():
    assert text.decode_utf8(b"a\xed\xa0\x80b") == "a\ufffdb"
    assert text.decode_utf8(b"\xff\xfe") == "\ufffd\ufffd"


@given(st.integers(-62167219200000, 253402300799999))
def test_timestamps_agree_with_datetime(millis):
    assert timestamps.in_warehouse_range(millis)
    if millis < -62135596800000:  # datetime has no year 0
        return
    expected = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=millis)
    assert timestamps.to_tsv(millis) == f"{expected.year:04d}" + expected.strftime("-%m-%d %H:%M:%S.") + (
        f"{expected.microsecond // 1000:03d}"
    )


@given(st.integers(-(10**9), 10**9))
def test_calendar_round_trips(days):
    assert timestamps.days_from_civil(*timestamps.civil_from_days(days)) == days


def test_far_years_print_as_joda_does():
    assert timestamps.to_tsv(2**63 - 1) == "292278994-08-17 07:12:55.807"
    assert timestamps.to_tsv(-62167219200001) == "-0001-12-31 23:59:59.999"
    assert timestamps.to_instant(1000) == "1970-01-01T00:00:01Z"
    assert timestamps.to_instant(1001) == "1970-01-01T00:00:01.001Z"
