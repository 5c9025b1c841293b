"""RDB Loader's HOCON files (R35 to 5.x), of the loader and of its transformers, as our settings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from snowetl import documents
from snowetl.errors import ConfigError
from snowetl.interpolation import escape
from snowetl.orchestrator.imports import warehouse
from snowetl.orchestrator.imports.completed import rows_for_warehouse
from snowetl.orchestrator.imports.found import NOTHING_TO_DO, Carried, Found, Left
from snowetl.orchestrator.imports.warehouse import Connection

_UNITS = "ns|nanos?|us|micros?|ms|millis?|s|m|h|d|(?:nano|micro|milli)?seconds?|(?:minute|hour|day|week|month|year)s?"
_TOKEN = re.compile(
    r'"(?:[^"\\]|\\.)*"'
    r"|\$\{\??(?P<variable>[A-Z][A-Z0-9_]*)\}"
    rf"|(?<![\w.-])(?P<duration>\d+[ \t]*(?:{_UNITS}))(?![\w-])"
)
"""A quoted text, in which nothing is replaced; a variable of the environment, named in capitals; a duration."""
_MARK = re.compile(r"\x01([A-Z][A-Z0-9_]*)\x02")
_KINDS = {"redshift": "redshift", "postgres": "postgres"}

_LEFT = {
    "messageQueue": ("a load needs no message: it looks into the folder", "`snowetl run` loads what it transformed"),
    "schedules": ("a load has no hours of its own", "Let the schedule of `snowetl run` leave them out"),
    "retryQueue": ("a load that fails is tried again by the next run", NOTHING_TO_DO),
    "retries": ("failures that pass are tried again three times", NOTHING_TO_DO),
    "readyCheck": ("a warehouse that sleeps is waited for", NOTHING_TO_DO),
    "initRetries": ("a warehouse that sleeps is waited for", NOTHING_TO_DO),
    "timeouts": ("a load has no deadline of its own", "Set the warehouse's (statement_timeout)"),
    "telemetry": ("nothing is sent anywhere", NOTHING_TO_DO),
    "monitoring.snowplow": ("no events about loads are sent to a collector", "`snowetl status` tells"),
    "monitoring.sentry": ("nothing is sent to Sentry", "Watch exit codes; the error says what to do"),
    "monitoring.metrics": ("metrics are in the report of each run", "Read them in _report.json"),
    "monitoring.folders": ("nothing watches the folder of runs", "`snowetl status` names runs that are not loaded"),
    "monitoring.healthCheck": ("no service stays connected", NOTHING_TO_DO),
    "monitoring.webhook": ("a load calls no webhook", "Let what starts it tell when it fails"),
    "jsonpaths": ("entities are loaded as TSV, by the names of their columns", NOTHING_TO_DO),
    "featureFlags.addLoadTstampColumn": ("events always have load_tstamp", NOTHING_TO_DO),
    "featureFlags.sparkCacheEnabled": ("events are read twice, never kept", NOTHING_TO_DO),
    "featureFlags.enableMaxRecordsPerFile": ("files have a good size on their own", NOTHING_TO_DO),
    "featureFlags.disableRecovery": (
        "no version has a recovery table unless you ask for it",
        "Set recovery-tables: true, and disable-recovery to this list",
    ),
    "output.maxRecordsPerFile": ("files have a good size on their own", NOTHING_TO_DO),
    "output.maxBadBufferSize": ("bad rows are streamed", NOTHING_TO_DO),
    "output.bad": ("bad rows are files", "Read them in output=bad/ of each run"),
    "output.region": ("the region is that of the bucket", NOTHING_TO_DO),
    "windowing": ("a transform works in batches", "Schedule `snowetl run`"),
}
"""Keys that nothing here needs, why, and what to do."""

_CARRIED = {
    "input": "input-folder",
    "output.path": "output-folder",
    "formats.default": "default-format",
    "formats.tsv": "tsv",
    "formats.json": "json",
    "formats.skip": "skip",
    "deduplication.natural": "natural",
    "deduplication.synthetic.type": "synthetic",
    "deduplication.synthetic.cardinality": "cardinality",
    "runInterval.sinceTimestamp": "since-timestamp",
    "runInterval.sinceAge": "since-age",
    "runInterval.until": "until",
    "validations.minimumTimestamp": "minimum-timestamp",
    "featureFlags.legacyMessageFormat": "legacy-message-format",
    "featureFlags.truncateAtomicFields": "truncate-atomic-fields",
    "queue.region": "queue-region",
}
"""Keys of a transformer, and what they are called here."""

_COMPRESSION = {"GZIP": "gzip", "NONE": "none"}
_DEFAULTS = {"formats.default": "TSV", "deduplication.natural": True, "deduplication.synthetic.type": "BROADCAST"}


def read(path: str) -> Mapping[str, Any]:
    """The configuration at ``path``, without its envelope. ``${NAME}`` of the environment stays a reference.

    Raises :class:`ConfigError`.
    """
    try:
        text = Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    return parse(text, path)


def parse(text: str, where: str) -> Mapping[str, Any]:
    """As :func:`read`, of a text. Raises :class:`ConfigError`."""
    value = documents.hocon(_TOKEN.sub(_as_text, text), where)
    value = _references(escape(value))
    if isinstance(value, dict) and isinstance(value.get("data"), dict) and "schema" in value:
        value = value["data"]
    if isinstance(value, dict) and isinstance(value.get("snowplow"), dict):
        value = value["snowplow"]
    if not isinstance(value, dict):
        raise ConfigError(f"{where} holds no keys. Give a configuration of RDB Loader or of its transformer")
    return value


def _as_text(match: re.Match[str]) -> str:
    """Variables and durations as quoted texts, so that they reach us as they are written."""
    if match["variable"]:
        return f'"\x01{match["variable"]}\x02"'
    return f'"{match["duration"]}"' if match["duration"] else match[0]


def found(configs: Sequence[tuple[Mapping[str, Any], str]], resolver: str | None = None) -> Found:
    """What configurations of the loader and of its transformers say, each given with the name of its file."""
    settings: dict[str, Carried] = {}
    left: list[Left] = []
    verbs: dict[str, dict[str, Carried]] = {}
    if resolver is not None:
        settings["iglu-config"] = Carried(resolver, "--resolver")
    else:
        left.append(Left("iglu-config", "no resolver was given", "Give it with -r, or write iglu-config yourself"))
    for config, where in configs:
        if isinstance(config.get("storage"), Mapping):
            carried, notes = _warehouse(config, where)
            settings |= carried
            left += notes
        transformer = _transformer(config)
        if transformer:
            verbs["transform"] = dict(_transform(transformer, where, left))
        left += _left(config, where)
    if "output-folder" in verbs.get("transform", {}):
        verbs["load"] = {"input-folder": verbs["transform"]["output-folder"]}
    else:
        left.append(
            Left(
                "load: input-folder",
                "the message of a run told the loader where its folder lies",
                "Write the output.path of the transformer's file there, or give that file, too",
            )
        )
    left += rows_for_warehouse(settings, verbs)
    return Found(" and ".join(where for _, where in configs), settings, verbs, None, tuple(left))


def _transformer(config: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a transformer: a file of its own, or ``shredder`` beside the loader's settings (R35)."""
    inner = config.get("shredder")
    if isinstance(inner, Mapping):
        formats = config.get("formats")
        return {**inner, **({"formats": formats} if formats else {})}
    return dict(config) if "input" in config and "output" in config else {}


def _transform(config: Mapping[str, Any], where: str, left: list[Left]) -> Iterator[tuple[str, Carried]]:
    for path, key in _CARRIED.items():
        value = _inner(config, path)
        if path == "output.path" and value is None and isinstance(config.get("output"), str):
            value = config["output"]
        if value is not None and value != _DEFAULTS.get(path) and value != []:
            yield key, Carried(value, f"{where}: {path}")
    compression = _inner(config, "output.compression")
    if compression is not None and compression != "GZIP":
        value = _COMPRESSION.get(str(compression), compression)
        yield "compression", Carried(value, f"{where}: output.compression")
    if _inner(config, "formats.transformationType") == "widerow":
        layout = f"widerow-{_inner(config, 'formats.fileFormat') or 'json'}"
        yield "transformation", Carried(layout, f"{where}: formats.transformationType")
    queue = _inner(config, "queue.queueName") or _inner(config, "queue.topicArn")
    if queue is not None:
        yield "queue", Carried(queue, f"{where}: queue")
    if _inner(config, "type") in ("stream", "kinesis", "pubsub", "kafka"):
        left.append(
            Left(f"{where}: type", "a streaming transformer reads no files", "Point input-folder at the archive")
        )


def _warehouse(config: Mapping[str, Any], where: str) -> tuple[dict[str, Carried], list[Left]]:
    storage = config["storage"]
    kind = str(storage.get("type", "redshift"))
    if kind not in _KINDS:
        reason = f"{kind} is not a warehouse known here"
        return {}, [
            Left(
                f"{where}: storage", reason, "Transform to wide rows here, and let RDB Loader load them as it does now"
            )
        ]
    method = storage.get("loadAuthMethod")
    lent = method if isinstance(method, Mapping) and method.get("type") == "TempCreds" else {}
    connection = Connection(
        kind=_KINDS[kind],
        where=f"{where}: storage",
        host=storage.get("host"),
        port=storage.get("port"),
        database=storage.get("database"),
        username=storage.get("username"),
        password=storage.get("password"),
        schema=storage.get("schema"),
        ssl=_inner(storage, "jdbc.ssl") is not False,
        role_arn=None if lent else storage.get("roleArn"),
        assume_role_arn=lent.get("roleArn"),
        region=_text(config.get("region")),
        max_error=storage.get("maxError"),
        ssh_tunnel=storage.get("sshTunnel"),
    )
    return warehouse.settings(connection)


def _left(config: Mapping[str, Any], where: str) -> Iterator[Left]:
    known = {"storage", "region", "shredder", "formats", "queue", "input", "name", "id", "type"}
    for path, (why, advice) in _LEFT.items():
        if _inner(config, path) is not None:
            yield Left(f"{where}: {path}", why, advice)
    tops = {path.partition(".")[0] for path in (*_LEFT, *_CARRIED)} | known
    for key in config:
        if key not in tops:
            yield Left(f"{where}: {key}", "it is not known here", "See whether it matters to you")


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _inner(value: Any, path: str) -> Any:
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _references(value: Any) -> Any:
    """Marks of the environment as ``${NAME}``."""
    if isinstance(value, dict):
        return {key: _references(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_references(inner) for inner in value]
    return _MARK.sub(r"${\1}", value) if isinstance(value, str) else value
