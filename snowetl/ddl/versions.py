"""Order of the versions of a model where no registry gives it (schema-ddl 0.18.2 ``SchemaList``)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from itertools import pairwise

from snowetl.model.schema import SchemaVer


class Order(Enum):
    """What can be said about a set of versions."""

    SINGLE = "single"
    FULL = "full"
    AMBIGUOUS = "ambiguous_order"
    GAP = "gap"


def order(versions: Sequence[SchemaVer]) -> Order:
    """Whether versions of one model have one possible order of publishing, without gaps.

    They have if all are of one revision, or all additions are 0.
    """
    if len(versions) == 1:
        return Order.SINGLE
    revisions = {version.revision for version in versions}
    by_revision = all(version.addition == 0 for version in versions)
    if len(revisions) > 1 and not by_revision:
        return Order.AMBIGUOUS
    steps = sorted(version.addition if len(revisions) == 1 else version.revision for version in versions)
    starts = steps[0] == 0 and (len(revisions) > 1 or revisions == {0})
    return Order.FULL if starts and all(after - before == 1 for before, after in pairwise(steps)) else Order.GAP


def segments(versions: Sequence[SchemaVer]) -> list[list[SchemaVer]]:
    """All runs of two or more successive versions."""
    count = len(versions)
    return [list(versions[start : end + 1]) for start in range(count) for end in range(start + 1, count)]
