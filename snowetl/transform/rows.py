"""What transforming one event gives: rows and where each belongs."""

from __future__ import annotations

from typing import NamedTuple


class ShreddedRow(NamedTuple):
    """One row of one table. ``output`` is ``tsv`` or ``json``; ``row`` has no line end."""

    vendor: str
    name: str
    model: int
    output: str
    row: str

    @property
    def folder(self) -> str:
        """Where rows of this type go below ``output=good``."""
        return f"vendor={self.vendor}/name={self.name}/format={self.output}/model={self.model}"


class SchemaType(NamedTuple):
    """A schema met in an event, and the column it was in: ``unstruct_event``, ``contexts`` or ``derived_contexts``."""

    uri: str
    column: str

    @property
    def entity(self) -> str:
        """``snowplowEntity`` of messages."""
        return "SELF_DESCRIBING_EVENT" if self.column == "unstruct_event" else "CONTEXT"
