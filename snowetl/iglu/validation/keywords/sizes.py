"""Keywords that bound a size: of arrays, of objects, of text (in code points)."""

from __future__ import annotations

from typing import Any

from snowetl.iglu.validation.report import Reports
from snowetl.iglu.validation.schema import Keyword, SchemaNode, State
from snowetl.iglu.validation.values import as_int

_INT_MAX, _INT_MIN = 2**31 - 1, -(2**31)


class _Size(Keyword):
    """``message`` words the report, with ``{}`` for the limit; ``otherwise`` is the limit where it is no integer."""

    otherwise = 0
    message = ""

    def __init__(self, schema: SchemaNode, value: Any) -> None:
        super().__init__(schema, value)
        self.limit = as_int(value, self.otherwise)

    def fits(self, size: int) -> bool:
        raise NotImplementedError

    def reports(self, value: Any, at: str, state: State) -> Reports:
        kind = value.__class__
        if kind in self.applies and not self.fits(len(value)):
            return self.report(f"{at}: {self.message.format(self.limit)}", at, str(self.limit))
        return {}


class _AtMost(_Size):
    def fits(self, size: int) -> bool:
        return size <= self.limit

    def emit(self, code: Any, kind: type) -> None:
        code.fail_if(f"len(v) > {self.limit}")


class _AtLeast(_Size):
    def fits(self, size: int) -> bool:
        return size >= self.limit

    def emit(self, code: Any, kind: type) -> None:
        if self.limit > 0:
            code.fail_if(f"len(v) < {self.limit}")


class MaxItems(_AtMost):
    name = "maxItems"
    applies = frozenset((list,))
    message = "there must be a maximum of {} items in the array"


class MinItems(_AtLeast):
    name = "minItems"
    applies = frozenset((list,))
    message = "there must be a minimum of {} items in the array"


class MaxProperties(_AtMost):
    name = "maxProperties"
    applies = frozenset((dict,))
    message = "may only have a maximum of {} properties"


class MinProperties(_AtLeast):
    name = "minProperties"
    applies = frozenset((dict,))
    message = "should have a minimum of {} properties"


class MaxLength(_AtMost):
    name = "maxLength"
    applies = frozenset((str,))
    message = "may only be {} characters long"
    otherwise = _INT_MAX


class MinLength(_AtLeast):
    name = "minLength"
    applies = frozenset((str,))
    message = "must be at least {} characters long"
    otherwise = _INT_MIN
