"""Keywords for numbers, compared exactly as they are written."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from snowetl.iglu.validation.report import Reports, ValidationCrash
from snowetl.iglu.validation.schema import Keyword, SchemaNode, State
from snowetl.iglu.validation.values import NUMBERS, as_long, exact, number_text
from snowetl.jvm.doubles import double_text

_LONG = 2**63


class _Limit(Keyword):
    """A bound. Where the schema says ``integer``, decimals are truncated before they are compared."""

    applies = NUMBERS
    exclusive_name = ""
    sign = 1
    words = ""

    def __init__(self, schema: SchemaNode, value: Any) -> None:
        super().__init__(schema, value)
        if value.__class__ not in NUMBERS:
            raise ValidationCrash(f"{self.name} value is not a number")
        self.exclusive = schema.get(self.exclusive_name) is True
        self.truncates = isinstance(value, int) and -_LONG <= value < _LONG and schema.get("type") == "integer"
        self.limit = exact(value)
        self.shown = number_text(value)

    def crossed(self, value: Any) -> bool:
        number = exact(value)
        if self.truncates and not isinstance(value, int):
            number = Decimal(as_long(value))
        beyond = number > self.limit if self.sign > 0 else number < self.limit
        return beyond or (self.exclusive and number == self.limit)

    def reports(self, value: Any, at: str, state: State) -> Reports:
        if value.__class__ in NUMBERS and self.crossed(value):
            return self.report(f"{at}: must have a {self.words} value of {self.shown}", at, self.shown)
        return {}

    def emit(self, code: Any, kind: type) -> None:
        operator = (">" if self.sign > 0 else "<") + ("=" if self.exclusive else "")
        if kind is int:
            limit = code.number(self.value) if self.value.__class__ is int else code.constant(self.limit)
            code.fail_if(f"v {operator} {limit}")
        elif kind is float and not self.truncates and _is_plain(self.value):
            code.fail_if(f"v {operator} {code.number(int(self.value))}")
        else:
            code.fail_if(f"{code.constant(self.crossed)}(v)")


def _is_plain(value: Any) -> bool:
    """A float compares with it as their texts do."""
    return value.__class__ is int and abs(value) < 2**53


class Maximum(_Limit):
    name = "maximum"
    exclusive_name = "exclusiveMaximum"
    words = "maximum"


class Minimum(_Limit):
    name = "minimum"
    exclusive_name = "exclusiveMinimum"
    sign = -1
    words = "minimum"


class MultipleOf(Keyword):
    """The divisor is a double, printed and divided as one; so are integers, but decimals are exact."""

    name = "multipleOf"
    applies = NUMBERS

    def __init__(self, schema: SchemaNode, value: Any) -> None:
        super().__init__(schema, value)
        self.divisor = _double(value) if value.__class__ in NUMBERS else 0.0
        self.shown = double_text(self.divisor)
        self.is_multiple = _multiple_of(exact(self.divisor))

    def reports(self, value: Any, at: str, state: State) -> Reports:
        if value.__class__ in NUMBERS and not self.is_multiple(value):
            return self.report(f"{at}: must be multiple of {self.shown}", at, self.shown)
        return {}

    def emit(self, code: Any, kind: type) -> None:
        if self.divisor != 0:
            code.fail_if(f"not {code.constant(self.is_multiple)}(v)")


def _double(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _multiple_of(divisor: Decimal) -> Callable[[Any], bool]:
    if divisor == 0 or not divisor.is_finite():
        return lambda value: True
    _, digits, scale = divisor.as_tuple()
    unit = int("".join(map(str, digits)))
    step = int(scale)

    def is_multiple(value: Any) -> bool:
        number = exact(value) if isinstance(value, float) else exact(_double(value))
        if not number.is_finite() or number == 0:
            return number == 0
        _, digits, scale = number.as_tuple()
        mantissa, shift = int("".join(map(str, digits))), int(scale) - step
        if shift >= 0:
            return mantissa * pow(10, shift, unit) % unit == 0
        return -shift <= len(digits) and mantissa % (unit * 10**-shift) == 0

    return is_multiple


ALL: tuple[type[Keyword], ...] = (Maximum, Minimum, MultipleOf)
