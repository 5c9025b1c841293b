"""Jayway JsonPath: what paths select, and which are refused."""

from __future__ import annotations

from typing import Any

import pytest

from snowetl.jvm.json_path import PathFault, compile_path

SHOP: Any = {
    "name": "Larkspur Tea",
    "owner": {"name": "Ada", "mail box": "ada@tea.example", "it's": 1},
    "teas": [
        {"name": "Assam", "price": 4, "tags": ["black"]},
        {"name": "Sencha", "price": 9.5, "tags": ["green", "fine"], "old": None},
        {"name": "Rooibos", "price": 3, "tags": []},
    ],
    "hours": [[9, 12], [13, 18]],
}


def names(path: str) -> Any:
    found = compile_path(path).values(SHOP)
    return [one["name"] if isinstance(one, dict) and "name" in one else one for one in found]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$", ["Larkspur Tea"]),
        ("$.name", ["Larkspur Tea"]),
        ("name", ["Larkspur Tea"]),
        ("@.owner.name", ["Ada"]),
        ("$['owner']['mail box']", ["ada@tea.example"]),
        ("$.owner['name', \"mail box\", 'none']", ["Ada", "ada@tea.example"]),
        (r"$.owner['it\'s']", [1]),
        ("$.none.name", []),
        ("$.name.none", []),
        ("$.teas.name", []),
        ("$.teas[0].name", ["Assam"]),
        ("$.teas[-1].name", ["Rooibos"]),
        ("$.teas[7].name", []),
        ("$.teas[0, 2].name", ["Assam", "Rooibos"]),
        ("$.teas[1:].name", ["Sencha", "Rooibos"]),
        ("$.teas[:2].name", ["Assam", "Sencha"]),
        ("$.teas[-2:].name", ["Sencha", "Rooibos"]),
        ("$.teas[:-1].name", ["Assam", "Sencha"]),
        ("$.teas[0:1].name", ["Assam"]),
        ("$.teas[*].name", ["Assam", "Sencha", "Rooibos"]),
        ("$.hours[*][0]", [9, 13]),
        ("$.owner.*", ["Ada", "ada@tea.example", 1]),
        ("$..name", ["Larkspur Tea", "Ada", "Assam", "Sencha", "Rooibos"]),
        ("$..tags[0]", ["black", "green"]),
        ("$..['name']", ["Larkspur Tea", "Ada", "Assam", "Sencha", "Rooibos"]),
        ("$.teas.length()", [3]),
        ("$.name.length()", [None]),
        ("$..['name', 'price'].none", []),
        ("$..['name', 'price']", ["Assam", 4, "Sencha", 9.5, "Rooibos", 3]),
        ("$..[?(@.price)].name", ["Assam", "Sencha", "Rooibos"]),
        ("$..[?(@.owner)].name", ["Larkspur Tea"]),
        ("$.teas[?(@.price < 5)].name", ["Assam", "Rooibos"]),
        ("$.teas[?(@.price >= 4 && @.price != 9.5)].name", ["Assam"]),
        ("$.teas[?(@.name == 'Assam' || @.name == \"Rooibos\")].name", ["Assam", "Rooibos"]),
        ("$.teas[?(@.old)].name", ["Sencha"]),
        ("$.teas[?(!@.old)].name", ["Assam", "Rooibos"]),
        ("$.teas[?(!(@.price < 5))].name", ["Sencha"]),
        ("$.teas[?(@.name in ['Sencha', 'Oolong'])].name", ["Sencha"]),
        ("$.teas[?(@.name nin ['Sencha'])].name", ["Assam", "Rooibos"]),
        ("$.teas[?(@.name nin @.tags)].name", ["Assam", "Sencha", "Rooibos"]),
        ("$.teas[?(@.name in 'Sencha')].name", []),
        ("$.teas[?(!(@.name in 'Sencha'))].name", []),
        ("$.teas[?(@.name contains 'ss')].name", ["Assam"]),
        ("$.teas[?(@.name size 5)].name", ["Assam"]),
        ("$.teas[?(@.name empty false)].name", ["Assam", "Sencha", "Rooibos"]),
        ("$.teas[?(!(@.name empty 1))].name", []),
        # lists of the document are without items for Jayway, and all alike
        ("$.teas[?(@.tags contains 'fine')].name", []),
        ("$.teas[?(@.tags size 1)].name", []),
        ("$.teas[?(@.tags size -1)].name", ["Assam", "Sencha", "Rooibos"]),
        ("$.teas[?(@.tags empty true)].name", ["Assam", "Sencha", "Rooibos"]),
        ("$.teas[?(@.tags anyof ['fine', 'black'])].name", []),
        ("$.teas[?(@.tags noneof ['fine', 'black'])].name", []),
        ("$.teas[?(@.tags == $.owner)].name", ["Assam", "Sencha", "Rooibos"]),
        ("$.teas[?(@.tags == [])].name", []),
        ("$.teas[?(@.name =~ /s.*/i)].name", ["Sencha"]),
        ("$.teas[?(@.price == $.teas[0].price)].name", ["Assam"]),
        ("$.teas[?(@.price == '4.0')].name", ["Assam"]),
        ("$.teas[?(@.price === '4')].name", []),
        ("$.teas[?(@.name == 4)].name", []),
        ("$.teas[?(@.old == null)].name", ["Assam", "Sencha", "Rooibos"]),
        ("$.owner[?(@.name)]", ["Ada"]),
        ("$.owner[?(@.name)].name", ["Ada"]),
        ("$.owner[?(@.none)].name", []),
    ],
)
def test_selection(path: str, found: list[Any]) -> None:
    assert names(path) == found


def test_places_can_be_written_to() -> None:
    document = {"a": [{"b": "x"}, {"b": "y"}]}
    for container, key in compile_path("$.a[*].b").places(document):
        container[key] = "z"  # type: ignore[index]
    assert document == {"a": [{"b": "z"}, {"b": "z"}]}


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        ("$.*", ["teas", "owner", "name", "hours"]),
        ("$.teas[*].tags", ["tags", "tags", "tags"]),
        ("$.hours[*][*]", [1, 1, 0, 0]),
        ("$.owner['name', 'mail box']", ["name", "mail box"]),
        ("$.teas.length()", ["teas"]),
        ("$.teas.max()", []),
    ],
)
def test_places_are_changed_by_key_the_last_first(path: str, keys: list[Any]) -> None:
    """Settled by a run of Jayway 2.7.0, which sorts what it is going to change."""
    assert [key for _, key in compile_path(path).updates(SHOP)] == keys


@pytest.mark.parametrize(
    "path",
    [
        *("$.", "$.a..", "$.a b", "$[", "$['a'", "$['a' 'b']", "$[x]", "$[1:2:3]", "$[:]", "$.a[?(@.b]", "$.a[?@.b]"),
        *("$.a[?(@.b ~ 5)]", "$.a[?(@.b == )]", "$.a[?(@.b == five)]", "$.a[?(@.b =~ /[/)]", "$a.b(c"),
    ],
)
def test_broken_paths_are_refused(path: str) -> None:
    with pytest.raises(PathFault):
        compile_path(path)


def test_deep_documents_do_not_exhaust_the_stack() -> None:
    document: Any = "end"
    for _ in range(5_000):
        document = [document]
    assert compile_path("$..*").values(document)[-1] == "end"
