"""Dates and times of log lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowetl.collector.timestamp import parse_timestamp
from snowetl.jvm.joda import parse_datetime
from snowetl.jvm.timestamps import to_iso


@pytest.mark.parametrize(
    ("date", "time", "instant"),
    [
        ("2024-02-29", "12:34:56", "2024-02-29T12:34:56.000Z"),
        ("2024-2-9", "1:2:3", "2024-02-09T01:02:03.000Z"),
        ("2024", "23", "2024-01-01T23:00:00.000Z"),
        ("2024-11", "23:59", "2024-11-01T23:59:00.000Z"),
        ("2024-11-30", "10:20:30.9999", "2024-11-30T10:20:30.999Z"),
        ("2024-11-30", "10:20:30,05", "2024-11-30T10:20:30.050Z"),
        ("2024-11-30", "10:20.25", "2024-11-30T10:20:15.000Z"),
        ("2024-11-30", "10.1", "2024-11-30T10:06:00.000Z"),
        ("2024-366", "00:00:00", "2024-12-31T00:00:00.000Z"),
        ("2020-W53-7", "00:00:00", "2021-01-03T00:00:00.000Z"),
        ("2020-w01", "00:00:00", "2019-12-30T00:00:00.000Z"),
        ("12024-01-01", "00:00:00", "12024-01-01T00:00:00.000Z"),
        ("-0001-01-01", "00:00:00", "-0001-01-01T00:00:00.000Z"),
        ("+2024-01-01", "00:00:00", "2024-01-01T00:00:00.000Z"),
    ],
)
def test_forms(date: str, time: str, instant: str) -> None:
    millis = parse_timestamp(date, time)
    assert isinstance(millis, int)
    assert to_iso(millis) == instant


@pytest.mark.parametrize(
    ("date", "time", "reason"),
    [
        ("x", "10:00:00", 'Invalid format: "xT10:00:00+00:00"'),
        ("20x4-01-01", "10:00", 'Invalid format: "20x4-01-01T10:00+00:00" is malformed at "x4-01-01T10:00+00:00"'),
        ("2024-01-01", "10:00:00Z", 'Invalid format: "2024-01-01T10:00:00Z+00:00" is malformed at "+00:00"'),
        ("2024-01-01", "-", 'Invalid format: "2024-01-01T-+00:00" is malformed at "-+00:00"'),
        (
            "2024-01-01",
            "10:00:00.1234567891",
            'Invalid format: "2024-01-01T10:00:00.1234567891+00:00" is malformed at "1+00:00"',
        ),
        ("2024-01-01", "x" * 60, f'Invalid format: "2024-01-01T{"x" * 32}..." is malformed at "{"x" * 32}..."'),
        (
            "2023-02-29",
            "10:00",
            'Cannot parse "2023-02-29T10:00+00:00": Value 29 for dayOfMonth must be in the range [1,28]',
        ),
        (
            "2023-00-01",
            "10:00",
            'Cannot parse "2023-00-01T10:00+00:00": Value 0 for monthOfYear must be in the range [1,12]',
        ),
        (
            "2023-366",
            "10:00",
            'Cannot parse "2023-366T10:00+00:00": Value 366 for dayOfYear must be in the range [1,365]',
        ),
        (
            "2023-W53",
            "10:00",
            'Cannot parse "2023-W53T10:00+00:00": Value 53 for weekOfWeekyear must be in the range [1,52]',
        ),
        (
            "2023-W01-8",
            "10:00",
            'Cannot parse "2023-W01-8T10:00+00:00": Value 8 for dayOfWeek must be in the range [1,7]',
        ),
        (
            "2023-01-01",
            "24:00:00",
            'Cannot parse "2023-01-01T24:00:00+00:00": Value 24 for hourOfDay must be in the range [0,23]',
        ),
        (
            "2023-01-01",
            "10:60",
            'Cannot parse "2023-01-01T10:60+00:00": Value 60 for minuteOfHour must be in the range [0,59]',
        ),
        (
            "2023-01-01",
            "10:00:60",
            'Cannot parse "2023-01-01T10:00:60+00:00": Value 60 for secondOfMinute must be in the range [0,59]',
        ),
    ],
)
def test_faults(date: str, time: str, reason: str) -> None:
    assert parse_timestamp(date, time) == {
        "payloadField": "dateTime",
        "value": f"{date} {time}",
        "expectation": f"could not convert timestamp: {reason}",
    }


@given(st.datetimes())
def test_the_short_way_and_the_parser_agree(moment: object) -> None:
    date, time = f"{moment:%Y-%m-%d}".rjust(10, "0"), f"{moment:%H:%M:%S}"
    assert parse_timestamp(date, time) == parse_datetime(f"{date}T{time}.000+00:00")


@given(st.text(alphabet="0123456789-:.,TWZ+ é", min_size=1), st.text(alphabet="0123456789-:.,TWZ+", min_size=1))
def test_any_text_has_an_outcome(date: str, time: str) -> None:
    assert isinstance(parse_timestamp(date, time), int | dict)
