"""Enriched events as lines of flat JSON, straight from enrich: what the analytics SDKs make of an enriched line."""

from __future__ import annotations

from snowetl.enrich.config import EnrichConfig
from snowetl.iglu.client import IgluClient
from snowetl.model.badrow import BadRow, Origin
from snowetl.runs.parts import Part, PartWriter
from snowetl.transform.rows import WideLine
from snowetl.transform.transformer import WIDE_JSON, Transformer


class FlatJsonWriter:
    """Takes enriched lines, writes wide rows of JSON. One that cannot be read as an event is given back as bad row."""

    def __init__(self, part: PartWriter, config: EnrichConfig) -> None:
        self._part = part
        client = IgluClient(config.resolver, now=config.etl_tstamp)  # not asked: wide JSON needs no schemas
        self._rows = Transformer(WIDE_JSON, client, Origin(*config.processor, config.etl_tstamp)).rows

    def add(self, line: str) -> BadRow | None:
        rows = self._rows(line)
        if isinstance(rows, BadRow):
            return rows
        assert isinstance(rows, WideLine)
        self._part.add(rows.line)
        return None

    def finish(self) -> Part | None:
        return self._part.finish()

    def abort(self) -> None:
        self._part.abort()
