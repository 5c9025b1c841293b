"""Keywords for text. Lengths count code points, patterns are searched."""

from __future__ import annotations

from typing import Any

from snowetl.iglu.validation import patterns
from snowetl.iglu.validation.formats import FORMATS
from snowetl.iglu.validation.report import Report, Reports
from snowetl.iglu.validation.schema import Keyword, SchemaNode, State
from snowetl.iglu.validation.values import as_int

_INT_MAX, _INT_MIN = 2**31 - 1, -(2**31)
_TEXT = frozenset((str,))


class MaxLength(Keyword):
    name = "maxLength"
    applies = _TEXT

    def __init__(self, schema: SchemaNode, value: Any) -> None:
        super().__init__(schema, value)
        self.limit = as_int(value, _INT_MAX)

    def reports(self, value: Any, at: str, state: State) -> Reports:
        if value.__class__ is str and len(value) > self.limit:
            return self.report(f"{at}: may only be {self.limit} characters long", at, str(self.limit))
        return {}

    def emit(self, code: Any, kind: type) -> None:
        code.fail_if(f"len(v) > {self.limit}")


class MinLength(Keyword):
    name = "minLength"
    applies = _TEXT

    def __init__(self, schema: SchemaNode, value: Any) -> None:
        super().__init__(schema, value)
        self.limit = as_int(value, _INT_MIN)

    def reports(self, value: Any, at: str, state: State) -> Reports:
        if value.__class__ is str and len(value) < self.limit:
            return self.report(f"{at}: must be at least {self.limit} characters long", at, str(self.limit))
        return {}

    def emit(self, code: Any, kind: type) -> None:
        if self.limit > 0:
            code.fail_if(f"len(v) < {self.limit}")


class Pattern(Keyword):
    name = "pattern"
    applies = _TEXT

    def __init__(self, schema: SchemaNode, value: Any) -> None:
        super().__init__(schema, value)
        self.search = patterns.search(value) if isinstance(value, str) else None

    def reports(self, value: Any, at: str, state: State) -> Reports:
        if value.__class__ is not str or self.search is None or self.search(value):
            return {}
        return self.report(f"{at}: does not match the regex pattern {self.value}", at, self.value)

    def emit(self, code: Any, kind: type) -> None:
        if self.search is not None:
            code.fail_if(f"not {code.constant(self.search)}(v)")


class Format(Keyword):
    """Unknown formats are ignored."""

    name = "format"
    applies = _TEXT

    def __init__(self, schema: SchemaNode, value: Any) -> None:
        super().__init__(schema, value)
        self.format = FORMATS.get(value) if isinstance(value, str) else None
        self.path = schema.path  # the reference does not add this keyword's name

    def reports(self, value: Any, at: str, state: State) -> Reports:
        if value.__class__ is not str or self.format is None or self.format.test(value):
            return {}
        targets = self.format.targets(value)
        if self.format.keyword == "format":
            message = self._message or f"{at}: does not match the {targets[0]} pattern {targets[1]}"
        else:
            message = f"{at}: {value} is an invalid {targets[1]}"
        return {Report(message, at, self.format.keyword, targets, self.path): None}

    def emit(self, code: Any, kind: type) -> None:
        if self.format is not None:
            code.fail_if(f"not {code.constant(self.format.test)}(v)")


ALL: tuple[type[Keyword], ...] = (MaxLength, MinLength, Pattern, Format)
