import pytest

from snowetl.enrich.size import limit_size
from snowetl.model import badrow
from snowetl.model.badrow import Origin
from snowetl.model.event import EnrichedEvent

ORIGIN = Origin("snowetl", "1.0.0", 0)


def event(title):
    made = EnrichedEvent()
    made["page_title"] = title
    return made


def test_what_fits_passes():
    fits = event("x" * (1000 - 130))
    assert limit_size(ORIGIN, fits, 1000) is fits


def test_an_oversized_event_is_cut_to_eight_tenths_in_characters():
    row = limit_size(ORIGIN, event("x" * 30_000), 20_000)
    assert row.type == "size_violation"
    assert row.data["failure"]["actualSizeBytes"] == 30_130
    assert row.data["failure"]["expectation"].startswith("event passed enrichment")
    assert len(row.data["payload"]) == 16_000


def test_a_violation_that_is_still_too_large_is_wrapped_again():
    row = limit_size(ORIGIN, event("é" * 12_000), 20_000)
    assert row.data["failure"]["expectation"].startswith("event failed enrichment")
    assert len(row.data["payload"]) == 2_000


@pytest.mark.parametrize("limit", [1009, 5000])
def test_an_oversized_bad_row_is_cut_to_a_tenth(limit):
    row = limit_size(ORIGIN, badrow.generic_error(ORIGIN, ["x" * 6000], b""), limit)
    assert row.data["payload"].startswith('{"schema":"iglu:')
    assert len(row.data["payload"]) == limit // 10
