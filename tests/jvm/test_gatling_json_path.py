"""Gatling's JsonPath: what paths select, and the reference's words for broken ones."""

from __future__ import annotations

from typing import Any

import pytest

from snowetl.jvm.gatling_json_path import PathFault, compile_path

SHOP: Any = {
    "name": "Larkspur Tea",
    "in-stock": True,
    "none": None,
    "teas": [{"name": "Assam", "kg": 4}, {"name": "Sencha", "kg": 2.5, "of": {"name": "Uji"}}, {"name": "Mate"}],
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$", [SHOP]),
        ("$.name", ["Larkspur Tea"]),
        ("$.in-stock", [True]),
        ("$.none", [None]),
        ("$.none.x", []),
        ("$['name','in-stock', 'x']", ["Larkspur Tea", True]),
        ('$["name"]', ["Larkspur Tea"]),
        ("$.teas[-1].name", ["Mate"]),
        ("$.teas[0,2,9].name", ["Assam", "Mate"]),
        ("$.teas[1:].name", ["Sencha", "Mate"]),
        ("$.teas[::-2].name", ["Mate", "Assam"]),
        ("$.teas[*].kg", [4, 2.5]),
        ("$.teas[1].of.*", ["Uji"]),
        ("$.teas[1]..name", ["Sencha", "Uji"]),
        ("$.teas[2]..*", [{"name": "Mate"}, "Mate"]),
        ("$.teas[?(@.of)].name", ["Sencha"]),
        ("$.teas[?(@.kg > 3 || @.name == 'Mate')].name", ["Assam", "Mate"]),
        ("$.name[?(@.x)]", []),
        (" $ . teas [ 0 ] .name ", ["Assam"]),
        ("$.teas[?(@.kg == '4')].name", []),
        ("$.teas[?(@.kg != 4)].name", ["Sencha"]),
        ("$.teas[?(@.kg == @.none)].name", []),
        ("$..[?(@.kg)].name", ["Assam", "Sencha"]),
        ("$..[?(@.teas)].name", ["Larkspur Tea"]),
    ],
)
def test_selection(path: str, found: list[Any]) -> None:
    assert compile_path(path).values(SHOP) == found


def test_deep_names_come_in_the_order_of_the_document() -> None:
    document = {"b": {"a": 1, "c": {"a": 2}}, "a": {"a": 3}, "c": [[{"a": 4}]]}
    assert compile_path("$..a").values(document) == [1, 2, {"a": 3}, 4]


def test_everything_are_members_of_objects_all_of_one_before_those_in_them() -> None:
    document = {"a": [1, [{"b": 2}]], "c": {"d": [3]}}
    assert compile_path("$..*").values(document) == [document, [1, [{"b": 2}]], {"d": [3]}, 2, [3]]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("", "'$' expected but end of source found"),
        ("name", "'$' expected but 'n' found"),
        ("$name", "'[?(' expected but 'n' found"),
        ("$.a()", "'[?(' expected but '(' found"),
        ("$.a[b]", "':' expected but 'b' found"),
        ("$.a..", r"string matching regex '[^\*\.\[\]\(\)=!<>\s]+' expected but end of source found"),
        ("$.a[?(@.b", "')' expected but end of source found"),
        ("$.a[?(@.b =~ /x/)]", "')]' expected but '=' found"),
        ("$['a'", "']' expected but end of source found"),
    ],
)
def test_broken_paths(path: str, message: str) -> None:
    with pytest.raises(PathFault) as fault:
        compile_path(path)
    assert str(fault.value) == message
