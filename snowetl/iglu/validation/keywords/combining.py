"""Keywords that combine schemas: ``allOf``, ``anyOf``, ``oneOf``, ``not``, ``$ref``, with the reference's quirks."""

from __future__ import annotations

from types import NoneType
from typing import Any

from snowetl.iglu.validation.keywords.types import Type
from snowetl.iglu.validation.report import CODES, Report, Reports, ValidationCrash, hash_set_order
from snowetl.iglu.validation.schema import Keyword, SchemaNode, State
from snowetl.iglu.validation.values import ALL_TYPES, as_boolean, node_text

_SORTED_FIRST = ("type", "dateTime", "uuid")


class _Branches(Keyword):
    applies = ALL_TYPES

    def __init__(self, schema: SchemaNode, value: Any) -> None:
        super().__init__(schema, value)
        if isinstance(value, dict) and value:
            raise ValidationCrash(f"{self.path}: not an array")
        self.schemas = [schema.child(node, self.name) for node in value] if isinstance(value, list) else []


class AllOf(_Branches):
    name = "allOf"

    def reports(self, value: Any, at: str, state: State) -> Reports:
        found: Reports = {}
        for schema in self.schemas:
            found.update(schema.reports(value, at, state))
        return found

    def emit(self, code: Any, kind: type) -> None:
        for schema in self.schemas:
            code.fail_if(code.misfits(schema, "v"))


class AnyOf(_Branches):
    """A branch whose single ``type`` does not fit says only that."""

    name = "anyOf"

    def reports(self, value: Any, at: str, state: State) -> Reports:
        found: Reports = {}
        for schema in self.schemas:
            expected = self._other_type(schema, value, state)
            if expected is not None:
                found.update(self.report(f"{at}: should be valid to any of the schemas {expected}", at, expected))
                continue
            faults = schema.reports(value, at, state)
            if not faults and state.matched:
                return {}
            found.update(faults)
        return found

    @staticmethod
    def _other_type(schema: SchemaNode, value: Any, state: State) -> str | None:
        """The branch's single type if ``value`` is of another. Outside of ``oneOf`` a nullable parent does not help."""
        keyword = next((keyword for keyword in schema.keywords if isinstance(keyword, Type)), None)
        if keyword is None or keyword.union:
            return None
        fits = keyword.allows_null_itself if value is None and not state.complex else value.__class__ in keyword.types
        return None if fits else keyword.expected

    def emit(self, code: Any, kind: type) -> None:
        if kind is NoneType and as_boolean(self.schema.get("nullable")):
            code.ask_reports(self)
        elif self.schemas:
            code.fail_if(f"not ({' or '.join(code.fits(schema, 'v') for schema in self.schemas)})")


class OneOf(_Branches):
    """With no match, reports of ``required`` and ``additionalProperties`` give way to others, in an order of hashes."""

    name = "oneOf"

    def __init__(self, schema: SchemaNode, value: Any) -> None:
        super().__init__(schema, value)
        for branch in self.schemas:
            reference = branch.get("$ref")
            if isinstance(reference, str) and schema.document.resolve(reference, schema) is None:
                raise ValidationCrash(
                    f"com.networknt.schema.JsonSchemaException: {self.path}: Reference {reference} cannot be resolved"
                )

    def reports(self, value: Any, at: str, state: State) -> Reports:
        state.complex = True
        fitting = 0
        faults: Reports = {}
        for schema in self.schemas:
            state.matched = True
            branch = schema.reports(value, at, state)
            if not branch:
                fitting += state.matched
                if fitting > 1:
                    break
            faults.update(branch)
        state.complex, state.matched = False, True
        if fitting > 1:
            shown = "".join(node_text(schema.node) for schema in self.schemas)
            message = f"{at}: should be valid to one and only one of schema, but more than one are valid: {shown}"
            return self.report(message, at, shown)
        return {} if fitting else dict.fromkeys(_told(faults))

    def emit(self, code: Any, kind: type) -> None:
        if not self._is_plain():
            code.ask_reports(self)
            return
        code.line("n = 0")
        for place, schema in enumerate(self.schemas):
            code.line(f"if {code.fits(schema, 'v')}: n += 1")
            if place:
                code.fail_if("n > 1")
        code.fail_if("n == 0")

    def _is_plain(self) -> bool:
        """No branch can succeed without having matched: that takes an ``anyOf`` or a ``not`` inside it."""
        return not _mentions(self.value, ("anyOf", "not")) and (
            not _mentions(self.value, ("$ref",)) or not _mentions(self.schema.document.node, ("anyOf", "not"))
        )


def _told(faults: Reports) -> list[Report]:
    """The reports of branches of which none matched."""
    others = hash_set_order(report for report in faults if report.keyword != "required")
    told = others or list(faults)
    if len(told) > 1:
        named = [report for report in told if report.keyword != "additionalProperties"]
        told = sorted(named, key=_rank) or told
    return told


def _rank(report: Report) -> tuple[int, str]:
    keyword = report.keyword
    return (_SORTED_FIRST.index(keyword), "") if keyword in _SORTED_FIRST else (len(_SORTED_FIRST), CODES[keyword])


def _mentions(node: Any, names: tuple[str, ...]) -> bool:
    """Whether any object inside ``node`` has one of the keys."""
    pending = [node]
    while pending:
        one = pending.pop()
        if isinstance(one, dict):
            if any(name in one for name in names):
                return True
            pending.extend(one.values())
        elif isinstance(one, list):
            pending.extend(one)
    return False


class Not(Keyword):
    name = "not"
    applies = ALL_TYPES

    def __init__(self, schema: SchemaNode, value: Any) -> None:
        super().__init__(schema, value)
        self.inner = schema.child(value, self.name)

    def reports(self, value: Any, at: str, state: State) -> Reports:
        if self.inner.reports(value, at, state):
            return {}
        shown = f'"not" : {node_text(self.value)}'
        return self.report(f"{at}: should not be valid to the schema {shown}", at, shown)

    def emit(self, code: Any, kind: type) -> None:
        code.fail_if(code.fits(self.inner, "v"))


class Ref(Keyword):
    """Its siblings apply too."""

    name = "$ref"
    applies = ALL_TYPES

    def __init__(self, schema: SchemaNode, value: Any) -> None:
        super().__init__(schema, value)
        target = schema.document.resolve(value, schema) if isinstance(value, str) else None
        if target is None:
            raise ValidationCrash(
                f"com.networknt.schema.JsonSchemaException: {self.path}: Reference {value} cannot be resolved"
            )
        self.target = target

    def reports(self, value: Any, at: str, state: State) -> Reports:
        if not self.schema.document.repeats:
            return self.target.reports(value, at, state)
        asked = id(self.target), id(value), at, state.complex, state.matched
        known = state.known.get(asked)
        if known is None:
            found = self.target.reports(value, at, state)
            known = state.known[asked] = found, state.complex, state.matched
        found, state.complex, state.matched = known
        return found

    def emit(self, code: Any, kind: type) -> None:
        misfits = code.misfits_once if self.schema.document.repeats else code.misfits
        code.fail_if(misfits(self.target, "v"))


ALL: tuple[type[Keyword], ...] = (AllOf, AnyOf, OneOf, Not, Ref)
