"""Layouts of transformed rows: how the files of a run become rows of tables. One file each."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from snowetl.load.layouts import shredded, wide_json, wide_parquet
from snowetl.load.plan import Planned, Request
from snowetl.load.run import SHREDDED, WIDE_JSON, WIDE_PARQUET

LAYOUTS: Mapping[str, Callable[[Request], Planned]] = {
    SHREDDED: shredded.plan,
    WIDE_JSON: wide_json.plan,
    WIDE_PARQUET: wide_parquet.plan,
}
"""By what :attr:`TransformedRun.layout` says."""
