"""A transformed run on storage: what its message and report say is in it, and where its files are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

from snowetl.ddl.families import ALL, MERGED
from snowetl.errors import StorageError, UsageError
from snowetl.jvm import jsontext
from snowetl.model.schema import SchemaCriterion, SchemaKey
from snowetl.storage import FileInfo, filesystem

MESSAGE = "shredding_complete.json"
REPORT = "_report.json"
TSV, JSON, POSTGRES = "TSV", "JSON", "POSTGRES"
SHREDDED, WIDE_JSON, WIDE_PARQUET = "shredded", "wide JSON", "wide Parquet"
"""Layouts of rows: what a run holds."""
_RUN_FOLDER = re.compile(r"run=[^/]+/?$")
_RUN_NAME = re.compile(r"(?:^|/)run=([^/]+)(?:/|$)")
_VERSION_FOLDER = re.compile(r"revision=(\d+)/addition=(\d+)/")
_SUPPORTED = re.compile(
    r"iglu:com\.snowplowanalytics\.snowplow\.storage(\.rdbloader)?/shredding_complete/jsonschema/[12]-0-[0-9]+"
)
_LAYOUTS = {("WIDEROW", "JSON"): WIDE_JSON, ("WIDEROW", "PARQUET"): WIDE_PARQUET}
"""By transformation and file format of the message."""


class ShreddedType(NamedTuple):
    """One kind of entity in a run: its full schema key, the format of its rows, and what it is.

    ``entity`` is ``SELF_DESCRIBING_EVENT`` or ``CONTEXT``, where the message says so.
    """

    key: SchemaKey
    format: str
    entity: str | None = None


class Model(NamedTuple):
    """What one table holds: versions of a schema's model, in one format.

    Entities of failed events are ``failed``: they have tables of their own. ``versions`` are all, those that are
    merged, or the one that has a recovery table (:mod:`snowetl.ddl.families`).
    """

    vendor: str
    name: str
    model: int
    format: str
    failed: bool = False
    versions: str = ALL

    def to_json(self) -> str:
        """What ``Model(*json.loads(text))`` reads; as earlier releases wrote it, where these had such a model."""
        return json.dumps(self if self.versions else self[:5] if self.failed else self[:4])

    @property
    def folder(self) -> str:
        """Its folder below the good rows."""
        return f"vendor={self.vendor}/name={self.name}/format={self.format.lower()}/model={self.model}/"

    @property
    def schema(self) -> str:
        """The model, or its one version, as people write it: ``iglu:com.acme/click/jsonschema/1``."""
        shown = self.model if self.versions in (ALL, MERGED) else self.versions
        return f"iglu:{self.vendor}/{self.name}/jsonschema/{shown}"


ATOMIC = Model("com.snowplowanalytics.snowplow", "atomic", 1, TSV)
REJECTED_VALUES = Model("com.snowplowanalytics.snowetl", "rejected_values", 1, TSV)
"""Values that the rows of a run lack because no column holds them. The message of Redshift's rows does not name it."""


class RowColumn(NamedTuple):
    """A column of rows made for their target, and its type there."""

    name: str
    type: str


class RowFolder(NamedTuple):
    """A folder whose rows all have the same columns and go to one table. ``path`` is below the run's folder.

    ``columns`` are named by messages of rows made for their target. ``rows`` and ``parts`` are how many rows and files
    were written, where the message or the report tells. ``version`` (revision, addition) is that of all the rows, as
    RDB Loader 6 files them.
    """

    model: Model
    path: str
    columns: tuple[RowColumn, ...] | None = None
    rows: int | None = None
    parts: int | None = None
    version: tuple[int, int] | None = None
    files: tuple[FileInfo, ...] = ()


class Written(NamedTuple):
    """What a report says was written into one folder."""

    rows: int
    parts: int


@dataclass(frozen=True, slots=True)
class TransformedRun:
    """One run folder that is complete. ``base`` is where it was found and ends with a slash.

    ``identity`` is what its report calls it, the same wherever the folder lies; ``written`` are the report's counts by
    folder. Both are missing for runs of other transformers.
    """

    base: str
    types: tuple[ShreddedType, ...]
    started: str
    completed: str
    min_collector_tstamp: str | None
    max_collector_tstamp: str | None
    compression: str
    processor: tuple[str, str]
    good: int | None
    layout: str = SHREDDED
    name: str | None = None
    """The run id, as its message has it."""
    identity: str | None = None
    written: Mapping[str, Written] = field(default_factory=dict)
    good_folder: str = "output=good/"
    """Below ``base``; empty for the transformers 1.x and 2.x, which wrote straight into the run's folder."""
    tables: tuple[RowFolder, ...] = ()
    """Folders that the message describes itself: those of rows made for their target."""
    failed_events: bool = False

    @property
    def is_empty(self) -> bool:
        """No event came through: nothing to load, by the loader's own rule."""
        return (
            self.min_collector_tstamp is None and self.max_collector_tstamp is None and not self.types and not self.good
        )

    @property
    def load_tstamp(self) -> datetime:
        """The run's own time, UTC without zone: that of its id, else of its transform's start.

        Every event of the run has it, so that a run which is loaded anew gives the same rows.
        """
        with suppress(ValueError):
            return datetime.strptime((self.name or "")[:19], "%Y-%m-%d-%H-%M-%S")
        return datetime.fromisoformat(self.started.removesuffix("Z")).replace(tzinfo=None)

    def models(self) -> list[Model]:
        """Models of the run's entities, each once, in the order of the types."""
        return list(dict.fromkeys(Model(*t.key[:2], t.key.version.model, t.format) for t in self.types))

    def row_folders(self) -> list[RowFolder]:
        """Every folder of rows with its files, ``events`` first. Lists the storage."""
        folders = self._row_folders()
        if not self.failed_events:
            return folders
        return [folder._replace(model=folder.model._replace(failed=True)) for folder in folders]

    def _row_folders(self) -> list[RowFolder]:
        if self.layout != SHREDDED:
            return [self._wide_rows()]
        if self.tables:
            events_first = sorted(self.tables, key=lambda folder: folder.model[:3] != ATOMIC[:3])
            return [
                folder._replace(files=tuple(_files(self.base + folder.path)), parts=self._parts(folder.path))
                for folder in events_first
            ]
        rejected = [folder for folder in self._found(REJECTED_VALUES) if folder.files or folder.rows]
        return [folder for model in (ATOMIC, *self.models()) for folder in self._found(model)] + rejected

    def _wide_rows(self) -> RowFolder:
        """All rows of a run that has one for each event."""
        written = self.written.get(self.good_folder.rstrip("/"))
        rows, parts = (self.good, None) if written is None else written
        files = tuple(_files(self.base + self.good_folder))
        return RowFolder(ATOMIC._replace(format=POSTGRES), self.good_folder, None, rows, parts, None, files)

    def _parts(self, path: str) -> int | None:
        written = self.written.get(path.rstrip("/"))
        return None if written is None else written.parts

    def _found(self, model: Model) -> list[RowFolder]:
        """Folders of a model whose columns the message does not name. RDB Loader 6 keeps one for each version."""
        path = f"{self.good_folder}{model.folder}"
        written = self.written.get(path.rstrip("/"))
        rows = None if written is None else written.rows
        if model == ATOMIC and not self.written:
            rows = self.good
        versions: dict[tuple[int, int] | None, list[FileInfo]] = {}
        for info in _files(self.base + path):
            match = _VERSION_FOLDER.search(info.url.partition(f"/model={model.model}/")[2])
            versions.setdefault(None if match is None else (int(match[1]), int(match[2])), []).append(info)
        for place in self.written:  # also those of which all files are missing
            match = _VERSION_FOLDER.fullmatch(f"{place}/".removeprefix(path))
            if match is not None and place.startswith(path):
                versions.setdefault((int(match[1]), int(match[2])), [])
        if len(versions) <= 1 and None in (versions or {None: []}):
            files = tuple(versions.get(None, ()))
            return [RowFolder(model, path, None, rows, None if written is None else written.parts, None, files)]
        return [
            self._of_version(model, path, version, files, rows if len(versions) == 1 else None)
            for version, files in sorted(versions.items(), key=lambda item: item[0] or (-1, -1))
        ]

    def _of_version(
        self, model: Model, path: str, version: tuple[int, int] | None, files: list[FileInfo], rows: int | None
    ) -> RowFolder:
        place = path if version is None else f"{path}revision={version[0]}/addition={version[1]}/"
        written = self.written.get(place.rstrip("/"))
        if written is not None and version is not None:
            return RowFolder(model, place, None, written.rows, written.parts, version, tuple(files))
        return RowFolder(model, place, version=version, files=tuple(files), rows=rows)


def _files(folder: str) -> list[FileInfo]:
    fs = filesystem(folder)
    return fs.list(folder) if fs.exists(folder) else []


def run_name(url: str) -> str | None:
    """The id in a folder ``…/run=ID/…``."""
    found = _RUN_NAME.findall(url)
    return found[-1] if found else None


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
    return run_of(fs.get(base + MESSAGE).decode("utf-8", "replace"), base)


def run_of(message: str, base: str) -> TransformedRun:
    """The run in the folder ``base`` (with a slash at its end), of which a message tells. Raises ``UsageError``."""
    run = parse_message(message, base)
    report = _report(base)
    written = {
        table["table"].rstrip("/"): Written(int(table["rows"]), int(table["parts"]))
        for table in report.get("tables", ())
    }
    run = replace(run, identity=report.get("runIdentity"), written=written)
    return _with_good_folder(run)


def _report(base: str) -> Mapping[str, Any]:
    """The report of the transform, beside the message; empty where another program transformed the run."""
    fs = filesystem(base)
    if not fs.exists(base + REPORT):
        return {}
    try:
        report = jsontext.loads(fs.get(base + REPORT).decode("utf-8"))
    except ValueError as error:
        raise StorageError(f"{base}{REPORT} cannot be read ({error}); copy the run again") from None
    return report if isinstance(report, dict) and report.get("step") == "transform" else {}


def _with_good_folder(run: TransformedRun) -> TransformedRun:
    fs = filesystem(run.base)
    if not fs.exists(run.base + run.good_folder) and fs.exists(f"{run.base}vendor={ATOMIC.vendor}/name={ATOMIC.name}/"):
        return replace(run, good_folder="")
    return run


def parse_message(text: str, base: str) -> TransformedRun:
    """Read a ``shredding_complete`` message, 1-0-x or 2-0-x. ``base`` is where it was found, whatever the text says."""
    try:
        message = jsontext.loads(text)
        schema, data = message["schema"], message["data"]
        if not _SUPPORTED.fullmatch(schema):
            raise UsageError(
                f"{base}{MESSAGE}: this loader does not know {schema}; it reads shredding_complete 1-0-x, 2-0-x"
            )
        info = data.get("typesInfo") or {"transformation": "SHREDDED", "types": data.get("types")}
        stamps = data["timestamps"]
        run = TransformedRun(
            base=base,
            types=tuple(_types(info)),
            started=stamps["jobStarted"],
            completed=stamps["jobCompleted"],
            min_collector_tstamp=stamps.get("min"),
            max_collector_tstamp=stamps.get("max"),
            compression=data["compression"],
            processor=(data["processor"]["artifact"], data["processor"]["version"]),
            good=(data.get("count") or {}).get("good"),
            tables=tuple(_tables(info)),
            layout=_layout(info),
            name=run_name(str(data.get("base", ""))) or run_name(base),
            failed_events=bool(data.get("failedEvents")),
        )
        for instant in (run.started, run.completed):
            datetime.fromisoformat(instant)
        return run
    except (jsontext.JsonError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise UsageError(
            f"{base}{MESSAGE} cannot be read ({type(error).__name__}: {error}); transform the run again"
        ) from None


def _layout(info: Mapping[str, Any]) -> str:
    """What the message says its rows are. Raises ``KeyError`` for what no release of a transformer writes."""
    transformation = info["transformation"]
    return SHREDDED if transformation == "SHREDDED" else _LAYOUTS[transformation, info["fileFormat"]]


def _types(info: Mapping[str, Any]) -> Iterator[ShreddedType]:
    for entry in info["types"]:
        format_ = entry.get("format") or info.get("fileFormat", TSV)
        yield ShreddedType(SchemaKey.parse(entry["schemaKey"]), format_, entry.get("snowplowEntity"))


def _tables(info: Mapping[str, Any]) -> Iterator[RowFolder]:
    """Folders of rows made for Postgres, which the message describes."""
    for entry in info.get("tables", ()):
        criterion = SchemaCriterion.parse(entry["schemaCriterion"])
        versions = entry.get("versions", ALL)
        model = Model(criterion.vendor, criterion.name, criterion.model or 1, POSTGRES, versions=versions)
        columns = tuple(RowColumn(column["name"], column["type"]) for column in entry["columns"])
        yield RowFolder(model, f"output=good/{entry['folder'].strip('/')}/", columns, int(entry["rows"]))


def discover(folder: str) -> list[str]:
    """Run folders at or below ``folder`` that are complete, in name order: those a loader can take.

    Raises :class:`UsageError` for a folder that is not there.
    """
    base = folder.rstrip("/") + "/"
    fs = filesystem(base)
    if fs.exists(base + MESSAGE) or (_RUN_FOLDER.search(base) and fs.exists(base)):
        return [base]
    if not fs.exists(base):
        raise UsageError(f"{folder} is not there; --input-folder names what `snowetl transform` wrote")
    found = fs.list(base + "*/" + MESSAGE)
    return sorted(info.url.removesuffix(MESSAGE) for info in found)
