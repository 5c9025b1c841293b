"""The message that a transformed run is complete (RDB Loader 5.6.3 ``LoaderMessage``)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from snowetl.errors import ConfigError
from snowetl.model.schema import SchemaKey
from snowetl.transform.formats import Formats
from snowetl.transform.rows import SchemaType
from snowetl.transform.transformer import SHRED, WIDE_PARQUET

FILE_NAME = "shredding_complete.json"
_SCHEMA = "iglu:com.snowplowanalytics.snowplow.storage.rdbloader/shredding_complete/jsonschema"
_SEMVER = re.compile(r"(\d+)\.(\d+)\.(\d+)(.*)", re.ASCII)
_PRERELEASE = re.compile(r"-((?:M|rc)\d+)", re.ASCII)


@dataclass(frozen=True)
class Completed:
    """What the message says of a run. Times are ISO instants; ``first`` and ``last`` are collector timestamps."""

    base: str
    types: frozenset[SchemaType]
    started: str
    completed: str
    first: str | None
    last: str | None
    compression: str
    processor: dict[str, str]
    good: int | None
    bad: int | None
    target: str = "redshift"
    tables: Sequence[Mapping[str, Any]] = ()
    """Of rows that are made for their target: each folder with its model, columns and number of rows."""
    failed_events: bool = False


def shredding_complete(run: Completed, transformation: str, formats: Formats, legacy: bool = False) -> dict[str, Any]:
    """The message as JSON. ``legacy`` gives version 1-0-1, which has no wide rows (:class:`ConfigError`).

    Its vendor is not the one under which the schema is published; loaders want it so. A run of failed events says so,
    so that no loader takes them for good ones.
    """
    count = None if run.good is None else {"good": run.good} | ({} if run.bad is None else {"bad": run.bad})
    described: dict[str, Any]
    if legacy:
        if transformation != SHRED:
            raise ConfigError("feature_flags.legacy_message_format: wide rows have no legacy message; switch it off")
        described = {"types": [{"schemaKey": uri, "format": _format(uri, formats)} for uri, _ in _types(run.types)]}
    else:
        described = {"typesInfo": _types_info(run, transformation, formats)}
    data = {
        "base": run.base,
        **described,
        "timestamps": {"jobStarted": run.started, "jobCompleted": run.completed, "min": run.first, "max": run.last},
        "compression": run.compression,
        "processor": run.processor,
        "count": count,
        **({"failedEvents": True} if run.failed_events else {}),
    }
    return {"schema": f"{_SCHEMA}/{'1-0-1' if legacy else '2-0-1'}", "data": data}


def _types_info(run: Completed, transformation: str, formats: Formats) -> dict[str, Any]:
    types = _types(run.types)
    if transformation != SHRED:
        wide = [{"schemaKey": uri, "snowplowEntity": entity} for uri, entity in types]
        return {
            "transformation": "WIDEROW",
            "fileFormat": "PARQUET" if transformation == WIDE_PARQUET else "JSON",
            "types": wide,
        }
    for_target = run.target != "redshift"
    shredded = [
        {
            "schemaKey": uri,
            "format": run.target.upper() if for_target else _format(uri, formats),
            "snowplowEntity": entity,
        }
        for uri, entity in types
    ]
    return {"transformation": "SHREDDED", "types": shredded} | ({"tables": _tables(run.tables)} if for_target else {})


def _tables(tables: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "schemaCriterion": table["schemaCriterion"],
            "folder": table["table"].removeprefix("output=good/"),
            "rows": table["rows"],
            "columns": table["columns"],
            **({"versions": table["versions"]} if table.get("versions") else {}),
        }
        for table in tables
        if "columns" in table
    ]


def _types(types: Iterable[SchemaType]) -> list[tuple[str, str]]:
    """Each schema once for each way it was used, in order of the schemas' versions."""
    distinct = {(type_.uri, type_.entity) for type_ in types}
    return sorted(distinct, key=lambda type_: (SchemaKey.parse(type_[0]), type_[1]))


def _format(uri: str, formats: Formats) -> str:
    return "TSV" if formats.is_tabular(SchemaKey.parse(uri)) else "JSON"


class Semver(NamedTuple):
    """A program's version; ``prerelease`` is ``M1``, ``rc2`` or any other text."""

    major: int
    minor: int
    patch: int
    prerelease: str | None

    @classmethod
    def parse(cls, text: str) -> Semver | None:
        """Read a version; ``None`` if the text is not one."""
        match = _SEMVER.fullmatch(text)
        if match is None:
            return None
        known = _PRERELEASE.fullmatch(match[4])
        return cls(int(match[1]), int(match[2]), int(match[3]), known[1] if known else match[4] or None)
