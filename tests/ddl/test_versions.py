"""Order of versions where no registry gives it."""

from __future__ import annotations

import pytest

from snowetl.ddl.versions import Order, order, segments
from snowetl.model.schema import SchemaVer


def parse(*texts: str) -> list[SchemaVer]:
    return [SchemaVer.parse(text) for text in texts]


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        (["1-0-0"], Order.SINGLE), (["1-2-3"], Order.SINGLE), (["1-0-0", "1-0-1"], Order.FULL),
        (["1-0-1", "1-0-0"], Order.FULL), (["1-0-0", "1-1-0"], Order.FULL), (["1-0-0", "1-0-2"], Order.GAP),
        (["1-0-1", "1-0-2"], Order.GAP), (["1-0-0", "1-2-0"], Order.GAP), (["1-1-0", "1-1-1"], Order.GAP),
        (["1-0-0", "1-0-1", "1-1-0"], Order.AMBIGUOUS),
    ],
)  # fmt: skip
def test_order(versions: list[str], expected: Order) -> None:
    assert order(parse(*versions)) is expected


def test_segments_are_runs_of_two_or_more() -> None:
    first, second, third = parse("1-0-0", "1-0-1", "1-0-2")
    assert segments([first, second, third]) == [[first, second], [first, second, third], [second, third]]
    assert segments([first]) == []
