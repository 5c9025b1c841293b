"""Writes one Python function per schema that only says whether an instance fits.

Nothing of a schema's text ever becomes code: names, patterns and values are constants the functions refer to by
number, and only machine integers are written out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from snowetl.iglu.validation.report import ValidationCrash
from snowetl.iglu.validation.schema import Document, SchemaNode, State
from snowetl.iglu.validation.values import ALL_TYPES, as_boolean
from snowetl.jvm import jsontext

Test = Callable[[Any], bool]

_SMALL = 2**63


def predicate(document: Document) -> Test:
    """A function that tells whether an instance fits the document. It may raise :class:`ValidationCrash`."""
    code = Code()
    root = code.test(document.root)
    test: Test = code.build()[root]
    if not code.remembered:
        return test
    answers = [one.answers for one in code.remembered.values()]

    def remembering(value: Any) -> bool:
        try:
            return test(value)
        finally:
            for each in answers:
                each.clear()

    return remembering


class Remembered:
    """A test that is made once for each value of an instance, however many references lead from one to the other."""

    __slots__ = ("answers", "table")

    def __init__(self) -> None:
        self.answers: dict[int, bool] = {}
        self.table: dict[str, Test] = {}

    def fits(self, value: Any) -> bool:
        known = self.answers.get(id(value))
        if known is None:
            known = self.answers[id(value)] = self.table["test"](value)
        return known


class Code:
    """The functions written so far, the constants they use, and the lines of the one being written."""

    def __init__(self) -> None:
        self._constants: dict[str, Any] = {}
        self._constant_names: dict[int, str] = {}
        self.functions: list[str] = []
        self._tests: dict[Any, str] = {}
        self._plain: dict[str, type] = {}
        self._lines: list[str] = []
        self._indent = 1
        self._success = "return True"
        self._later: list[tuple[dict[str, Any], str, str]] = []
        self.remembered: dict[str, Remembered] = {}

    # --- for keywords ---------------------------------------------------------------------------------------------

    def line(self, text: str) -> None:
        self._lines.append("    " * self._indent + text)

    def fail_if(self, condition: str) -> None:
        self.line(f"if {condition}: return False")

    def indent(self) -> None:
        self._indent += 1

    def dedent(self) -> None:
        self._indent -= 1

    def constant(self, value: Any) -> str:
        """The name of a constant."""
        name = self._constant_names.get(id(value))
        if name is None or self._constants[name] is not value:
            name = f"k{len(self._constants)}"
            self._constants[name] = value
            self._constant_names[id(value)] = name
        return name

    def later(self, table: dict[str, Any], key: str, function: str) -> None:
        """Put a function that is still to be compiled into a table."""
        self._later.append((table, key, function))

    def number(self, value: int) -> str:
        """An integer, written out if it is small."""
        return str(value) if -_SMALL <= value <= _SMALL else self.constant(value)

    def test(self, schema: SchemaNode) -> str:
        """The name of the function that tests ``schema``."""
        key = _identity(schema)
        name = self._tests.get(key)
        if name is None:
            name = self._tests[key] = f"s{len(self._tests)}"
            self._write(name, schema)
        return name

    def plain_type(self, schema: SchemaNode) -> type | None:
        """The one Python type all of whose values, and no others, fit ``schema``; ``None`` if it is not so simple."""
        return self._plain.get(self.test(schema))

    def fits(self, schema: SchemaNode, value: str) -> str:
        """An expression that is true where the value of the expression ``value`` fits."""
        plain = self.plain_type(schema)
        if plain is not None:
            return f"{value}.__class__ is {plain.__name__}"
        return f"{self.test(schema)}({value})"

    def misfits(self, schema: SchemaNode, value: str) -> str:
        plain = self.plain_type(schema)
        if plain is not None:
            return f"{value}.__class__ is not {plain.__name__}"
        return f"not {self.test(schema)}({value})"

    def some_misfit(self, schema: SchemaNode, values: str) -> str:
        """An expression that is true where one of the values of the iterable ``values`` does not fit. They are looked
        at by a function of their own: that is one call instead of one for each.
        """
        plain = self.plain_type(schema)
        if plain is not None:
            return f"not {self.constant(frozenset((plain,)))}.issuperset(map(type, {values}))"
        key = "every", _identity(schema)
        name = self._tests.get(key)
        if name is None:
            name = self._tests[key] = f"s{len(self._tests)}"
            self._write(name, schema, every=True)
        return f"not {name}({values})"

    def misfits_once(self, schema: SchemaNode, value: str) -> str:
        """As :meth:`misfits`, for a schema that the same value may be tested against again and again."""
        if self.plain_type(schema) is not None:
            return self.misfits(schema, value)
        name = self.test(schema)
        if name not in self.remembered:
            self.remembered[name] = Remembered()
            self.later(self.remembered[name].table, "test", name)
        return f"not {self.constant(self.remembered[name].fits)}({value})"

    def ask_reports(self, keyword: Any) -> None:
        """Let the report builder decide: for the corners where generated code would be as long as that."""

        def silent(value: Any) -> bool:
            return not keyword.reports(value, "$", State())

        self.fail_if(f"not {self.constant(silent)}(v)")

    # --- functions ------------------------------------------------------------------------------------------------

    def _write(self, name: str, schema: SchemaNode, every: bool = False) -> None:
        """Write a function of a value or, with ``every``, of an iterable of them."""
        outer = self._lines, self._indent, self._success
        self._lines, self._indent = [], 1
        try:
            if every:
                self.line("for v in values:")
                self._indent, self._success = 2, "continue"
                self._body(name, schema)
                self._indent = 1
                self.line("return True")
            else:
                self._success = "return True"
                self._body(name, schema)
            self.functions.append("\n".join([f"def {name}({'values' if every else 'v'}):", *self._lines]))
        finally:
            self._lines, self._indent, self._success = outer

    def _body(self, name: str, schema: SchemaNode) -> None:
        try:
            keywords = schema.keywords
        except ValidationCrash as crash:
            self.line(f"raise {self.constant(ValidationCrash)}({self.constant(str(crash))})")
            return
        allowed = ALL_TYPES
        for keyword in keywords:
            if keyword.name == "type":
                allowed = allowed & keyword.types
        blocks = {kind: self._block(keywords, kind) for kind in sorted(allowed, key=lambda kind: kind.__name__)}
        simple = [kind for kind, lines in blocks.items() if not lines]
        if len(simple) == len(ALL_TYPES):
            self.line(self._success)
            return
        if len(blocks) == 1 and simple:
            self._plain[name] = simple[0]
        self.line("t = v.__class__")
        for kind, lines in sorted(blocks.items(), key=lambda block: _RANK.get(block[0].__name__, 9)):
            if lines:
                self.line(f"if t is {kind.__name__}:")
                self._lines += lines
                self.indent()
                self.line(self._success)
                self.dedent()
        if simple:
            self.line(f"if {' or '.join(f't is {kind.__name__}' for kind in simple)}: {self._success}")
        self.line("return False")

    def _block(self, keywords: list[Any], kind: type) -> list[str]:
        outer, self._lines, indent = self._lines, [], self._indent
        self.indent()
        try:
            for keyword in keywords:
                if kind in keyword.applies:
                    keyword.emit(self, kind)
            return self._lines
        finally:
            self._lines, self._indent = outer, indent

    def build(self) -> dict[str, Any]:
        """Compile everything written; the namespace holds the functions by name."""
        from types import NoneType

        from snowetl.jvm.json_number import JsonNumber

        namespace: dict[str, Any] = {**self._constants, "NoneType": NoneType, "JsonNumber": JsonNumber}
        exec(compile("\n".join(self.functions), "<schema>", "exec"), namespace)
        for table, key, function in self._later:
            table[key] = namespace[function]
        return namespace


_RANK = {"dict": 0, "str": 1, "int": 2}


def _identity(schema: SchemaNode) -> Any:
    """Schemas with the same key mean the same: equal text under parents that make no difference."""
    parent = schema.parent
    nullable = parent is not None and as_boolean(parent.get("nullable"))
    refers = parent is not None and parent.has("$ref")
    try:
        text = jsontext.dumps(schema.node)
    except (TypeError, ValueError, RecursionError):
        return id(schema)
    return text, nullable, refers, schema.base_uri
