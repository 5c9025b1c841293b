"""Forms of transformed events: one file each, and the table of them."""

from __future__ import annotations

from snowetl.transform.layouts.base import SHRED, WIDE_JSON, WIDE_PARQUET, Layout, MakeLayout, Settings
from snowetl.transform.layouts.shredded import Shredded
from snowetl.transform.layouts.wide_json import WideJson
from snowetl.transform.layouts.wide_parquet import WideParquet

LAYOUTS: dict[str, MakeLayout] = {SHRED: Shredded, WIDE_JSON: WideJson, WIDE_PARQUET: WideParquet}
"""Kind of transformation -> what makes its rows."""

__all__ = ["LAYOUTS", "SHRED", "WIDE_JSON", "WIDE_PARQUET", "Layout", "Settings"]
