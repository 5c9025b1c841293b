"""The settings of ``snowetl load``, and those that tell a warehouse, which other verbs have, too."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snowetl.errors import ConfigError
from snowetl.settings import Duration, LocalPath, Location, Number, Settings, Text, flag, option
from snowetl.steps.settings.common import Speaking
from snowetl.steps.settings.groups import CONFIGURATION, IO, ROWS, WAREHOUSE, WORK

if TYPE_CHECKING:
    from snowetl.load.target import Target
    from snowetl.load.warehouse import Capabilities


@dataclass(frozen=True, kw_only=True)
class Loading(Settings):
    """The warehouse that rows are loaded into. It is not part of a run's identity: a run may be in several."""

    warehouse: str = option(
        "--warehouse",
        kind=Text("KIND"),
        default="postgres",
        default_help="the kind that --database names, else postgres",
        help="Kind of the warehouse: postgres, redshift, snowflake, databricks, duckdb, delta, iceberg, clickhouse, "
        "bigquery, or one that another package adds.",
        group=WAREHOUSE,
    )
    database: str | None = option(
        "--database",
        kind=Text("URL"),
        default=None,
        default_help="postgres, duckdb: an embedded one, see --data-folder",
        help="Connection URL: postgresql://…, redshift://USER:PASSWORD@HOST:5439/DATABASE, snowflake://USER@ACCOUNT/"
        "DATABASE?warehouse=NAME, duckdb:///FOLDER/FILE; of a lake its folder or catalog.",
        group=WAREHOUSE,
        secret=True,
    )
    data_folder: Path = option(
        "--data-folder",
        kind=LocalPath("FOLDER"),
        default=Path("warehouse"),
        help="Folder in which an embedded warehouse keeps its data.",
        group=WAREHOUSE,
    )
    schema: str = option("--schema", default="atomic", help="Database schema of all tables.", group=WAREHOUSE)
    role_arn: str | None = option(
        "--role-arn",
        kind=Text("ARN"),
        default=None,
        help="redshift: ARN of a role of the cluster that may read the run's files.",
        group=WAREHOUSE,
    )
    assume_role_arn: str | None = option(
        "--assume-role-arn",
        kind=Text("ARN"),
        default=None,
        help="redshift, snowflake: ARN of a role whose temporary keys COPY uses instead.",
        group=WAREHOUSE,
    )
    region: str | None = option(
        "--region",
        default=None,
        default_help="that of the AWS configuration",
        help="redshift: AWS region of the bucket.",
        group=WAREHOUSE,
    )
    max_error: int = option(
        "--max-error",
        kind=Number(minimum=0),
        default=10,
        help="redshift: MAXERROR of COPY, the number of faulty rows that a table may have.",
        group=WAREHOUSE,
    )
    copy_timeout: int | None = option(
        "--copy-timeout",
        kind=Duration(),
        default=None,
        default_help="45m",
        help="redshift, snowflake: time limit of a COPY; 0 for none.",
        group=WAREHOUSE,
    )
    statement_timeout: int | None = option(
        "--statement-timeout",
        kind=Duration(),
        default=None,
        default_help="10m",
        help="redshift, snowflake: time limit of any other statement; 0 for none.",
        group=WAREHOUSE,
    )
    ssh_tunnel: str | None = option(
        "--ssh-tunnel",
        kind=Text("[USER@]HOST[:PORT]"),
        default=None,
        help="Reach the server of --database through this host. The ssh program is used, with its own configuration.",
        group=WAREHOUSE,
    )
    partition_by: str | None = option(
        "--partition-by",
        choices=("month",),
        default=None,
        default_help="no partitions",
        help="postgres: create events and the tables of entities with a partition per month of collector_tstamp.",
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
            partition_by=self.partition_by,
        )


@dataclass(frozen=True, kw_only=True)
class LoadSettings(Loading, Speaking):
    """Transformed runs into a warehouse."""

    input_folder: str | None = option(
        "-i",
        "--input-folder",
        kind=Location(),
        default=None,
        default_help="none; only --retry-rejected and --listen go without",
        help="Transformed rows: a run folder, or a folder of them.",
        group=IO,
    )
    listen: str | None = option(
        "--listen",
        kind=Text("QUEUE"),
        default=None,
        help="Load each run that this SQS queue (name or URL) announces, until SIGTERM. `snowetl transform "
        "--queue` announces runs. --region is also the queue's region.",
        group=IO,
    )
    skip_schema: tuple[str, ...] = option(
        "--skip-schema",
        multiple=True,
        default=(),
        metavar="CRITERION",
        help="Do not load the table of this entity (iglu:com.acme/event/jsonschema/1-*-*). May be given several times.",
        group=ROWS,
    )
    retry_rejected: bool = flag(
        "--retry-rejected",
        help="Load the rows that earlier loads put aside, after the schema or the table was fixed.",
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
        help="Folder of bad rows to load as well. May be given several times.",
        group=IO,
    )
    iglu_config: Any = option(
        "--iglu-config",
        document=True,
        help="Iglu resolver configuration: a JSON file, or its text in base64.",
        group=CONFIGURATION,
    )
