from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowetl.jvm.joda import DateError, parse_datetime


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2026-03-02T08:00:00Z", "2026-03-02T08:00:00+00:00"),
        ("2026-03-02T08:00:00.250Z", "2026-03-02T08:00:00.250+00:00"),
        ("2026-03-02T10:00:00+02:00", "2026-03-02T08:00:00+00:00"),
        ("2026-03-02T05:30:00-0230", "2026-03-02T08:00:00+00:00"),
        ("2026-03-02T08:00:00-00:00:01.5", "2026-03-02T08:00:01.500+00:00"),
        ("2026-03-02T08:00:00", "2026-03-02T08:00:00+00:00"),
        ("2026-3-2t8:0:0z", "2026-03-02T08:00:00+00:00"),
        ("2026-03-02T08:30.5", "2026-03-02T08:30:30+00:00"),
        ("2026-03-02T08,25", "2026-03-02T08:15:00+00:00"),
        ("2026-03-02T08:00:00.1239999Z", "2026-03-02T08:00:00.123+00:00"),
        ("2026-03-02T", "2026-03-02T00:00:00+00:00"),
        ("2026-03-02TZ", "2026-03-02T00:00:00+00:00"),
        ("2026-03", "2026-03-01T00:00:00+00:00"),
        ("2026", "2026-01-01T00:00:00+00:00"),
        ("+2026-061", "2026-03-02T00:00:00+00:00"),
        ("2026-W10-1T08", "2026-03-02T08:00:00+00:00"),
        ("2026-W10", "2026-03-02T00:00:00+00:00"),
        ("T08:00", "1970-01-01T08:00:00+00:00"),
    ],
)
def test_dates(text, iso):
    assert parse_datetime(text) == round(datetime.fromisoformat(iso).timestamp() * 1000)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", 'Invalid format: ""'),
        ("yesterday", 'Invalid format: "yesterday"'),
        ("2026-03-02 08:00:00", 'Invalid format: "2026-03-02 08:00:00" is malformed at " 08:00:00"'),
        ("2026-03-02T08:00:00+2", 'Invalid format: "2026-03-02T08:00:00+2" is malformed at "+2"'),
        ("1772438400000", 'Invalid format: "1772438400000" is malformed at "0000"'),
        ("T", 'Invalid format: "T" is too short'),
        ("2026-13-01", 'Cannot parse "2026-13-01": Value 13 for monthOfYear must be in the range [1,12]'),
        ("2026-02-29", 'Cannot parse "2026-02-29": Value 29 for dayOfMonth must be in the range [1,28]'),
        ("2026-366", 'Cannot parse "2026-366": Value 366 for dayOfYear must be in the range [1,365]'),
        ("2026-W54", 'Cannot parse "2026-W54": Value 54 for weekOfWeekyear must be in the range [1,53]'),
        ("2026-01-01T24", 'Cannot parse "2026-01-01T24": Value 24 for hourOfDay must be in the range [0,23]'),
        ("2026-01-01T23:60", 'Cannot parse "2026-01-01T23:60": Value 60 for minuteOfHour must be in the range [0,59]'),
        ("x" * 50, f'Invalid format: "{"x" * 32}..."'),
    ],
)
def test_what_is_no_date(text, message):
    with pytest.raises(DateError) as caught:
        parse_datetime(text)
    assert str(caught.value) == message


@given(st.datetimes(timezones=st.just(UTC)))
def test_every_date_python_writes(moment):
    assert parse_datetime(moment.isoformat(timespec="milliseconds")) == (moment - _EPOCH) // _MILLISECOND


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = datetime(1970, 1, 1, 0, 0, 0, 1000, UTC) - _EPOCH


@given(st.text(alphabet="0123456789-:+.,TWZz x٣", max_size=40))
def test_any_text_is_a_date_or_is_refused(text):
    try:
        assert isinstance(parse_datetime(text), int)
    except DateError as error:
        assert str(error).startswith(("Invalid format: ", "Cannot parse "))
