"""currency_conversion: amounts in the shop's own currency (enrich 3.9.0 ``CurrencyConversionEnrichment``).

The rates of a day are asked for once per run, before it (a lookup), so that all workers convert by the same ones.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

from snowetl.enrich.draft import Draft
from snowetl.enrich.enrichments import parameters
from snowetl.enrich.enrichments.base import Enrichment, Needs, Place, Resolve, Step, configuration
from snowetl.enrich.enrichments.currency_rates import (
    DECIMALS,
    FIRST_DAY,
    Account,
    RatesFault,
    convert,
    rate,
    read_answer,
)
from snowetl.enrich.enrichments.parameters import Parameters
from snowetl.enrich.services import Services
from snowetl.errors import LookupFailed
from snowetl.http import Http, HttpError
from snowetl.model import badrow
from snowetl.model.badrow import Message
from snowetl.model.fields import INDEX, NAMES
from snowetl.model.schema import SchemaCriterion, SchemaKey

ENDPOINT = "https://openexchangerates.org/api/historical"
ENDPOINT_VARIABLE = "SNOWETL_EXCHANGE_RATES_URL"
"""Names another place that answers as Open Exchange Rates does: a mirror, a cache of one's own."""

_IDENTIFIER = "currency-conversion"
_TSTAMP = INDEX["collector_tstamp"]
_BASE_CURRENCY = INDEX["base_currency"]
_DAY = len("2026-03-02")
_KINDS = ("DEVELOPER", "ENTERPRISE", "UNLIMITED")
_REMEMBERED_DAYS = 64


class _Amount(NamedTuple):
    currency: str
    amount: int
    base: int


def _amount(currency: str, amount: str) -> _Amount:
    return _Amount(currency, INDEX[amount], INDEX[f"{amount}_base"])


_AMOUNTS = (
    *(_amount("tr_currency", name) for name in ("tr_total", "tr_tax", "tr_shipping")),
    _amount("ti_currency", "ti_price"),
)
_CURRENCIES = (INDEX["tr_currency"], INDEX["ti_currency"])
_LOOKED_UP_BY = ("tr_currency", "ti_currency", *(NAMES[one.amount] for one in _AMOUNTS))


@configuration
class CurrencyConversionConf:
    """``base`` is the currency amounts are converted to. ``kind`` is that of the account at Open Exchange Rates."""

    criterion: ClassVar[SchemaCriterion] = parameters.criterion("currency_conversion_config")
    place: ClassVar[Place] = Place(80, legacy=184)

    schema_key: SchemaKey
    api_key: str = field(repr=False)
    kind: str
    base: str

    @classmethod
    def parse(cls, key: SchemaKey, data: dict[str, Any]) -> CurrencyConversionConf:
        given = Parameters(data)
        names = ("apiKey", "accountType", "baseCurrency", "rateAt")
        api_key, kind, base, rate_at = (given.read(f"parameters.{name}", parameters.text, "") for name in names)
        if base and base not in DECIMALS:
            given.fault(f"Unknown currency '{base}'")
        if kind and kind not in _KINDS:
            given.fault(f"accountType [{kind}] is not one of DEVELOPER, ENTERPRISE, and UNLIMITED")
        if rate_at and rate_at != "EOD_PRIOR":
            given.fault(f"parameters.rateAt: {rate_at} is not EOD_PRIOR")
        given.check()
        return cls(key, api_key, kind, base)

    def needs(self) -> Needs:
        rates = DailyRates(Account(self.api_key, self.kind, self.base))
        return Needs(network=(rates.endpoint,), secrets=(self.api_key,), lookups=(rates,))

    def open(self, services: Services) -> AbstractContextManager[Step]:
        return nullcontext(CurrencyConversion(self, services.lookups[DailyRates.name]))


ENRICHMENT: type[Enrichment] = CurrencyConversionConf


@dataclass(frozen=True, slots=True)
class DailyRates:
    """The lookup: from a day to the answer of Open Exchange Rates, as it came."""

    account: Account
    name: ClassVar[str] = "currency-rates"

    @property
    def endpoint(self) -> str:
        return os.environ.get(ENDPOINT_VARIABLE, ENDPOINT)

    @property
    def columns(self) -> tuple[str, ...]:
        return _LOOKED_UP_BY

    def key(self, draft: Draft) -> str | None:
        """The day of an event that has an amount to convert."""
        values = draft.values
        has_amount = any(values[INDEX[one.currency]] and values[one.amount] for one in _AMOUNTS)
        return values[_TSTAMP][:_DAY] or None if has_amount else None

    def check(self) -> None:
        """Nothing to check: the service is asked when the days are known."""

    @contextmanager
    def open(self) -> Iterator[Resolve]:
        """The answers for the days that have rates: none before 1999, none after today.

        A service that does not answer fails the run: it must not make a day of bad rows. Resolving raises
        ``LookupFailed``.
        """
        today = datetime.now(UTC).date().isoformat()
        with Http(secrets=(self.account.api_key,)) as http:
            yield lambda days: ((day, self._ask(http, day)) for day in days if FIRST_DAY <= day <= today)

    def _ask(self, http: Http, day: str) -> str:
        try:
            answer = http.get(self.account.url(day, self.endpoint))
        except HttpError as error:
            raise LookupFailed(f"exchange rates of {day}: {error}. Run again when the service answers") from None
        if answer.status >= 500 or answer.status == 429:
            raise LookupFailed(
                f"exchange rates of {day}: {self.endpoint} answers with status {answer.status}. "
                "Run again when the service answers"
            )
        return answer.body.decode("utf-8", "replace")


class CurrencyConversion:
    """The step."""

    def __init__(self, conf: CurrencyConversionConf, answers: Callable[[str], str | None]) -> None:
        self._schema_key = conf.schema_key.uri
        self._base = conf.base

        def rates(day: str) -> Mapping[str, Decimal] | RatesFault:
            try:
                return self._read(day, answers)
            except RatesFault as fault:
                return fault

        self._rates = lru_cache(maxsize=_REMEMBERED_DAYS)(rates)

    def __call__(self, draft: Draft) -> None:
        values = draft.values
        values[_BASE_CURRENCY] = self._base
        day = values[_TSTAMP][:_DAY]
        if not day:
            self._fail(draft, [badrow.input_data("collector_tstamp", None, "missing")])
            return
        if not any(values[index] for index in _CURRENCIES):
            return
        converted: list[tuple[int, str]] = []
        faults: list[Message] = []
        for one in _AMOUNTS:
            currency, amount = values[INDEX[one.currency]], values[one.amount]
            if not currency or not amount:
                continue
            if currency not in DECIMALS:
                faults.append(badrow.input_data(one.currency, currency, f"Unknown currency '{currency}'"))
                continue
            try:
                converted.append((one.base, self._convert(currency, float(amount), day)))
            except RatesFault as fault:
                faults.append(badrow.simple_error(str(fault)))
        if faults:
            self._fail(draft, faults)
            return
        for index, text in converted:
            values[index] = text

    def _convert(self, currency: str, amount: float, day: str) -> str:
        rates = self._rates(day)
        if isinstance(rates, RatesFault):
            raise rates
        if not math.isfinite(amount):
            raise RatesFault.other("Infinite or NaN")
        return convert(amount, rate(rates, currency, self._base), self._base)

    def _read(self, day: str, answers: Callable[[str], str | None]) -> Mapping[str, Decimal]:
        """The rates of a day. Raises :class:`RatesFault`."""
        answer = answers(day)
        if answer is None:
            raise RatesFault("ResourcesNotAvailable", f"Exchange rate unavailable on the date [{day}T00:00Z[UTC]]")
        return read_answer(answer)

    def _fail(self, draft: Draft, faults: list[Message]) -> None:
        draft.fail(*(badrow.enrichment_message(fault, self._schema_key, _IDENTIFIER) for fault in faults))
