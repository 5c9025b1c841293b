"""Layouts of transformed rows: how the files of a run become rows of tables. One file each."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from snowetl.load.layouts import shredded, wide
from snowetl.load.plan import Planned, Request
from snowetl.load.run import SHREDDED, WIDE

LAYOUTS: Mapping[str, Callable[[Request], Planned]] = {SHREDDED: shredded.plan, WIDE: wide.plan}
"""By what :attr:`TransformedRun.layout` says."""
