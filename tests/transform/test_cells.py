from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowetl.ddl.cells import Unfit
from snowetl.ddl.redshift_cells import cell, writers
from snowetl.jvm import jsontext
from snowetl.transform.cells import cells, extractor, fill, values


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("null", "\\N"), ("true", "1"), ("false", "0"), ("12", "12"), ("1.0", "1.0"), ("1E5", "1E5"), ("-0", "-0"),
        ("100000000000000000000000001", "100000000000000000000000001"), ('"text"', "text"), ('""', ""),
        ('"\\\\N"', "\\\\N"), ('"a\\\\Nb"', "a\\Nb"), ('"a\\tb\\nc\\rd"', "a b c\rd"), ('"a\\u0000b"', "a\x00b"),
        ('["a\\tb",1,null]', '["a\\tb",1,null]'), ('{"b":1,"a":{}}', '{"b":1,"a":{}}'), ('["é/"]', '["é/"]'),
    ],
)  # fmt: skip
def test_one_value(text: str, printed: str) -> None:
    assert cell(jsontext.loads_exact(text)) == printed


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("9999999999999999999999999999999999.99", "9999999999999999999999999999999999.99"),
        ("12345678901234567890123456789012.3400", "12345678901234567890123456789012.3400"),
        ("12345678901234567890123456789012.345", None),
        ("10000000000000000000000000000000000", None),
        ("0.000", "0.000"),
        ("1e2", "100"),
    ],
)
def test_decimals_of_36_digits_are_looked_at_whole(text: str, printed: str | None) -> None:
    write = writers("DECIMAL (36, 2)").any
    if printed is None:
        with pytest.raises(Unfit):
            write(jsontext.loads_exact(text))
    else:
        assert write(jsontext.loads_exact(text)) == printed


def row(paths: list[tuple[str, ...]], data: Any) -> list[str]:
    return [cell(value) for value in values(extractor(paths), data)]


def test_columns_in_their_order_whatever_the_data() -> None:
    assert row([("b",), ("a",)], {"a": 1, "b": "x", "c": 2}) == ["x", "1"]
    assert row([("a",)], {}) == ["\\N"]


def test_paths_through_objects() -> None:
    paths = [("a", "b", "c"), ("a", "d"), ("e",), ("a", "b", "f")]
    assert row(paths, {"a": {"b": {"c": 1, "f": 2}, "d": 3}, "e": 4}) == ["1", "3", "4", "2"]
    assert row(paths, {"a": {"b": "text"}}) == ["\\N"] * 4
    assert row(paths, {"a": [1], "e": None}) == ["\\N"] * 4


@pytest.mark.parametrize("data", [None, 1, "text", [], True])
def test_data_that_is_no_object_has_no_values(data: Any) -> None:
    assert row([("a",), ("b", "c")], data) == ["\\N", "\\N"]


def test_the_root_is_no_column() -> None:
    assert row([(), ("a",)], {"a": 1}) == ["1"]


_PATHS = st.lists(st.lists(st.sampled_from("abc"), max_size=3).map(tuple), max_size=8)
_DATA = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3) | st.lists(inner, max_size=2),
)


@given(_PATHS, _DATA)
def test_cells_are_filled_with_the_values_of_their_columns(paths: list[tuple[str, ...]], data: Any) -> None:
    found = extractor(paths)
    texts = ["\\N"] * len(found.columns)
    for where in cells(paths, [cell] * len(paths)):
        fill(texts, where, data)
    assert texts == [cell(value) for value in values(found, data)]


@given(st.text())
def test_a_cell_stays_one_cell(text: str) -> None:
    printed = cell(text)
    assert "\t" not in printed
    assert "\n" not in printed
    assert printed != "\\N"
