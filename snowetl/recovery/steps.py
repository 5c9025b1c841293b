"""What is done to a value: it is replaced, removed, cast, or added to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from snowetl.jvm import jsontext
from snowetl.recovery import paths, patterns
from snowetl.recovery.failure import RecoveryFailure


@dataclass(frozen=True, slots=True)
class Step:
    """One operation at a path of the payload."""

    path: paths.Path
    change: Callable[[Any], Any]

    def apply(self, payload: Any) -> Any:
        """Raises :class:`RecoveryFailure`."""
        return paths.changed(payload, self.path, self.change)


_TYPES: tuple[tuple[type, str], ...] = ((str, "String"), (list, "Array"), (dict, "Object"))


def kind_of(value: Any) -> str:
    """The name of a JSON type, as casts have it."""
    if isinstance(value, bool):
        return "Boolean"
    if isinstance(value, (int, float)):
        return "Numeric"
    return next((name for type_, name in _TYPES if isinstance(value, type_)), "Null")


# --- replace ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Replace:
    """``value`` in the place of the whole, or of what matches the regular expression ``match``."""

    value: Any
    match: str | None = None

    def __call__(self, here: Any) -> Any:
        kind = kind_of(here)
        if kind in ("String", "Null"):
            return self._in_text(here or "")
        if kind == "Array":
            return self._in_array(here)
        if kind == "Object":
            return self._in_object(here)
        if kind_of(self.value) != kind:
            raise self._failure(here)
        return self.value

    def _in_text(self, text: str) -> str:
        value = self.value if isinstance(self.value, str) else jsontext.dumps(self.value)
        return value if self.match is None else patterns.replaced(self.match, value, text)

    def _in_array(self, items: list[Any]) -> list[Any]:
        values = self.value if isinstance(self.value, list) else [self.value]
        if self.match is None:
            return list(values)
        kept = [item for item in items if not patterns.found(self.match, jsontext.dumps(item))]
        return [*kept, *values]

    def _in_object(self, members: dict[str, Any]) -> Any:
        if self.match is None:
            return self.value
        try:
            return jsontext.loads(self._in_text(jsontext.dumps(members)))
        except ValueError:
            raise self._failure(members) from None

    def _failure(self, here: Any) -> RecoveryFailure:
        what = self.match or "full field contents"
        return RecoveryFailure(f"Failed to replace {what} with {jsontext.dumps(self.value)} in {jsontext.dumps(here)}")


# --- cast -------------------------------------------------------------------------------------------------------------


def _number_of(text: str) -> float:
    return float(text)


_CASTS: Mapping[tuple[str, str], Callable[[Any], Any]] = {
    ("Numeric", "Boolean"): lambda number: number != 0,
    ("Boolean", "Numeric"): int,
    ("String", "Numeric"): _number_of,
}


@dataclass(frozen=True, slots=True)
class Cast:
    """A value of one type as one of another."""

    source: str
    target: str

    def __call__(self, here: Any) -> Any:
        kind = kind_of(here)
        try:
            if kind != self.source:
                raise ValueError
            if self.target == "Array" and kind != "Array":
                return [here]
            if self.target == "String":
                return jsontext.dumps(here)
            return _CASTS[kind, self.target](here)
        except (KeyError, ValueError):
            told = f"Failed to cast {jsontext.dumps(here)} from {self.source} to {self.target}"
            raise RecoveryFailure(told) from None


# --- add --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Add:
    """Texts and arrays are appended to, numbers summed, objects merged; ``null`` becomes ``value``. A value of another
    type changes nothing, and makes a boolean false."""

    value: Any

    def __call__(self, here: Any) -> Any:
        kind, value = kind_of(here), self.value
        if kind == "Null":
            return value
        if kind == "Boolean":
            return here and value is True
        if kind_of(value) != kind:
            return here
        return {**here, **value} if kind == "Object" else here + value
