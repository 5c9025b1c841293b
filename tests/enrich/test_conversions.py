from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowetl.enrich import conversions
from snowetl.enrich.conversions import ConversionError


@pytest.mark.parametrize(
    ("text", "column"),
    [("1E7", "10000000"), ("0.0000001", "1E-7"), ("1999.00", "1999.00"), ("007.10", "7.10"), ("-0.0", "0.0"),
     (".5", "0.5"), ("23.", "23"), ("NULL", ""), ("٤٥", "45")],
)  # fmt: skip
def test_decimals_print_as_java_prints_them(text, column):
    assert conversions.decimal(text) == column


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "null"), ("1e", "null"), (".", "No digits found."), ("1e1.5", "Not a digit."),
     ("1E9999999999", "Exponent ov"),
     ("1E1000000000", "BigInteger would overflow"), ("1.2.3", "Character array contains more"),
     ("1E-2147483648", "Scale out of range.")],
)  # fmt: skip
def test_bad_decimals_say_why(text, reason):
    with pytest.raises(ConversionError, match=f"java.math.BigDecimal. Error : {reason}"):
        conversions.decimal(text)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=8))
def test_decimals_keep_their_value(number):
    assert Decimal(conversions.decimal(str(number))) == number


@given(st.text())
def test_conversions_give_text_or_a_reason(value):
    for name in ("int32", "decimal", "epoch_ms", "uuid", "bool01", "event_type", "platform", "ip_first"):
        convert = getattr(conversions, name)
        try:
            assert isinstance(convert(value), str)
        except ConversionError as error:
            assert str(error)


def test_integers_are_32_bit_and_null_is_null():
    assert conversions.int32("+0028") == "28"
    assert conversions.int32("nUll") == ""
    for text in ("2147483648", "1.0", " 1", "", "1_0", "9" * 10_000):
        with pytest.raises(ConversionError, match="java.lang.Integer"):
            conversions.int32(text)


def test_epochs_outside_the_years_0_to_9999_are_refused():
    assert conversions.epoch_ms("-62167219200000") == "0000-01-01 00:00:00.000"
    with pytest.raises(ConversionError, match="formatting as 10000-01-01 00:00:00.000 is not Redshift-compatible"):
        conversions.epoch_ms("253402300800000")
    with pytest.raises(ConversionError, match="ms since epoch"):
        conversions.epoch_ms("99999999999999999999")


def test_only_the_first_address_counts():
    assert conversions.ip_first("1.2.3.4, 5.6.7.8") == "1.2.3.4"
    assert conversions.ip_first(" 1.2.3.4") == ""
    assert conversions.ip_first(",") == ""


def test_dimensions():
    assert conversions.dimensions("01x002") == ("1", "2")
    with pytest.raises(ConversionError, match="could not be converted"):
        conversions.dimensions("1x99999999999")
    with pytest.raises(ConversionError, match="does not conform"):
        conversions.dimensions("1x2\n")
