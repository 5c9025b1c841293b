"""When a flow is for a bad row, and which matchers are refused."""

from __future__ import annotations

from typing import Any

import pytest

from snowetl.recovery.conditions import matches, problems


@pytest.mark.parametrize(
    ("matcher", "value", "expected"),
    [
        ({"value": 1}, 1.0, True),
        ({"value": 1}, True, False),
        ({"value": False}, 0, False),
        ({"value": {"a": [1, None]}}, {"a": [1, None]}, True),
        ({"value": {"a": [1]}}, {"a": [True]}, False),
        ({"value": {"a": 1}}, {"a": 1, "b": 2}, False),
        ({"value": [1]}, [1, 2], False),
        ({"regex": '^"web"$'}, "web", True),
        ({"regex": "^web$"}, "web", False),
        ({"regex": r'"a":\s*1'}, {"a": 1}, True),
        ({"size": {"eq": 3}}, "😀x", True),
        ({"size": {"gt": 1}}, [1, 2], True),
        ({"size": {"lt": 2}}, [1, 2], False),
        ({"size": {"eq": 3}}, 2.1, True),
        ({"size": {"eq": 1}}, True, False),
        ({"size": {"gt": 0}}, {"a": 1}, False),
        ({"size": {"lt": 1}}, None, False),
    ],
)
def test_matches(matcher: dict[str, Any], value: Any, expected: bool) -> None:
    assert matches(matcher, value) is expected


@pytest.mark.parametrize("matcher", [{"value": None}, {"regex": "a+"}, {"size": {"lt": 2.5}}])
def test_matchers_that_can_be_used(matcher: Any) -> None:
    assert problems(matcher) == ""


@pytest.mark.parametrize(
    ("matcher", "says"),
    [
        (None, "must be"),
        ({}, "must be"),
        ({"value": 1, "regex": "a"}, "must be"),
        ({"like": "a"}, "must be"),
        ({"regex": "(a"}, "is not a regular expression"),
        ({"regex": 1}, "is not a regular expression"),
        ({"size": 3}, "size must be"),
        ({"size": {"eq": 1, "gt": 2}}, "size must be"),
        ({"size": {"ge": 1}}, "size must be"),
        ({"size": {"eq": "1"}}, "size must be"),
    ],
)
def test_matchers_that_are_refused(matcher: Any, says: str) -> None:
    assert says in problems(matcher)
