"""One script in QuickJS: compiled once, called per event with JSON, within limits of time, memory and output.

The files of ``javascript/`` are evaluated before the script: ``limits.js`` (built-ins that would outrun the clock),
``event.js`` (the event a script sees) and ``java.js`` (the Java that scripts written for Nashorn use).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import msgspec
import quickjs

from snowetl.jvm import jsontext
from snowetl.model.event import EMPTY
from snowetl.model.fields import FIELDS, INDEX

_FIRST_OWN_LINE = 200_000
"""Our files are evaluated below this line, so that places in error messages tell whose code they are in."""
_STACK_BYTES = 512 * 1024
_PLACE = re.compile(r":(\d+):(\d+)\)?$", re.MULTILINE)
_COLUMNS = [(field.name, "int" if field.type == "txn" else field.type) for field in FIELDS]
_UNMENTIONED = 1
_LONGEST_ERROR = 2_000
_INDEXES = range(len(FIELDS))
_VALUES = (str, float, int, type(None))
_MENTIONS = {"contexts": "ontexts", "unstruct_event": "nstruct_event", "derived_contexts": "erived_contexts"}
"""The part of the name a script must contain, whether it writes ``event.contexts`` or ``event.getContexts()``."""


class Limits(NamedTuple):
    """What one call of a script may take: CPU seconds, bytes of memory (of the whole script), characters of output."""

    seconds: float = 1.0
    memory: int = 64 * 1024 * 1024
    output: int = 10_000_000


class ScriptFault(Exception):
    """A script that cannot be used; ``line`` and ``column`` (from 1) where they are known."""

    def __init__(self, reason: str, line: int | None = None, column: int | None = None) -> None:
        self.line = line
        where = "" if line is None else f"line {line}, column {column}: "
        super().__init__(where + reason)


class Outcome(NamedTuple):
    """What a call left: changes are (column, new text, number or ``None``), ``result`` is JSON text or ``None``."""

    changes: Sequence[tuple[int, str | float | None]] = ()
    erased: bool = False
    dropped: bool = False
    result: str | None = None
    error: str | None = None
    printed: Sequence[str] = ()


_NOTHING = Outcome()


class Script:
    """A script that was compiled. Raises :class:`ScriptFault` for one that does not compile or has no ``process``."""

    def __init__(self, source: str, parameters: str = "{}", limits: Limits = Limits()) -> None:  # noqa: B008
        self._source = source
        self._parameters = parameters
        self._limits = limits
        text = source + parameters
        self._skipped = [INDEX[name] for name, part in _MENTIONS.items() if part not in text]
        self._fresh_start_is_due = False
        self._start()

    def _start(self) -> None:
        """A new engine: nothing the script left behind is in it."""
        context = quickjs.Context()
        context.set_memory_limit(self._limits.memory)
        context.set_max_stack_size(_STACK_BYTES)
        context.set_time_limit(max(self._limits.seconds, 1.0))
        run = context.eval(_prelude())(json.dumps(_COLUMNS), _FIRST_OWN_LINE, self._limits.output)
        try:
            context.eval(f"{self._source}\n;void 0;")  # some values have no Python object: keep none
            process = context.eval("typeof process === 'function' ? process : undefined")
            text = str(context.eval("typeof process === 'function' ? Function.prototype.toString.call(process) : ''"))
        except (quickjs.JSException, ValueError, TypeError, MemoryError) as error:  # ValueError: NUL, a lone surrogate
            raise _fault(error) from None
        if process is None:
            raise ScriptFault("the script has no function process(event)")
        head = text.partition(")")[0]
        if head.lstrip().startswith("async") or "function*" in head:
            raise ScriptFault("process must be a plain function: it is called once per event and nothing waits for it")
        self.takes_headers = (
            head.count(",") > 1 or "=" in head or "..." in head or re.search(r"\barguments\b", self._source) is not None
        )
        parameters = context.parse_json(self._parameters)
        context.set_time_limit(self._limits.seconds)
        self._context, self._run, self._process, self._given = context, run, process, parameters
        self._fresh_start_is_due = False

    def call(self, values: list[str], headers: Sequence[str], *, keep_printed: bool = False) -> Outcome:
        """Run ``process`` on an event: its columns (of ``derived_contexts`` what there is so far), its HTTP headers."""
        cells: list[Any] = values.copy()
        for index in self._skipped:
            if cells[index]:
                cells[index] = _UNMENTIONED
        try:
            if self._fresh_start_is_due:
                self._start()
            told = self._run(
                self._process,
                _json(cells),
                self._given,
                _json(list(headers)) if self.takes_headers else None,
                keep_printed,
            )
        except (quickjs.JSException, ValueError, TypeError, MemoryError) as fault:
            self._fresh_start_is_due = True
            return Outcome(error=self._broken(fault))
        except ScriptFault as fault:  # it compiled before: its own first lines give out
            return Outcome(error=str(fault))
        if told is None:
            return _NOTHING
        try:
            return self._outcome(*jsontext.loads(told))
        except (TypeError, ValueError):
            return Outcome(error="it replaced built-ins of JavaScript that carry its output")

    def _outcome(
        self,
        changes: list[Any],
        erased: bool,
        dropped: bool,
        result: str | None,
        error: str | None,
        where: tuple[int, int] | None,
        printed: list[str] | None,
    ) -> Outcome:
        """What was told, in its types. Raises ``TypeError`` and ``ValueError`` for anything else."""
        if error is not None:
            if "out of memory" in error:
                self._fresh_start_is_due = True
                error = self._out_of_memory
            elif where is not None:
                error = f"{error[:_LONGEST_ERROR]} (line {where[0]}, column {where[1]})"
            else:
                error = error[:_LONGEST_ERROR]
        pairs = list(zip(changes[::2], changes[1::2], strict=True))
        if not all(index in _INDEXES and isinstance(value, _VALUES) for index, value in pairs):
            raise ValueError("no changes")
        if result is not None and not isinstance(result, str):
            raise TypeError("no result")
        return Outcome(pairs, erased is True, dropped is True, result, error, printed or ())

    def _broken(self, error: Exception) -> str:
        """Why the engine stopped the script, from outside of it."""
        text = str(error)
        if "interrupted" in text:
            return f"it ran longer than {self._limits.seconds:g} s"
        if "out of memory" in text or isinstance(error, MemoryError):
            return self._out_of_memory
        return str(_fault(error))

    @property
    def _out_of_memory(self) -> str:
        return f"it needed more than {self._limits.memory // (1024 * 1024)} MiB of memory"


def _hook(value: Any) -> int:
    """Empty text that is not null: the number 0."""
    if value is EMPTY:
        return 0
    raise NotImplementedError(type(value))


_encode = msgspec.json.Encoder(enc_hook=_hook).encode


def _json(cells: list[Any]) -> str:
    try:
        return _encode(cells).decode()
    except UnicodeEncodeError:  # a lone surrogate: escaped, the engine takes it
        return json.dumps([0 if cell is EMPTY else cell for cell in cells])


@cache
def _prelude() -> str:
    """Our files as one function of (columns, first own line, longest output) that returns the function of an event."""
    folder = files(__package__) / "javascript"
    limits, event, java = ((folder / f"{name}.js").read_text("utf-8") for name in ("limits", "event", "java"))
    return (
        "\n" * _FIRST_OWN_LINE
        + "(function (columns, firstOwnLine, longest) {\n"
        + f"{limits}\nconst {{start, BigDecimal}} = {event}\n"
        + "const run = start(JSON.parse(columns), firstOwnLine, longest);\n"
        + f"({java})(BigDecimal);\nreturn run;\n}})"
    )


@cache
def java_classes() -> frozenset[str]:
    """The Java classes scripts may use."""
    context = quickjs.Context()
    context.eval("globalThis.print = function () {};")
    java = (files(__package__) / "javascript" / "java.js").read_text("utf-8")
    return frozenset(json.loads(context.eval(f"JSON.stringify(({java})(function BigDecimal() {{}}))")))


def _fault(error: Exception) -> ScriptFault:
    """An error of the engine, its text without the stack, its place if that is in the script."""
    reason, _, stack = str(error).partition("\n")
    for line, column in _PLACE.findall(stack):
        if int(line) < _FIRST_OWN_LINE:
            return ScriptFault(reason, int(line), int(column))
    return ScriptFault(reason)
