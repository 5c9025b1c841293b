"""The settings of each step: enrich, transform, load, explain, ddl and psql.

Groups of settings that several verbs share are classes of their own, which a verb's settings inherit. This module
imports nothing heavy: what the settings stand for (policies, formats, targets) is imported when it is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snowetl import documents
from snowetl.documents import did_you_mean
from snowetl.enrich.compatibility import BY_KIND, CHECK, DEFAULT_ERA, ERAS, ONE_BAD_ROW, SKIP, SWITCHES, Compatibility
from snowetl.errors import ConfigError, UsageError
from snowetl.settings import (
    Document,
    Duration,
    Kind,
    LocalPath,
    Location,
    Number,
    Settings,
    Size,
    Text,
    argument,
    flag,
    option,
)
from snowetl.settings.kinds import ReadDocument, shown

if TYPE_CHECKING:
    from snowetl.dedupe.event_manifest import ManifestConfig
    from snowetl.dedupe.rules import Policy
    from snowetl.enrich.config import EnrichConfig
    from snowetl.jvm.instants import Instant
    from snowetl.load.target import Target
    from snowetl.load.warehouse import Capabilities
    from snowetl.runs.notify import Queue
    from snowetl.transform.discovery import RunInterval
    from snowetl.transform.formats import Formats

IO = "Input and output"
CONFIGURATION = "Configuration"
EVENTS = "Events"
COMPATIBILITY = "Compatibility"
DUPLICATES = "Duplicates"
ROWS = "Rows"
RUNS = "Which runs"
WAREHOUSE = "Warehouse"
WORK = "How the work is done"
EMR = "Amazon EMR"
MESSAGES = "Messages"
GROUPS = (IO, CONFIGURATION, EVENTS, COMPATIBILITY, DUPLICATES, ROWS, RUNS, WAREHOUSE, WORK, EMR, MESSAGES)
"""Groups of options in the order in which help texts and docs list them."""

SMALLEST_SPLIT = 1024
ADAPTER_GROUPS = {"adaptersSchemas": "adapter_schemas", "remoteAdapters": "remote_adapters"}
"""Keys of an ``--adapters`` document, and what ``EnrichConfig.load`` calls them."""

_RUN_ID = "YYYY-MM-DD-HH-mm-ss"


@dataclass(frozen=True)
class Limit(Kind):
    """A number, or a share in percent."""

    metavar: str = "NUMBER|SHARE%"

    def parse(self, value: Any) -> str:
        text = str(value).replace(" ", "")
        try:
            number = float(text.removesuffix("%"))
        except ValueError:
            number = -1.0
        if not 0 <= number < float("inf") or (text.endswith("%") and number > 100):
            raise ValueError(f"{shown(value)} is neither a number nor a share such as 5%")
        return text


# --- groups that verbs share ----------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Speaking(Settings):
    """How much is said of the work, and how. Nothing here changes what comes out."""

    quiet: bool = flag(
        "-q",
        "--quiet",
        help="Say nothing but warnings and errors.",
        group=MESSAGES,
    )
    verbose: bool = flag(
        "-v",
        "--verbose",
        help="Say more: the settings in force, progress every 5 seconds, and where an error comes from.",
        group=MESSAGES,
    )
    log_format: str = option(
        "--log-format",
        choices=("text", "json"),
        default="text",
        help="Messages on standard error as text, or as a JSON document a line.",
        group=MESSAGES,
    )


@dataclass(frozen=True, kw_only=True)
class RawInput(Settings):
    """Where collector logs are."""

    input_folder: tuple[str, ...] = option(
        "-i",
        "--input-folder",
        kind=Location("FOLDER|FILE|GLOB"),
        multiple=True,
        help="Raw logs: local, s3:// or hdfs://. May be given several times.",
        group=IO,
        shapes_output=True,
    )


@dataclass(frozen=True, kw_only=True)
class Registries(Settings):
    """Where schemas come from, and what happens when they do not."""

    iglu_config: Any = option(
        "--iglu-config",
        document=True,
        help="Iglu resolver configuration: a JSON file, or its text in base64.",
        group=CONFIGURATION,
        shapes_output=True,
    )
    on_registry_failure: str = option(
        "--on-registry-failure",
        choices=("fail", "bad-rows"),
        default="fail",
        help="When a schema registry does not answer: fail the job, or make a bad row of each event that needs it.",
        group=CONFIGURATION,
        shapes_output=True,
    )


def _enrichments_described(value: Any, read: ReadDocument) -> Any:
    """The single enrichments, by schema: a container, a folder and a list of the same ones are the same."""
    content = read(value)
    found: list[Any] = []
    for element in content if isinstance(content, list) else [content]:
        data = element.get("data") if isinstance(element, dict) else None
        found += data if isinstance(data, list) else [element]
    return sorted(found, key=lambda each: str(each.get("schema")) if isinstance(each, dict) else "")


@dataclass(frozen=True)
class AtomicLimits(Document):
    """The lengths of an era, by its name, or a document with other lengths."""

    metavar: str = f"{'|'.join(ERAS)}|FILE|BASE64"

    def canonical(self, value: Any, read: ReadDocument) -> Any:
        return value if value in ERAS else read(value)


_OF_ERA = "that of --compatibility"


@dataclass(frozen=True, kw_only=True)
class Compatible(Settings):
    """Which release of the reference data is like: an era, and the switches that differ from it."""

    compatibility: str = option(
        "--compatibility",
        choices=ERAS,
        default=DEFAULT_ERA,
        help="The release of Snowplow Enrich whose data this is like, where later ones changed them.",
        group=COMPATIBILITY,
        shapes_output=True,
    )
    atomic_limits: Any = option(
        "--atomic-limits",
        kind=AtomicLimits(),
        default=None,
        default_help=_OF_ERA,
        help='Maximum lengths of columns: those of an era, or others as JSON: {"page_url": 10000}.',
        group=COMPATIBILITY,
        shapes_output=True,
    )
    webhook_schemas: str | None = option(
        "--webhook-schemas",
        choices=ERAS,
        default=None,
        default_help=_OF_ERA,
        help="Schemas of the events of webhooks, where --adapters names no other.",
        group=COMPATIBILITY,
        shapes_output=True,
    )
    violations: str | None = option(
        "--violations",
        choices=(BY_KIND, ONE_BAD_ROW),
        default=None,
        default_help=_OF_ERA,
        help="Unreadable parameters, invalid entities of enrichments, texts that are too long: enrichment_failures by "
        "kind, or one schema_violations bad row with all else that is invalid.",
        group=COMPATIBILITY,
        shapes_output=True,
    )
    max_json_depth: int | None = option(
        "--max-json-depth",
        kind=Number(minimum=1),
        default=None,
        default_help=_OF_ERA,
        help="Levels that the JSON of an event or of its entities may be nested.",
        group=COMPATIBILITY,
        shapes_output=True,
    )
    iab_unknown_clients: str | None = option(
        "--iab-unknown-clients",
        choices=(CHECK, SKIP),
        default=None,
        default_help=_OF_ERA,
        help="IAB enrichment: whether to judge events without a known IP address or user agent by what they have.",
        group=COMPATIBILITY,
        shapes_output=True,
    )

    @property
    def eras(self) -> Compatibility:
        """The value of every switch: its own, else that of the era."""
        given = {switch.name: getattr(self, switch.name) for switch in SWITCHES}
        if given["atomic_limits"] not in ERAS:
            given["atomic_limits"] = None
        return Compatibility.of(self.compatibility, **given)


@dataclass(frozen=True, kw_only=True)
class Enriching(Registries, Compatible):
    """How a collector record becomes events: everything that shapes them."""

    input_format: str = option(
        "-f",
        "--input-format",
        metavar="FORMAT",
        help="thrift, cloudfront, cloudfront-w3c, cloudfront-realtime, cloudfront-json, clj-tomcat, alb, "
        "tsv/<vendor>/<version> or ndjson/<vendor>/<version>.",
        group=IO,
        shapes_output=True,
    )
    enrichments: Any = option(
        "-e",
        "--enrichments",
        kind=Document("FOLDER|FILE|BASE64"),
        default=None,
        default_help="none",
        help="Enrichment configurations: a folder of JSON files, one file, or base64 of one.",
        group=CONFIGURATION,
        shapes_output=True,
        describe=_enrichments_described,
    )
    local: bool = flag(
        "-l",
        "--local",
        help="Take the files of enrichments from the working folder, where they have fixed names (./ip_geo, ...); "
        "fetch none.",
        group=CONFIGURATION,
        shapes_output=True,
    )
    adapters: Any = option(
        "--adapters",
        document=True,
        default=None,
        default_help="neither",
        help="JSON with adaptersSchemas and remoteAdapters.",
        group=CONFIGURATION,
        shapes_output=True,
    )
    recoveries: Any = option(
        "--recoveries",
        document=True,
        default=None,
        default_help="bad rows are sent again as they are",
        help="Mend bad rows by this configuration of Event Recovery before they are sent again (--input-format "
        "bad-rows).",
        group=CONFIGURATION,
        shapes_output=True,
    )
    etl_timestamp: int | None = option(
        "--etl-timestamp",
        kind=Number("EPOCH_MS"),
        default=None,
        default_help="the time of the run",
        help="etl_tstamp of all events, in milliseconds since 1970.",
        group=EVENTS,
        shapes_output=True,
    )
    accept_invalid: bool = flag(
        "--accept-invalid",
        help="Keep events with invalid contexts added by enrichments, or with values that are too long.",
        group=EVENTS,
        shapes_output=True,
    )
    pii_events: bool = flag(
        "--pii-events",
        help="For each event that was pseudonymised, also write one with its original values (needs emitEvent).",
        group=EVENTS,
        shapes_output=True,
    )
    legacy_enrichment_order: bool = flag(
        "--legacy-enrichment-order",
        help="Run the JavaScript enrichment before currency, weather and IP lookups, as old releases did.",
        group=EVENTS,
        shapes_output=True,
    )
    try_base64: bool = flag(
        "--try-base64",
        help="Try Thrift records that cannot be read as base64 of one.",
        group=EVENTS,
        shapes_output=True,
    )
    max_record_bytes: int | None = option(
        "--max-record-bytes",
        kind=Size(),
        default=None,
        default_help="no limit",
        help="Turn each event or bad row whose line is longer into a size violation.",
        group=EVENTS,
        shapes_output=True,
    )
    max_output_bytes: int = option(
        "--max-output-bytes",
        kind=Size(),
        default=256 << 20,
        help="Largest size of all events of one record together; the events beyond it become one size violation.",
        group=EVENTS,
        shapes_output=True,
    )

    @property
    def wants_failed_events(self) -> bool:
        """Whether what is valid of events that fail is wanted."""
        return False

    def enrich_config(self, etl_tstamp: int | None = None) -> EnrichConfig:
        """The checked configuration of an enricher. Raises ``ConfigError``, ``RegistryUnavailable``."""
        from snowetl.enrich.config import EnrichConfig
        from snowetl.version import __version__

        self._check_format()
        return EnrichConfig.load(
            resolver=self.iglu_config,
            enrichments=self.enrichments,
            input_format=self.input_format,
            etl_tstamp=self.etl_timestamp if etl_tstamp is None else etl_tstamp,
            processor=("snowetl", __version__),
            on_registry_failure=self.on_registry_failure,
            accept_invalid=self.accept_invalid,
            pii_events=self.pii_events,
            failed_events=self.wants_failed_events,
            legacy_enrichment_order=self.legacy_enrichment_order,
            try_base64=self.try_base64,
            recoveries=self.recoveries,
            compatibility=self.eras,
            atomic_limits=None if self.atomic_limits in ERAS else _limits(self.atomic_limits),
            max_record_bytes=self.max_record_bytes,
            max_output_bytes=self.max_output_bytes,
            **adapter_groups(self.adapters),
        )

    def _check_format(self) -> None:
        from snowetl.collector import format_of

        try:
            format_of(self.input_format)
        except ConfigError as error:
            raise ConfigError(f"--input-format: {error}") from None


def _limits(source: Any) -> Mapping[str, int] | None:
    if source is None:
        return None
    document = _object("--atomic-limits", source, "column names and lengths")
    wrong = {name: limit for name, limit in document.items() if not isinstance(limit, int) or limit < 1}
    if wrong:
        name, limit = next(iter(wrong.items()))
        raise ConfigError(f"--atomic-limits: {name} is {shown(limit)}: it must be a whole number, 1 or more")
    return document


def adapter_groups(source: Any) -> dict[str, Any]:
    """``--adapters`` as keywords of ``EnrichConfig.load``. Raises :class:`ConfigError`."""
    if source is None:
        return {}
    document = _object("--adapters", source, " and ".join(ADAPTER_GROUPS))
    unknown = sorted(set(document) - set(ADAPTER_GROUPS))
    if unknown:
        known = " and ".join(ADAPTER_GROUPS)
        hints = "; ".join(f"unknown key '{key}'{did_you_mean(key, ADAPTER_GROUPS)}" for key in unknown)
        raise ConfigError(f"--adapters: {hints}. It holds {known}")
    return {ADAPTER_GROUPS[name]: group for name, group in document.items()}


def _object(name: str, source: Any, content: str) -> dict[str, Any]:
    document = documents.read(source, name).value
    if not isinstance(document, dict):
        raise ConfigError(f"{name}: {shown(source)} is not a JSON object with {content}")
    return document


@dataclass(frozen=True)
class Master(Kind):
    """``none`` for this process, the URL of a Spark master, or what another package adds."""

    metavar: str = "MASTER"

    def parse(self, value: Any) -> str:
        from snowetl.workers.masters import opener_of

        try:
            opener_of(str(value))
        except UsageError as error:
            raise ValueError(str(error)) from None
        return str(value)


@dataclass(frozen=True, kw_only=True)
class Working(Settings):
    """Where and how a job does its work: nothing here changes what comes out."""

    run_id: str | None = option(
        "--run-id",
        kind=Text(_RUN_ID),
        default=None,
        default_help="the time of --etl-timestamp, or now",
        help="Name of the run: a time in UTC.",
        group=RUNS,
    )
    master: str | None = option(
        "--master",
        kind=Master(),
        default=None,
        default_help="what spark-submit or spark-defaults.conf says, else local[*]",
        help="none (this process, without Spark), local[*], any other Spark master, or one that another package adds.",
        group=WORK,
    )
    workers: int = option(
        "--workers",
        kind=Number(minimum=1),
        default=1,
        help="Number of processes, with --master none.",
        group=WORK,
    )
    split_size: int = option(
        "--split-size",
        kind=Size(floor=SMALLEST_SPLIT),
        default=64 << 20,
        help="Input bytes of one task. Input of more than 2,000 such tasks is cut into larger ones, up to 1 GiB.",
        group=WORK,
    )
    dry_run: bool = flag(
        "--dry-run",
        help="Check everything and print what would be done; write nothing.",
        group=WORK,
    )
    check_input: bool = flag(
        "--check-input/--no-check-input",
        default=True,
        help="Refuse input whose first records plainly are something else than it is said to be.",
        group=WORK,
    )
    max_bad: str | None = option(
        "--max-bad",
        kind=Limit(),
        default=None,
        default_help="no limit, and a warning above 50%",
        help="Fail if a run has more bad rows than this: a number, or a share such as 5%.",
        group=WORK,
    )


@dataclass(frozen=True, kw_only=True)
class Deduplicating(Settings):
    """Which events count as duplicates, and what becomes of them."""

    natural: bool = flag(
        "--natural/--no-natural",
        default=True,
        help="Drop an event whose id and fingerprint came before in the batch.",
        group=DUPLICATES,
        shapes_output=True,
    )
    synthetic: str = option(
        "--synthetic",
        choices=("BROADCAST", "JOIN", "NONE"),
        default="BROADCAST",
        help="Give new ids to different events that share one; NONE leaves them.",
        group=DUPLICATES,
        shapes_output=True,
    )
    cardinality: int = option(
        "--cardinality",
        kind=Number(minimum=1),
        default=1,
        help="How often an id may occur before its events get new ones.",
        group=DUPLICATES,
        shapes_output=True,
    )
    duplicate_storage: Any = option(
        "--duplicate-storage",
        kind=Document("FILE|BASE64|URL"),
        default=None,
        default_help="duplicates are looked for within a batch only",
        help="Drop events of earlier batches, too: an amazon_dynamodb_config, or a postgresql:// URL.",
        group=DUPLICATES,
        shapes_output=True,
        secret=True,
    )

    @property
    def deduplication(self) -> Policy:
        """Raises ``ConfigError`` for settings that do not go together."""
        from snowetl.dedupe.rules import Policy

        return Policy.parse(
            self.natural, self.synthetic, self.cardinality, cross_batch=self.duplicate_storage is not None
        )

    @property
    def event_manifest(self) -> ManifestConfig | None:
        """Raises ``ConfigError`` for a storage that cannot be used."""
        from snowetl.dedupe.event_manifest import parse_config

        return None if self.duplicate_storage is None else parse_config(self.duplicate_storage)

    @property
    def deduplicates(self) -> bool:
        return self.natural or self.synthetic != "NONE"


@dataclass(frozen=True, kw_only=True)
class Shaping(Settings):
    """What an event must be, and is cut to, to become rows."""

    minimum_timestamp: str | None = option(
        "--minimum-timestamp",
        kind=Text("TIME"),
        default=None,
        default_help="events of any age are good",
        help="Turn each event older than this (2020-01-01T00:00:00Z) into a bad row.",
        group=ROWS,
        shapes_output=True,
    )
    truncate_atomic_fields: bool = flag(
        "--truncate-atomic-fields",
        help="Cut strings of the atomic columns to the lengths of the atomic schema.",
        group=ROWS,
        shapes_output=True,
    )

    @property
    def oldest(self) -> Instant | None:
        """The instant of ``minimum_timestamp``. Raises ``ConfigError``."""
        from snowetl.jvm import instants

        if self.minimum_timestamp is None:
            return None
        instant = instants.parse(self.minimum_timestamp.removesuffix("Z"))
        if instant is None:
            raise ConfigError(
                f"--minimum-timestamp: '{self.minimum_timestamp}' is not a time such as 2020-01-01T00:00:00Z"
            )
        return instant


@dataclass(frozen=True, kw_only=True)
class Loading(Settings):
    """The warehouse rows are loaded into. It is no part of a run's identity: rows may be loaded elsewhere, too."""

    warehouse: str = option(
        "--warehouse",
        kind=Text("KIND"),
        default="postgres",
        default_help="postgres, or what --database says",
        help="Kind of the warehouse: postgres, redshift, duckdb, delta, iceberg, or one that another package adds.",
        group=WAREHOUSE,
    )
    database: str | None = option(
        "--database",
        kind=Text("URL"),
        default=None,
        default_help="postgres, duckdb: an embedded one, see --data-folder",
        help="Connection URL: postgresql://…, redshift://USER:PASSWORD@HOST:5439/DATABASE, duckdb:///FOLDER/FILE; of a "
        "lake its folder or catalog.",
        group=WAREHOUSE,
        secret=True,
    )
    data_folder: Path = option(
        "--data-folder",
        kind=LocalPath("FOLDER"),
        default=Path("warehouse"),
        help="Where an embedded warehouse keeps its data.",
        group=WAREHOUSE,
    )
    schema: str = option("--schema", default="atomic", help="Database schema of all tables.", group=WAREHOUSE)
    role_arn: str | None = option(
        "--role-arn",
        kind=Text("ARN"),
        default=None,
        help="redshift: role of the cluster that may read the run's files.",
        group=WAREHOUSE,
    )
    assume_role_arn: str | None = option(
        "--assume-role-arn",
        kind=Text("ARN"),
        default=None,
        help="redshift: role whose temporary keys COPY uses instead.",
        group=WAREHOUSE,
    )
    region: str | None = option(
        "--region",
        default=None,
        default_help="that of the AWS configuration",
        help="redshift: region of the bucket.",
        group=WAREHOUSE,
    )
    max_error: int = option(
        "--max-error",
        kind=Number(minimum=0),
        default=10,
        help="redshift: MAXERROR of COPY.",
        group=WAREHOUSE,
    )
    copy_timeout: int | None = option(
        "--copy-timeout",
        kind=Duration(),
        default=None,
        default_help="45m",
        help="redshift: the longest that a COPY may take; 0 for no limit.",
        group=WAREHOUSE,
    )
    statement_timeout: int | None = option(
        "--statement-timeout",
        kind=Duration(),
        default=None,
        default_help="10m",
        help="redshift: the longest that any other statement may take; 0 for no limit.",
        group=WAREHOUSE,
    )
    ssh_tunnel: str | None = option(
        "--ssh-tunnel",
        kind=Text("[USER@]HOST[:PORT]"),
        default=None,
        help="Reach the database of --database by way of this host, with the program ssh and its own configuration.",
        group=WAREHOUSE,
    )

    def __post_init__(self) -> None:
        """An address that tells its kind needs no ``--warehouse``."""
        super().__post_init__()
        if self.database is not None and self.warehouse == type(self).option("warehouse").default:
            from snowetl.load.warehouses import SCHEMES
            from snowetl.storage.base import scheme_of

            object.__setattr__(self, "warehouse", SCHEMES.get(scheme_of(self.database), self.warehouse))

    def _require(self, kind: Capabilities) -> None:
        """Raises ``ConfigError`` unless exactly one of each group of settings that the warehouse needs is given."""
        lacking = []
        for group in kind.required:
            flags = [f"--{name.replace('_', '-')}" for name in group]
            given = [flag for flag, name in zip(flags, group, strict=True) if getattr(self, name)]
            if len(given) > 1:
                raise ConfigError(f"{' and '.join(given)} are two ways to read the same files: give one")
            if not given:
                example = f" {kind.database_example}" if group == ("database",) else ""
                others = f" (or {' or '.join(flags[1:])})" if flags[1:] else ""
                lacking.append(f"{flags[0]}{example}{others}")
        if lacking:
            raise ConfigError(f"--warehouse {self.warehouse} needs {' and '.join(lacking)}")

    @property
    def target(self) -> Target:
        """Raises ``ConfigError`` that names every option the warehouse lacks."""
        from snowetl.load.target import Target
        from snowetl.load.warehouses import warehouse_class

        self._require(warehouse_class(self.warehouse).capabilities)
        return Target(
            warehouse=self.warehouse,
            database=self.database,
            data_folder=self.data_folder,
            schema=self.schema,
            role_arn=self.role_arn,
            assume_role_arn=self.assume_role_arn,
            region=self.region,
            max_error=self.max_error,
            copy_timeout=self.copy_timeout,
            statement_timeout=self.statement_timeout,
            ssh_tunnel=self.ssh_tunnel,
        )


# --- the verbs ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class EnrichSettings(Enriching, Working, RawInput, Speaking):
    """Raw collector logs to enriched events and bad rows.

    ``run_id`` and ``etl_timestamp`` follow from each other where one is not given, from the clock without both.
    """

    output_folder: str = option(
        "-o",
        "--output-folder",
        kind=Location(),
        help="Enriched events go to run=<id>/ below it.",
        group=IO,
    )
    bad_folder: str = option(
        "-b",
        "--bad-folder",
        kind=Location(),
        help="Bad rows go to run=<id>/ below it.",
        group=IO,
        shapes_output=True,
    )
    failed_folder: str | None = option(
        "--failed-folder",
        kind=Location(),
        default=None,
        default_help="none is written",
        help="Failed events go to run=<id>/ below it: beside its bad row, what is valid of an event that failed, and "
        "why it failed, as an enriched event.",
        group=IO,
        shapes_output=True,
    )
    compression: str = option(
        "--compression",
        choices=("gzip", "zstd", "none"),
        default="gzip",
        help="Compression of the output.",
        group=IO,
        shapes_output=True,
    )
    output_format: str = option(
        "--output-format",
        choices=("tsv", "json", "parquet"),
        default="tsv",
        help="Form of the events: enriched lines, which transform reads; flat JSON, a line an event; Parquet. The "
        "latter two are for databases that take them as they are.",
        group=IO,
        shapes_output=True,
    )
    input_list: str | None = option(
        "--input-list",
        kind=Location("FILE"),
        default=None,
        help="Read the files that this list names (inputs.jsonl.gz of a run), instead of all of --input-folder.",
        group=IO,
    )

    @property
    def wants_failed_events(self) -> bool:
        return self.failed_folder is not None


@dataclass(frozen=True, kw_only=True)
class TransformSettings(Registries, Deduplicating, Shaping, Working, Speaking):
    """Enriched runs to rows a warehouse can load.

    ``input_folder`` is one run folder, a folder of them, or a folder of files, which make one run named ``run_id``.
    """

    input_folder: str = option(
        "-i",
        "--input-folder",
        kind=Location(),
        help="Enriched events: a run folder, or a folder of them.",
        group=IO,
        shapes_output=True,
    )
    output_folder: str = option(
        "-o",
        "--output-folder",
        kind=Location(),
        help="Each run goes to a folder of the same name below it.",
        group=IO,
    )
    run_id: str | None = option(
        "--run-id",
        kind=Text(_RUN_ID),
        default=None,
        default_help="now",
        help="Name of the run (a time in UTC), for input that is not in run folders.",
        group=RUNS,
    )
    failed_events: bool = flag(
        "--failed-events",
        help="The input is what `snowetl enrich --failed-folder` wrote: its rows are for tables of their own, "
        "failed_events and failed_<entity>. None of them counts as a duplicate: each has a bad row.",
        group=ROWS,
        shapes_output=True,
    )
    transformation: str = option(
        "--transformation",
        choices=("shred", "widerow-json", "widerow-parquet"),
        default="shred",
        help="Tables for Postgres and Redshift (snowetl run: the rows that its warehouse loads), or wide rows.",
        group=ROWS,
        shapes_output=True,
    )
    target: str = option(
        "--target",
        choices=("postgres", "redshift"),
        default="postgres",
        help="shred: the warehouse the rows are made for; redshift is RDB Loader's layout, which the choice of TSV or "
        "JSON and the legacy message imply.",
        group=ROWS,
        shapes_output=True,
    )
    default_format: str = option(
        "--default-format",
        choices=("TSV", "JSON"),
        default="TSV",
        help="shred: format of the entities that no list names.",
        group=ROWS,
        shapes_output=True,
    )
    tsv: tuple[str, ...] = option(
        "--tsv",
        multiple=True,
        default=(),
        metavar="CRITERION",
        help="shred: schemas written as TSV (with --default-format JSON).",
        group=ROWS,
        shapes_output=True,
    )
    json: tuple[str, ...] = option(
        "--json",
        multiple=True,
        default=(),
        metavar="CRITERION",
        help="shred: schemas written as JSON (with --default-format TSV).",
        group=ROWS,
        shapes_output=True,
    )
    skip: tuple[str, ...] = option(
        "--skip",
        multiple=True,
        default=(),
        metavar="CRITERION",
        help="shred: the same as --json, by RDB Loader's name.",
        group=ROWS,
        shapes_output=True,
    )
    legacy_message_format: bool = flag(
        "--legacy-message-format",
        help="shred: write the message as version 1-0-1.",
        group=ROWS,
        shapes_output=True,
    )
    since_timestamp: str | None = option(
        "--since-timestamp",
        kind=Text(_RUN_ID),
        default=None,
        help="Only runs after this time (UTC).",
        group=RUNS,
    )
    since_age: str | None = option(
        "--since-age",
        kind=Text("DURATION"),
        default=None,
        help="Only runs younger than this, such as '4 days'.",
        group=RUNS,
    )
    until: str | None = option(
        "--until",
        kind=Text(_RUN_ID),
        default=None,
        help="Only runs before this time (UTC).",
        group=RUNS,
    )
    queue: str | None = option(
        "--queue",
        kind=Text("NAME|URL|ARN"),
        default=None,
        help="Announce finished runs there: the name or URL of an SQS queue, or the ARN of an SNS topic.",
        group=IO,
    )
    queue_region: str | None = option(
        "--queue-region",
        kind=Text("REGION"),
        default=None,
        default_help="that of the AWS configuration",
        help="Region of the queue.",
        group=IO,
    )
    compression: str = option(
        "--compression",
        choices=("gzip", "none"),
        default="gzip",
        help="Compression of the output.",
        group=IO,
        shapes_output=True,
    )

    @property
    def deduplication(self) -> Policy:
        from snowetl.dedupe.rules import Policy

        return Policy.parse(False, "NONE", 1, cross_batch=False) if self.failed_events else super().deduplication

    @property
    def deduplicates(self) -> bool:
        return super().deduplicates and not self.failed_events

    @property
    def formats(self) -> Formats:
        """Raises ``ConfigError``."""
        from snowetl.transform.formats import Formats

        return Formats.parse(self.default_format, self.tsv, self.json, self.skip)

    @property
    def rows_for(self) -> str:
        """The warehouse the rows are made for: the choice of TSV or JSON and the legacy message are Redshift's."""
        from snowetl.transform.formats import Formats

        of_redshift = self.legacy_message_format or self.formats != Formats()
        return "redshift" if of_redshift else self.target

    @property
    def interval(self) -> RunInterval:
        """Raises ``ConfigError``."""
        from snowetl.transform.discovery import RunInterval

        return RunInterval.parse(self.since_timestamp, self.since_age, self.until)

    @property
    def announcement(self) -> Queue | None:
        """Who hears of a finished run. Raises ``ConfigError``."""
        from snowetl.runs.notify import Queue

        return None if self.queue is None else Queue(self.queue, self.queue_region)

    @property
    def reads_twice(self) -> bool:
        """Whether the batch is read for its keys or types before it is transformed."""
        return self.deduplicates or self.transformation == "widerow-parquet"


@dataclass(frozen=True, kw_only=True)
class LoadSettings(Loading, Speaking):
    """Transformed runs into a warehouse."""

    input_folder: str | None = option(
        "-i",
        "--input-folder",
        kind=Location(),
        default=None,
        default_help="none; only --retry-rejected and --listen go without",
        help="A transformed run folder, or the folder of all of them.",
        group=IO,
    )
    listen: str | None = option(
        "--listen",
        kind=Text("QUEUE"),
        default=None,
        help="Load runs as this SQS queue (name or URL) tells of them, as `snowetl transform --queue` does, until "
        "SIGTERM. --region is the queue's region, too.",
        group=IO,
    )
    skip_schema: tuple[str, ...] = option(
        "--skip-schema",
        multiple=True,
        default=(),
        metavar="CRITERION",
        help="Leave the table of an entity out (iglu:com.acme/event/jsonschema/1-*-*). May be given several times.",
        group=ROWS,
    )
    retry_rejected: bool = flag(
        "--retry-rejected",
        help="Load the rows that earlier loads put aside, now that the schema or the table is fixed.",
        group=ROWS,
    )
    dry_run: bool = flag(
        "--dry-run",
        help="Check everything and print the statements; change nothing.",
        group=WORK,
    )
    bad_rows: tuple[str, ...] = option(
        "--bad-rows",
        kind=Location("FOLDER|FILE|GLOB"),
        multiple=True,
        default=(),
        help="Bad rows to load, too. May be given several times.",
        group=IO,
    )
    iglu_config: Any = option(
        "--iglu-config",
        document=True,
        help="Iglu resolver configuration: a JSON file, or its text in base64.",
        group=CONFIGURATION,
    )


@dataclass(frozen=True, kw_only=True)
class ExplainSettings(Enriching, Speaking):
    """The way of one record, step by step: every setting that shapes a result counts here as in ``enrich``."""

    record: str = argument(
        "RECORD|FILE[:N[-M]]|-",
        help="A line of a log, a Thrift record in base64, a bad row, the N-th record of a file (the first without N; N "
        "to M; N- to the last), or - for the lines of standard input.",
    )
    json: bool = flag("--json", help="One JSON document for each record: place, note, stages, verdicts.", group=IO)

    failed_events: bool = flag(
        "--failed-events",
        help="Show also what is valid of an event that fails, as `enrich --failed-folder` writes it.",
        group=EVENTS,
    )

    @property
    def wants_failed_events(self) -> bool:
        return self.failed_events


@dataclass(frozen=True, kw_only=True)
class DdlSettings(Speaking):
    """The tables of schemas, their migrations, and what keeps schemas from loading."""

    schemas: tuple[str, ...] = argument(
        "SCHEMA...",
        multiple=True,
        help="A model (iglu:com.acme/event/jsonschema/1), a version of one, a schema file, or a folder of them; with "
        "--external, the folder of runs.",
    )
    iglu_config: Any = option(
        "--iglu-config",
        document=True,
        default=None,
        default_help="the schemas of this package",
        help="Iglu resolver configuration: a JSON file, or its text in base64.",
        group=CONFIGURATION,
    )
    dialect: str = option(
        "--dialect",
        choices=("redshift", "postgres"),
        default="redshift",
        help="Warehouse whose SQL is printed.",
        group=WAREHOUSE,
    )
    schema: str = option("--schema", default="atomic", help="Database schema of the tables.", group=WAREHOUSE)
    start: str | None = option(
        "--from",
        kind=Text("VERSION"),
        default=None,
        help="Print the migration from this version, such as 1-0-0.",
        group=WAREHOUSE,
    )
    external: str | None = option(
        "--external",
        choices=("athena", "glue", "spectrum"),
        default=None,
        help="Print a table over a folder of runs on S3 instead: statements of Athena or Redshift Spectrum, or "
        "requests for Glue's create_table and batch_create_partition.",
        group=WAREHOUSE,
    )
    rows: str = option(
        "--rows",
        choices=("enriched", "bad", "transformed", "transformed-bad"),
        default="enriched",
        help="--external: what lies in the folder: enriched (or failed) events, bad rows of enrich, wide rows of "
        "transform, or its bad rows.",
        group=WAREHOUSE,
    )
    table: str = option(
        "--table", default="events", help="--external: name of the table, in the database --schema.", group=WAREHOUSE
    )
    runs: bool = flag(
        "--runs",
        help="--external: list the folder, and add the runs that are there as partitions (transformed rows: always).",
        group=WAREHOUSE,
    )
    check: bool = flag("--check", help="Print nothing but what is wrong with the schemas.", group=WAREHOUSE)
    level: str = option(
        "--level",
        choices=("info", "warning", "error"),
        default="info",
        help="--check: print issues from this level on.",
        group=WAREHOUSE,
    )


@dataclass(frozen=True, kw_only=True)
class PsqlSettings(Settings):
    """psql on the embedded warehouse."""

    data_folder: Path = option(
        "--data-folder",
        kind=LocalPath("FOLDER"),
        default=Path("warehouse"),
        help="Where the embedded PostgreSQL keeps its data.",
        group=WAREHOUSE,
    )
    serve: bool = flag(
        "--serve",
        help="Open no psql: let programs of this machine (BI tools, JDBC) read on 127.0.0.1 until Ctrl-C.",
        group=WAREHOUSE,
    )
    port: int = option(
        "--port", kind=Number(minimum=1), default=5432, help="With --serve: the port of 127.0.0.1.", group=WAREHOUSE
    )
    reader_password: str | None = option(
        "--reader-password",
        default=None,
        default_help="a new one, which is shown",
        help="With --serve: the password of those who read.",
        group=WAREHOUSE,
        secret=True,
    )
    arguments: tuple[str, ...] = argument(
        "[PSQL OPTIONS]",
        multiple=True,
        default=(),
        help="Options of psql, such as -c 'SELECT count(*) FROM atomic.events'.",
    )
