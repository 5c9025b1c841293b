import pytest

from snowetl.enrich.lengths import LengthCheck, failures
from snowetl.errors import ConfigError
from snowetl.model.event import EnrichedEvent


def texts(check, **columns):
    event = EnrichedEvent()
    for name, value in columns.items():
        event[name] = value
    return [failure["message"]["error"] for failure in failures(check.check(event.texts))]


def test_columns_that_fit_pass():
    assert texts(LengthCheck(), v_tracker="s" * 100, geo_country="GB", page_url="x" * 4096) == []


def test_long_columns_are_named_in_order_after_a_headline():
    assert texts(LengthCheck(), v_tracker="s" * 101, app_id="a" * 256) == [
        "Enriched event does not conform to atomic schema field's length restrictions",
        "Field app_id longer than maximum allowed size 255",
        "Field v_tracker longer than maximum allowed size 100",
    ]


def test_length_is_counted_in_utf16_units():
    assert texts(LengthCheck(), tr_currency="😀é") == []
    assert len(texts(LengthCheck(), tr_currency="😀😀")) == 2


def test_limits_can_be_changed_but_not_invented():
    assert texts(LengthCheck({"v_tracker": 500}), v_tracker="s" * 500) == []
    with pytest.raises(ConfigError, match="txn_id"):
        LengthCheck({"txn_id": 3})
