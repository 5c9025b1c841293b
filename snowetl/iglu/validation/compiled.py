"""A schema made ready: checked once, then asked for every instance."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

from snowetl.iglu.validation import metaschema
from snowetl.iglu.validation.codegen import predicate
from snowetl.iglu.validation.keywords import VOCABULARY
from snowetl.iglu.validation.metaschema import Issue
from snowetl.iglu.validation.report import Report, ValidationCrash
from snowetl.iglu.validation.schema import Document, State

T = TypeVar("T")

_DEEP = 20_000
"""Frames that the deepest JSON and schema the parser lets through may need."""


class Validator:
    """One schema, two renderings: a fast test, and the reports for what does not pass it."""

    __slots__ = ("_document", "predicate")

    def __init__(self, document: Document) -> None:
        self._document = document
        self.predicate = predicate(document)
        """The test itself; as :meth:`fits`, but may raise ``RecursionError``."""

    def fits(self, instance: Any) -> bool:
        """Whether ``instance`` is valid. Raises :class:`ValidationCrash`."""
        try:
            return self.predicate(instance)
        except RecursionError:
            return _deep(lambda: self.predicate(instance))

    def reports(self, instance: Any) -> list[Report]:
        """Everything that is wrong with ``instance``, in the reference's order. Raises :class:`ValidationCrash`."""
        try:
            return list(self._document.root.reports(instance, "$", State()))
        except RecursionError:
            return _deep(lambda: list(self._document.root.reports(instance, "$", State())))


def compile_schema(schema: Any) -> Validator | list[Issue]:
    """Make a parsed schema ready, or say what keeps it from being used (``schemaIssues`` of bad rows)."""
    try:
        return _compile(schema)
    except RecursionError:
        return _deep(lambda: _compile(schema))


def _compile(schema: Any) -> Validator | list[Issue]:
    issues = metaschema.issues(schema)
    if issues:
        return issues
    try:
        document = Document(schema, VOCABULARY)
    except ValidationCrash as fault:
        return [metaschema.issue(str(fault))]
    return Validator(document)


def _deep(work: Callable[[], T]) -> T:
    """Do ``work`` with room for deep recursion; what is still too deep refers to itself without end."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, _DEEP))
    try:
        return work()
    except RecursionError:
        raise ValidationCrash("the schema refers to itself without end") from None
    finally:
        sys.setrecursionlimit(limit)
