"""Warehouses that shredded rows are made for: one file each, and the table of them."""

from __future__ import annotations

from snowetl.ddl.postgres import POSTGRES
from snowetl.ddl.redshift import REDSHIFT
from snowetl.ddl.tables import Alterations, Column, Dialect, Held, NoTable, Table

DIALECTS: dict[str, Dialect] = {dialect.name: dialect for dialect in (REDSHIFT, POSTGRES)}
"""Name of a warehouse -> its SQL about tables of entities."""

__all__ = ["DIALECTS", "Alterations", "Column", "Dialect", "Held", "NoTable", "Table"]
