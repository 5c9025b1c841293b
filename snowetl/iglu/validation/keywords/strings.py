"""Keywords for text. Patterns are searched."""

from __future__ import annotations

from typing import Any

from snowetl.iglu.validation import patterns
from snowetl.iglu.validation.formats import FORMATS
from snowetl.iglu.validation.keywords.sizes import MaxLength, MinLength
from snowetl.iglu.validation.report import Report, Reports
from snowetl.iglu.validation.schema import Keyword, SchemaNode, State

_TEXT = frozenset((str,))


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
