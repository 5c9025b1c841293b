"""A transformed run on storage: what ``shredding_complete.json`` says is in it, and where its files are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from snowetl.errors import UsageError
from snowetl.jvm import jsontext
from snowetl.model.schema import ParseError, SchemaKey
from snowetl.storage import FileInfo, filesystem

MESSAGE = "shredding_complete.json"
_RUN_FOLDER = re.compile(r"run=[^/]+/?$")
_SUPPORTED = re.compile(
    r"iglu:com\.snowplowanalytics\.snowplow\.storage(\.rdbloader)?/shredding_complete/jsonschema/[12]-0-[0-9]+"
)


class ShreddedType(NamedTuple):
    """One kind of entity in a run: its full schema key and the format of its rows, ``TSV`` or ``JSON``."""

    key: SchemaKey
    format: str


class Model(NamedTuple):
    """What one table holds: all versions of a schema's model, in one format."""

    vendor: str
    name: str
    model: int
    format: str

    @property
    def folder(self) -> str:
        """Its folder below ``output=good``."""
        return f"vendor={self.vendor}/name={self.name}/format={self.format.lower()}/model={self.model}/"


ATOMIC = Model("com.snowplowanalytics.snowplow", "atomic", 1, "TSV")


@dataclass(frozen=True, slots=True)
class TransformedRun:
    """One run folder that is complete. ``base`` ends with a slash and is the key of the manifest."""

    base: str
    types: tuple[ShreddedType, ...]
    started: str
    completed: str
    min_collector_tstamp: str | None
    max_collector_tstamp: str | None
    compression: str
    processor: tuple[str, str]
    good: int | None

    @property
    def is_empty(self) -> bool:
        """No event came through: nothing to load, by the loader's own rule."""
        return (
            self.min_collector_tstamp is None and self.max_collector_tstamp is None and not self.types and not self.good
        )

    def models(self) -> list[Model]:
        """Tables of the run's entities, each once, in the order of the types."""
        return list(dict.fromkeys(Model(*t.key[:2], t.key.version.model, t.format) for t in self.types))

    def files(self, model: Model) -> list[FileInfo]:
        """Files of one table; none where all its rows went to the bad ones."""
        folder = f"{self.base}output=good/{model.folder}"
        fs = filesystem(folder)
        return fs.list(folder) if fs.exists(folder) else []

    def bad_files(self) -> list[FileInfo]:
        folder = f"{self.base}output=bad/"
        fs = filesystem(folder)
        return fs.list(folder) if fs.exists(folder) else []


def read_run(url: str) -> TransformedRun:
    """The run whose folder is ``url``.

    Raises :class:`UsageError` where the folder or its message is missing (the transform is not finished), or the
    message cannot be read.
    """
    base = url.rstrip("/") + "/"
    fs = filesystem(base)
    if not fs.exists(base + MESSAGE):
        what = "is not there" if not fs.exists(base) else f"has no {MESSAGE}: its transform has not finished"
        raise UsageError(f"{base} {what}; load a folder that `snowetl transform` completed")
    return parse_message(fs.get(base + MESSAGE).decode("utf-8"), base)


def parse_message(text: str, base: str) -> TransformedRun:
    """Read a ``shredding_complete`` message, 1-0-x or 2-0-x. ``base`` is where it was found, whatever the text says."""
    try:
        message = jsontext.loads(text)
        schema, data = message["schema"], message["data"]
        if not _SUPPORTED.fullmatch(schema):
            raise UsageError(f"{base}{MESSAGE}: {schema} is no shredding_complete message this loader knows")
        types = tuple(_types(data))
        stamps = data["timestamps"]
        return TransformedRun(
            base=base,
            types=types,
            started=stamps["jobStarted"],
            completed=stamps["jobCompleted"],
            min_collector_tstamp=stamps.get("min"),
            max_collector_tstamp=stamps.get("max"),
            compression=data["compression"],
            processor=(data["processor"]["artifact"], data["processor"]["version"]),
            good=(data.get("count") or {}).get("good"),
        )
    except (jsontext.JsonError, KeyError, TypeError, ParseError) as error:
        raise UsageError(
            f"{base}{MESSAGE} cannot be read ({type(error).__name__}: {error}); transform the run again"
        ) from None


def _types(data: dict[str, Any]) -> Iterator[ShreddedType]:
    info = data.get("typesInfo")
    if info is not None and info["transformation"] != "SHREDDED":
        raise UsageError(
            f"the run holds {info['transformation'].lower()} rows; this warehouse loads shredded ones: "
            "transform it with transformation type shred"
        )
    for entry in data["types"] if info is None else info["types"]:
        yield ShreddedType(SchemaKey.parse(entry["schemaKey"]), entry["format"])


def discover(folder: str) -> list[str]:
    """Run folders at or below ``folder`` that are complete, in name order: those a loader can take."""
    base = folder.rstrip("/") + "/"
    fs = filesystem(base)
    if _RUN_FOLDER.search(base) or fs.exists(base + MESSAGE):
        return [base]
    found = fs.list(base + "*/" + MESSAGE)
    return sorted(info.url.removesuffix(MESSAGE) for info in found)
