"""Events over time: the grain of counts, of bars, and how late events are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from snowetl.reporting.timeline import MAX_KEYS, Timeline, bars, lateness

START = datetime(2026, 3, 2, 10, 7, tzinfo=UTC)


def timeline(*minutes: int) -> Timeline:
    found = Timeline()
    found.add({f"{START + timedelta(minutes=minute):%Y-%m-%d %H:%M}": 1 for minute in minutes})
    return found


def test_the_grain_is_coarsened_when_there_are_too_many_keys() -> None:
    found = timeline(*range(MAX_KEYS))
    assert found.grain == "minute"
    found.add({"2026-05-01 00:00": 7})
    assert found.grain == "hour"
    assert sum(found.counts.values()) == MAX_KEYS + 7
    found.add({"1999": 1}, "year")
    assert found.counts == {"2026": MAX_KEYS + 7, "1999": 1}
    minutes = Timeline("year", {"2026": 1})
    minutes.add({"2026-03-02 10:07": 2})
    assert minutes.counts == {"2026": 3}


def test_bars_are_as_short_as_the_span_allows() -> None:
    for span, length in ((0, 1), (60, 1), (100, 5), (12 * 60, 15), (2 * 1440, 60), (5 * 1440, 180), (60 * 1440, 1440)):
        assert bars(timeline(0, span)).minutes == length
    assert bars(Timeline()).bars == []
    assert bars(Timeline("year", {"1000": 1, "9999": 1})).minutes == 36500 * 1440


def test_stragglers_do_not_hide_the_others() -> None:
    found = timeline(*range(120))
    found.add({"2013-11-26 00:02": 1, "2030-01-01 00:00": 1})
    shown = bars(found)
    assert (shown.minutes, shown.before, shown.after) == (5, 1, 1)
    assert sum(bar.events for bar in shown.bars) == 120


def test_gaps_are_seen() -> None:
    found = bars(timeline(0, 1, 5, 6, 9))
    assert [bar.events for bar in found.bars] == [1, 1, 0, 0, 0, 1, 1, 0, 0, 1]
    assert found.gaps == [
        (START + timedelta(minutes=2), START + timedelta(minutes=5)),
        (START + timedelta(minutes=7), START + timedelta(minutes=9)),
    ]


def test_lateness() -> None:
    late = lateness(timeline(*range(100)), START + timedelta(minutes=100))
    assert late is not None
    assert (late.median, late.most, late.longest) == (50 * 60, 95 * 60, 100 * 60)
    assert lateness(Timeline(), START) is None


KEYS = st.text(max_size=16) | st.datetimes().map(lambda time: f"{time:%Y-%m-%d %H:%M}")


@given(
    st.dictionaries(KEYS, st.integers(1, 9)),
    st.sampled_from(["minute", "hour", "day", "month", "year"]),
)
def test_whatever_the_keys_are_there_are_few_bars(counts: dict[str, int], grain: str) -> None:
    found = Timeline()
    found.add(counts, grain)
    assert sum(found.counts.values()) == sum(counts.values())
    shown = bars(found)
    assert len(shown.bars) <= 100
    assert sum(bar.events for bar in shown.bars) + shown.before + shown.after <= sum(counts.values())
    assert shown.gaps is not None
