"""currency_conversion: amounts, rates, and what is asked of whom."""

from __future__ import annotations

import json
from typing import Any

import pytest

from snowetl.enrich.draft import Draft
from snowetl.enrich.enrichments.currency_conversion import ENDPOINT_VARIABLE, DailyRates
from snowetl.enrich.enrichments.currency_rates import DECIMALS, Account
from snowetl.errors import ConfigError, LookupFailed
from tests.enrich.enrichments.support import conf, draft, opened
from tests.iglu.server import Answer, serving

GIVEN = {"apiKey": "s3cret", "accountType": "DEVELOPER", "baseCurrency": "EUR", "rateAt": "EOD_PRIOR"}
RATES = {"rates": {"USD": 1, "EUR": 0.8, "GBP": 0.64, "JPY": 160.5}}
RUN = 1_772_668_800_000
TIME = "2026-03-02 08:00:00.000"


def after(answer: Any = RATES, base: str = "EUR", time: str = TIME, **columns: str) -> Draft:
    one = conf("currency_conversion_config", **GIVEN | {"baseCurrency": base})
    made = draft(collector_tstamp=time, **columns) if time else draft(**columns)
    with opened(one, run=RUN, lookups={"currency-rates": lambda day: answer and json.dumps(answer)}) as step:
        step(made)
    return made


def errors(made: Draft) -> list[Any]:
    assert all(one["enrichment"]["identifier"] == "currency-conversion" for one in made.failures)
    return [one["message"] for one in made.failures]


def test_amounts_in_the_base_currency() -> None:
    made = after(tr_currency="GBP", tr_total="10", tr_tax="0.1", ti_currency="USD", ti_price="2.5")
    names = ("base_currency", "tr_total_base", "tr_tax_base", "tr_shipping_base", "ti_price_base")
    assert [made.event[name] for name in names] == ["EUR", "12.50", "0.13", None, "2.00"]


@pytest.mark.parametrize(("base", "total"), [("EUR", "0.50"), ("JPY", "100"), ("USD", "0.62")])
def test_decimals_of_the_base_currency(base: str, total: str) -> None:
    assert after(base=base, tr_currency="EUR", tr_total="0.5").event["tr_total_base"] == total


def test_halves_are_rounded_to_even() -> None:
    assert after(tr_currency="EUR", tr_total="0.125").event["tr_total_base"] == "0.12"
    assert after(tr_currency="EUR", tr_total="0.375").event["tr_total_base"] == "0.38"


def test_huge_amounts() -> None:
    assert after(tr_currency="EUR", tr_total="1e300").event["tr_total_base"] == f"{int(1e300)}.00"
    assert "Infinite or NaN" in str(errors(after(tr_currency="EUR", tr_total="1e999")))


def test_the_base_currency_stands_in_every_event() -> None:
    made = after(None)
    assert (made.event["base_currency"], made.failures) == ("EUR", [])


def test_an_unknown_currency_fails_for_each_amount_and_sets_nothing() -> None:
    made = after(tr_currency="TEA", tr_total="1", tr_tax="2", ti_currency="USD", ti_price="3")
    assert errors(made) == [{"field": "tr_currency", "value": "TEA", "expectation": "Unknown currency 'TEA'"}] * 2
    assert made.event["ti_price_base"] is None


def test_without_a_time_the_event_fails() -> None:
    assert errors(after(time="")) == [{"field": "collector_tstamp", "value": None, "expectation": "missing"}]


def test_days_without_rates() -> None:
    (error,) = errors(after(None, tr_currency="USD", tr_total="1"))
    assert "type: [ResourcesNotAvailable]" in error["error"]
    assert f"Exchange rate unavailable on the date [{TIME[:10]}" in error["error"]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ({"error": True, "message": "invalid_app_id"}, "type: [OtherErrors], message: [invalid_app_id]"),
        ({"rates": {"EUR": 1}}, "[IllegalCurrency], message: [Currency not found in the API, invalid currency USD]"),
        ({"rates": []}, "the answer has no rates"),
    ],
)
def test_answers_without_the_rate(answer: Any, text: str) -> None:
    assert text in str(errors(after(answer, tr_currency="USD", tr_total="1")))


def test_faults_of_the_configuration_are_told_at_once_without_the_key() -> None:
    with pytest.raises(ConfigError) as refused:
        conf("currency_conversion_config", **GIVEN | {"baseCurrency": "TEA", "accountType": "FREE", "rateAt": "NOW"})
    for part in ("Unknown currency 'TEA'", "accountType [FREE]", "NOW"):
        assert part in str(refused.value)
    assert "s3cret" not in repr(conf("currency_conversion_config", **GIVEN))


def test_currencies_are_known_with_their_decimals() -> None:
    assert [DECIMALS[code] for code in ("EUR", "JPY", "KWD", "CLF", "XAU")] == [2, 0, 3, 4, 0]


# --- the lookup, against a server that speaks as the service does ---------------------------------------------------


def rates(kind: str = "DEVELOPER") -> DailyRates:
    return DailyRates(Account("s3cret", kind, "EUR"))


def resolved(lookup: DailyRates, *days: str) -> dict[str, str]:
    with lookup.open() as resolve:
        return dict(resolve(days))


def test_each_day_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(lambda path: Answer(body=json.dumps(RATES).encode())) as server:
        monkeypatch.setenv(ENDPOINT_VARIABLE, f"{server.uri}/api/historical")
        found = resolved(rates("UNLIMITED"), "2026-03-01", "2026-03-02", "1998-12-31", "9998-01-01")
    assert sorted(found) == ["2026-03-01", "2026-03-02"]
    assert json.loads(found["2026-03-02"]) == RATES
    assert server.paths == [f"/api/historical/2026-03-0{day}.json?app_id=s3cret&base=EUR" for day in (1, 2)]


def test_an_error_of_the_service_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    body = b'{"error":true,"status":401,"message":"invalid_app_id"}'
    with serving(lambda path: Answer(401, body)) as server:
        monkeypatch.setenv(ENDPOINT_VARIABLE, server.uri)
        assert resolved(rates(), "2026-03-02") == {"2026-03-02": body.decode()}


@pytest.mark.slow
def test_an_outage_stops_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("snowetl.http.time.sleep", lambda seconds: None)
    with serving(lambda path: Answer(503)) as server:
        monkeypatch.setenv(ENDPOINT_VARIABLE, server.uri)
        with pytest.raises(LookupFailed, match="exchange rates of 2026-03-02") as stopped:
            resolved(rates(), "2026-03-02")
    assert "s3cret" not in str(stopped.value)


def test_only_days_with_amounts_are_asked_for() -> None:
    assert rates().key(draft(collector_tstamp=TIME, tr_currency="USD", tr_total="1")) == "2026-03-02"
    assert rates().key(draft(collector_tstamp=TIME, tr_currency="USD")) is None
    assert rates().key(draft(collector_tstamp=TIME)) is None
