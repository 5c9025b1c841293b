"""Exchange rates of one day, and what amounts are by them (scala-forex 2.0.0 over Open Exchange Rates, Joda Money)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any, NamedTuple

from snowetl.jvm import jsontext

FIRST_DAY = "1999-01-01"
"""Open Exchange Rates has no rates of earlier days."""

_RATE_STEP = Decimal("0.000001")
_EXACT = Context(prec=1_000, rounding=ROUND_HALF_EVEN)
"""Room for all digits of a double."""
_TWO_DECIMALS = """
AED AFN ALL AMD ANG AOA ARS ATS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW
CNY COP COU CRC CUC CUP CVE CYP CZK DEM DKK DOP DZD EEK EGP ERN ETB EUR FIM FJD FKP FRF GBP GEL GHS GIP GMD GTQ GYD HKD
HNL HRK HTG HUF IDR IEP ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL LTL LVL MAD MDL MGA MKD MMK MNT MOP
MRO MRU MTL MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NLG NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB RUR SAR SBD
SCR SDG SEK SGD SHP SIT SKK SLL SOS SRD SSP STD STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VEF
VES WST XCD YER ZAR ZMW ZWL
"""
_NO_DECIMALS = """
ADP BEF BIF BYR CLP DJF ESP GNF GRD ISK ITL JPY KMF KRW LUF PTE PYG RWF UGX UYI VND VUV XAF XAG XAU XBA XBB XBC XBD XDR
XEU XFU XOF XPD XPF XPT XSU XTS XUA XXX
"""
DECIMALS: dict[str, int] = {
    **dict.fromkeys(_TWO_DECIMALS.split(), 2),
    **dict.fromkeys(_NO_DECIMALS.split(), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    "CLF": 4,
}
"""The currencies there are, by how many decimals their amounts have."""


class RatesFault(Exception):
    """Why there is no rate, in the reference's words. ``kind`` is the type of an error of Open Exchange Rates."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"Open Exchange Rates error, type: [{kind}], message: [{message}]" if kind else message)

    @classmethod
    def other(cls, message: str) -> RatesFault:
        """A fault of the conversion itself."""
        return cls("", f"an error happened while converting the currency: {message}")


class Account(NamedTuple):
    """Whose rates are asked for. Developers get rates per US dollar only, whatever their base currency."""

    api_key: str
    kind: str
    base: str

    def url(self, day: str, endpoint: str) -> str:
        """Where the rates of a day (``2026-03-02``) are."""
        base = "" if self.kind == "DEVELOPER" else f"&base={self.base}"
        return f"{endpoint.rstrip('/')}/{day}.json?app_id={self.api_key}{base}"


def read_answer(text: str) -> Mapping[str, Decimal]:
    """The rates in an answer of the service. Raises :class:`RatesFault` for an error, or text it cannot read."""
    try:
        answer: Any = jsontext.loads_exact(text)
    except jsontext.JsonError as error:
        raise RatesFault("OtherErrors", str(error)) from None
    if not isinstance(answer, dict) or not isinstance(answer.get("rates"), dict):
        message = answer.get("message") if isinstance(answer, dict) else None
        raise RatesFault("OtherErrors", message if isinstance(message, str) else "the answer has no rates")
    return {
        code: Decimal(jsontext.dumps(rate))
        for code, rate in answer["rates"].items()
        if isinstance(rate, (int, float)) and not isinstance(rate, bool)
    }


def rate(rates: Mapping[str, Decimal], currency: str, base: str) -> Decimal:
    """What one unit of ``currency`` is in ``base``. Raises :class:`RatesFault` where one of them is missing.

    Always computed afresh from the day's rates: the reference also inverts what it converted earlier that day, so that
    its last digit depends on the events before.
    """
    for code in (currency, base):
        if not rates.get(code):
            raise RatesFault("IllegalCurrency", f"Currency not found in the API, invalid currency {code}")
    if currency == base:
        return Decimal(1)
    inverse = _EXACT.quantize(_EXACT.divide(Decimal(1), rates[currency]), _RATE_STEP)
    return _EXACT.multiply(inverse, rates[base])


def convert(amount: float, by: Decimal, base: str) -> str:
    """The finite amount (its exact binary value) in the base currency, with as many decimals as that has."""
    step = Decimal(1).scaleb(-DECIMALS[base])
    return f"{_EXACT.quantize(_EXACT.multiply(Decimal(amount), by), step):f}"
