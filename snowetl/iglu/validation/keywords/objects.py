"""Keywords for objects. Names of instances come in the order of the reference's map, declared ones as in its table."""

from __future__ import annotations

from typing import Any

from snowetl.iglu.validation import patterns
from snowetl.iglu.validation.keywords.sizes import MaxProperties, MinProperties
from snowetl.iglu.validation.report import ENOUGH, Reports, ValidationCrash, hash_map_order
from snowetl.iglu.validation.schema import Keyword, SchemaNode, State
from snowetl.iglu.validation.values import ALL_TYPES, as_text
from snowetl.jvm.map_order import in_map_order

_OBJECT = frozenset((dict,))
_UNDEFINED = "is not defined in the schema and the schema does not allow additional properties"


class Properties(Keyword):
    """Also reports missing required names, at the first declared name that is absent."""

    name = "properties"
    applies = _OBJECT

    def __init__(self, schema: SchemaNode, value: Any) -> None:
        super().__init__(schema, value)
        nodes = in_map_order(value) if isinstance(value, dict) else {}
        self.schemas = {name: schema.child(nodes[name], f"{self.path}/{name}") for name in hash_map_order(nodes)}

    def reports(self, value: Any, at: str, state: State) -> Reports:
        found: Reports = {}
        members = value if value.__class__ is dict else {}
        for name, schema in self.schemas.items():
            if name in members:
                was_complex = state.complex
                state.matched = state.matched or was_complex
                state.complex = False
                found.update(schema.reports(members[name], f"{at}.{name}", state))
                state.complex = was_complex
                state.matched = state.matched or was_complex
            elif self.schema.required is not None:
                missing = self.schema.required.reports(value, at, state)
                if missing and state.complex:
                    state.matched = False
                    return {}
                found.update(missing)
        return found

    def emit(self, code: Any, kind: type) -> None:
        """The members are tested by :class:`_Members`, together with the other keywords about them."""
        _Members(self.schema).emit(code)


class PatternProperties(Keyword):
    name = "patternProperties"
    applies = _OBJECT

    def __init__(self, schema: SchemaNode, value: Any) -> None:
        super().__init__(schema, value)
        if not isinstance(value, dict):
            raise ValidationCrash("patternProperties must be an object node")
        self.schemas = [(patterns.search(name), schema.child(node, name)) for name, node in in_map_order(value).items()]

    def reports(self, value: Any, at: str, state: State) -> Reports:
        found: Reports = {}
        if value.__class__ is dict:
            for name, item in in_map_order(value).items():
                if len(found) >= ENOUGH:
                    break
                for search, schema in self.schemas:
                    if search(name):
                        found.update(schema.reports(item, f"{at}.{name}", state))
        return found

    def emit(self, code: Any, kind: type) -> None:
        if not self.schema.has("properties"):
            _Members(self.schema).emit(code)


class AdditionalProperties(Keyword):
    """Names beginning with ``#`` are never additional."""

    name = "additionalProperties"
    applies = _OBJECT

    def __init__(self, schema: SchemaNode, value: Any) -> None:
        super().__init__(schema, value)
        self.open = value is True or isinstance(value, dict)
        self.rest = schema.child(value, self.name) if isinstance(value, dict) else None
        declared = schema.get("properties")
        self.declared = frozenset(declared if isinstance(declared, dict) else ())
        matched = schema.get("patternProperties")
        self.searches = [patterns.search(name) for name in (matched if isinstance(matched, dict) else ())]

    def reports(self, value: Any, at: str, state: State) -> Reports:
        found: Reports = {}
        if value.__class__ is not dict:
            return found
        for name, item in in_map_order(value).items():
            if len(found) >= ENOUGH:
                break
            if name.startswith("#") or any(search(name) for search in self.searches) or name in self.declared:
                continue
            if not self.open:
                found.update(self.report(f"{at}.{name}: {_UNDEFINED}", at, name))
            elif self.rest is not None:
                found.update(self.rest.reports(item, f"{at}.{name}", state))
        return found

    def emit(self, code: Any, kind: type) -> None:
        if not self.schema.has("properties") and not self.schema.has("patternProperties"):
            _Members(self.schema).emit(code)


class _Members:
    """``properties``, ``patternProperties`` and ``additionalProperties`` in one loop over the instance.

    A table gives for each declared name the plain type its values must have, or the function that tests them.
    """

    def __init__(self, schema: SchemaNode) -> None:
        by_name = {keyword.name: keyword for keyword in schema.keywords}
        properties, matched, more = (
            by_name.get(kind.name) for kind in (Properties, PatternProperties, AdditionalProperties)
        )
        self.declared: dict[str, SchemaNode] = properties.schemas if properties else {}
        self.names = frozenset(self.declared)
        self.matched = matched.schemas if matched else []
        self.rest = more.rest if more else None
        self.open = more.open if more else True

    def emit(self, code: Any) -> None:
        if self.matched:
            self._emit_with_patterns(code)
            return
        anything = self.open and self.rest is None
        if not self.declared and anything:
            return
        if not self.declared:
            code.line("for k, x in v.items():")
            code.indent()
            self._emit_undeclared(code)
            code.dedent()
            return
        if anything and len(self.declared) <= 3:
            for name, schema in self.declared.items():
                key = code.constant(name)
                code.fail_if(f"{key} in v and {code.misfits(schema, f'v[{key}]')}")
            return
        table = self._table(code)
        if self.open or len({code.test(schema) for schema in self.declared.values()}) > 1:
            self._emit_loop(code, table)
            return
        code.line(f"if v.keys() <= {code.constant(self.names)}:")
        code.indent()
        code.fail_if(code.some_misfit(next(iter(self.declared.values())), "v.values()"))
        code.dedent()
        code.line("else:")
        code.indent()
        self._emit_loop(code, table)
        code.dedent()

    def _emit_loop(self, code: Any, table: dict[str, Any]) -> None:
        code.line("for k, x in v.items():")
        code.indent()
        if self.open:
            code.line(f"c = {code.constant(table.get)}(k)")
            code.line("if c is None:")
            code.indent()
            self._emit_undeclared(code)
            code.line("continue")
            code.dedent()
        else:  # undeclared names are rare here, and an exception not raised costs nothing
            code.line(f"try: c = {code.constant(table)}[k]")
            code.line("except KeyError:")
            code.line("    if k[:1] == '#': continue")
            code.line("    return False")
        code.line("if c is not x.__class__ and (c.__class__ is type or not c(x)): return False")
        code.dedent()

    def _emit_undeclared(self, code: Any) -> None:
        if not self.open:
            code.fail_if("k[:1] != '#'")
        elif self.rest is not None:
            code.fail_if(f"k[:1] != '#' and {code.misfits(self.rest, 'x')}")
        else:
            code.line("pass")

    def _table(self, code: Any) -> dict[str, Any]:
        """The table; functions are put in once they are compiled."""
        table: dict[str, Any] = {}
        for name, schema in self.declared.items():
            plain = code.plain_type(schema)
            if plain is not None:
                table[name] = plain
            else:
                code.later(table, name, code.test(schema))
        return table

    def _emit_with_patterns(self, code: Any) -> None:
        code.line("for k, x in v.items():")
        code.indent()
        code.line("c = True")
        if self.declared:
            code.line(f"c = {code.constant(self._table(code).get)}(k)")
            code.line("if c is None: c = True")
            code.line("else:")
            code.line("    if c is not x.__class__ and (c.__class__ is type or not c(x)): return False")
            code.line("    c = False")
        for search, schema in self.matched:
            code.line(f"if {code.constant(search)}(k):")
            code.line(f"    if {code.misfits(schema, 'x')}: return False")
            code.line("    c = False")
        if not (self.open and self.rest is None):
            code.line("if c:")
            code.indent()
            self._emit_undeclared(code)
            code.dedent()
        code.dedent()


class _Names(Keyword):
    """A list of names."""

    applies = _OBJECT

    def __init__(self, schema: SchemaNode, value: Any) -> None:
        super().__init__(schema, value)
        self.names = [as_text(name) for name in value] if isinstance(value, list) else []


class Required(_Names):
    name = "required"

    def reports(self, value: Any, at: str, state: State) -> Reports:
        found: Reports = {}
        if value.__class__ is dict:
            for name in self.names:
                if name not in value:
                    found.update(self.report(f"{at}.{name}: is missing but it is required", at, name))
        return found

    def emit(self, code: Any, kind: type) -> None:
        for name in self.names:
            code.fail_if(f"{code.constant(name)} not in v")


class Dependencies(Keyword):
    """Names that need other names, or a schema for the whole object."""

    name = "dependencies"
    applies = _OBJECT

    def __init__(self, schema: SchemaNode, value: Any) -> None:
        super().__init__(schema, value)
        nodes = in_map_order(value) if isinstance(value, dict) else {}
        self.names = {
            name: [as_text(other) for other in nodes[name]]
            for name in hash_map_order(name for name, node in nodes.items() if isinstance(node, list))
        }
        self.schemas = {
            name: schema.child(node, name) for name, node in nodes.items() if isinstance(node, (dict, bool))
        }
        self.shown = "{" + ", ".join(f"{name}=[{', '.join(others)}]" for name, others in self.names.items()) + "}"

    def reports(self, value: Any, at: str, state: State) -> Reports:
        found: Reports = {}
        if value.__class__ is not dict:
            return found
        for name in in_map_order(value):
            if any(other not in value for other in self.names.get(name, ())):
                found.update(self.report(f"{at}: has an error with dependencies {self.shown}", at, self.shown))
            if name in self.schemas:
                found.update(self.schemas[name].reports(value, at, state))
        return found

    def emit(self, code: Any, kind: type) -> None:
        for name, others in self.names.items():
            if others:
                missing = " or ".join(f"{code.constant(other)} not in v" for other in others)
                code.fail_if(f"{code.constant(name)} in v and ({missing})")
        for name, schema in self.schemas.items():
            code.fail_if(f"{code.constant(name)} in v and {code.misfits(schema, 'v')}")


class NotAllowed(_Names):
    """Vendor extension: names that must not be there."""

    name = "notAllowed"

    def reports(self, value: Any, at: str, state: State) -> Reports:
        found: Reports = {}
        if value.__class__ is dict:
            for name in self.names:
                if name in value:
                    found.update(self.report(f"{at}.{name}: is not allowed but it is in the data", at, name))
        return found

    def emit(self, code: Any, kind: type) -> None:
        for name in self.names:
            code.fail_if(f"{code.constant(name)} in v")


class ReadOnly(Keyword):
    """Vendor extension: a list of names that must equal those of an original, which events never bring along."""

    name = "readOnly"
    applies = ALL_TYPES

    def reports(self, value: Any, at: str, state: State) -> Reports:
        if isinstance(self.value, list) and self.value:
            return self.report(f"{at}: is a readonly field, it cannot be changed", at)
        return {}

    def emit(self, code: Any, kind: type) -> None:
        if isinstance(self.value, list) and self.value:
            code.fail_if("True")


ALL: tuple[type[Keyword], ...] = (
    Properties,
    PatternProperties,
    AdditionalProperties,
    Required,
    MinProperties,
    MaxProperties,
    Dependencies,
    NotAllowed,
    ReadOnly,
)
