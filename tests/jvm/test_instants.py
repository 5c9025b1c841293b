from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowetl.jvm import instants
from snowetl.jvm.instants import Instant


@pytest.mark.parametrize(
    ("text", "tsv", "iso"),
    [
        ("2020-01-01 00:00:00", "2020-01-01 00:00:00.000", "2020-01-01T00:00:00Z"),
        ("2020-01-01T00:00:00.1", "2020-01-01 00:00:00.100", "2020-01-01T00:00:00.100Z"),
        ("2020-01-01t00:00:00.", "2020-01-01 00:00:00.000", "2020-01-01T00:00:00Z"),
        ("2020-01-01 00:00:00.9999", "2020-01-01 00:00:00.999", "2020-01-01T00:00:00.999900Z"),
        ("2020-01-01 00:00:00.123456789", "2020-01-01 00:00:00.123", "2020-01-01T00:00:00.123456789Z"),
        ("2020-01-01 24:00:00", "2020-01-02 00:00:00.000", "2020-01-02T00:00:00Z"),
        ("2020-12-31 23:59:60.500", "2020-12-31 23:59:59.500", "2020-12-31T23:59:59.500Z"),
        ("-2006-10-15 09:06:35", "2007-10-15 09:06:35.000", "-2006-10-15T09:06:35Z"),
        ("+12020-01-01 00:00:00", "+12020-01-01 00:00:00.000", "+12020-01-01T00:00:00Z"),
        ("0000-01-01 00:00:00", "0001-01-01 00:00:00.000", "0000-01-01T00:00:00Z"),
        ("2020-02-29 00:00:00", "2020-02-29 00:00:00.000", "2020-02-29T00:00:00Z"),
    ],
)
def test_what_java_reads(text: str, tsv: str, iso: str) -> None:
    instant = instants.parse(text)
    assert instant is not None
    assert (instants.to_tsv(instant), instants.to_iso(instant)) == (tsv, iso)


@pytest.mark.parametrize(
    "text",
    [
        "", "2020-01-01", "2020-01-01 00:00", "2020-00-10 00:00:00", "2020-13-01 00:00:00", "2019-02-29 00:00:00",
        "2020-04-31 00:00:00", "2020-01-01 24:00:01", "2020-01-01 25:00:00", "2020-01-01 12:60:00",
        "2020-12-31 23:58:60", "2020-01-01 00:00:00Z", "2020-01-01 00:00:00+01:00", "2020-01-01 00:00:00,123",
        "2020-01-01  00:00:00", "2020-1-1 0:0:0", "20-01-01 00:00:00", "12020-01-01 00:00:00", "-0000-01-01 00:00:00",
        "+2020-01-01 00:00:00", "1577836800000", "٢٠٢٠-01-01 00:00:00", "2020-01-01 00:00:00.1234567890",
        "+1000000000-01-01 00:00:00", "2020-01-01\x0000:00:00",
    ],
)  # fmt: skip
def test_what_java_does_not_read(text: str) -> None:
    assert instants.parse(text) is None


@given(st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31)))
def test_canonical_texts_are_instants_as_they_are(moment: datetime) -> None:
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    text = moment.isoformat(sep=" ", timespec="milliseconds")
    instant = instants.parse(text)
    assert instant is not None
    assert instant.seconds == int(moment.replace(tzinfo=UTC, microsecond=0).timestamp())
    assert instants.to_tsv(instant) == text
    if (moment.month, moment.day) != (2, 29):
        assert instants.CANONICAL(text)
    assert instants.from_canonical(text) == instant
    assert instants.canonical_to_iso(text) == instants.to_iso(instant)


def test_micros_are_cut() -> None:
    assert Instant(1, 999_999_999).micros == 1_999_999
    assert Instant(-1, 1).micros == -1_000_000
