"""The collector room: one raw record (bytes or a line) -> :class:`CollectorPayload`, one module per input format."""

from __future__ import annotations

from snowetl.collector.formats import FORMATS, format_of, formats, loader_for
from snowetl.collector.loader import Loader, LoaderOptions

__all__ = ["FORMATS", "Loader", "LoaderOptions", "format_of", "formats", "loader_for"]
