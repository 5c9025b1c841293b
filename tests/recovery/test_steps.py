"""What a step does to a value of each JSON type."""

from __future__ import annotations

from typing import Any

import pytest

from snowetl.recovery.failure import RecoveryFailure
from snowetl.recovery.steps import Add, Cast, Replace


@pytest.mark.parametrize(
    ("step", "before", "after"),
    [
        (Replace("new"), "old", "new"),
        (Replace("new"), None, "new"),
        (Replace(7), "old", "7"),
        (Replace("b", match="a+"), "xaay", "xby"),
        (Replace([1]), ["x"], [1]),
        (Replace(1), ["x"], [1]),
        (Replace("new", match="x"), ["x", "y"], ["y", "new"]),
        (Replace({"b": 1}), {"a": 1}, {"b": 1}),
        (Replace('"b"', match='"a"'), {"a": 1}, {"b": 1}),
        (Replace(2), 1, 2),
        (Replace(False), True, False),
        (Cast("Numeric", "Boolean"), 0, False),
        (Cast("Boolean", "Numeric"), True, 1),
        (Cast("String", "Numeric"), "1.5", 1.5),
        (Cast("Numeric", "String"), 15, "15"),
        (Cast("Object", "String"), {"a": 1}, '{"a":1}'),
        (Cast("String", "Array"), "a", ["a"]),
        (Add("b"), "a", "ab"),
        (Add([2]), [1], [1, 2]),
        (Add(2), 1, 3),
        (Add({"b": 2}), {"a": 1}, {"a": 1, "b": 2}),
        (Add("b"), None, "b"),
        (Add(1), "a", "a"),
        (Add(True), True, True),
        (Add(1), True, False),
    ],
)
def test_values_that_are_changed(step: Any, before: Any, after: Any) -> None:
    changed = step(before)
    assert changed == after and type(changed) is type(after)


@pytest.mark.parametrize(
    ("step", "value", "says"),
    [
        (Replace("x"), 1, 'Failed to replace full field contents with "x" in 1'),
        (Replace("{", match='"a"'), {"a": 1}, 'Failed to replace "a" with "{" in {"a":1}'),
        (Cast("String", "Numeric"), "ten", 'Failed to cast "ten" from String to Numeric'),
        (Cast("String", "Numeric"), 10, "Failed to cast 10 from String to Numeric"),
        (Cast("Boolean", "Object"), True, "Failed to cast true from Boolean to Object"),
    ],
)
def test_values_that_cannot_be_changed(step: Any, value: Any, says: str) -> None:
    with pytest.raises(RecoveryFailure) as caught:
        step(value)
    assert says in str(caught.value.args[0])
