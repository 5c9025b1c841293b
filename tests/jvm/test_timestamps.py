from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from snowetl.jvm import timestamps


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
