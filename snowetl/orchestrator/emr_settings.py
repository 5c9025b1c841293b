"""Where a run works on Amazon EMR: the settings of the executors ``emr`` and ``emr-serverless``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from snowetl.settings import Document, Duration, Location, Number, Settings, Text, flag, option
from snowetl.steps.settings import EMR


@dataclass(frozen=True)
class Property(Text):
    """``KEY=VALUE``."""

    metavar: str = "KEY=VALUE"

    def parse(self, value: Any) -> str:
        text = super().parse(value)
        if not text.partition("=")[0].strip() or "=" not in text:
            raise ValueError(f"'{text}' is not of the form KEY=VALUE")
        return text


@dataclass(frozen=True, kw_only=True)
class EmrSettings(Settings):
    """A cluster of EMR, or an application of EMR Serverless, and how jobs are done there."""

    emr_package: str | None = option(
        "--emr-package",
        kind=Location("FOLDER"),
        default=None,
        help="The folder on S3 that `snowetl package` wrote: environment.tar.gz, enrich.py, transform.py, load.py.",
        group=EMR,
    )
    emr_cluster: Any = option(
        "--emr-cluster",
        kind=Document("FILE|BASE64"),
        default=None,
        default_help="none",
        help="emr: start a cluster for the run, as this cluster.yml says: release, instances, subnets, roles, ...",
        group=EMR,
    )
    emr_cluster_id: str | None = option(
        "--emr-cluster-id",
        kind=Text("j-…"),
        default=None,
        default_help="none",
        help="emr: use this running cluster, and leave it running.",
        group=EMR,
    )
    emr_keep_cluster: bool = flag(
        "--emr-keep-cluster",
        help="emr: keep the started cluster for the next run; it terminates when it is idle (idle-seconds of "
        "cluster.yml).",
        group=EMR,
    )
    emr_application_id: str | None = option(
        "--emr-application-id",
        kind=Text("ID"),
        default=None,
        default_help="none",
        help="emr-serverless: id of the application.",
        group=EMR,
    )
    emr_job_role: str | None = option(
        "--emr-job-role",
        kind=Text("ARN"),
        default=None,
        default_help="none",
        help="emr-serverless: ARN of the role that the jobs run as.",
        group=EMR,
    )
    emr_attempts: int = option(
        "--emr-attempts",
        kind=Number(minimum=1, maximum=10),
        default=1,
        help="emr-serverless: number of times EMR starts a job that fails, up to 10.",
        group=EMR,
    )
    emr_flex: bool = flag(
        "--emr-flex",
        help="emr-serverless: run executors on spare capacity, which is cheaper and may start later.",
        group=EMR,
    )
    emr_region: str | None = option(
        "--emr-region",
        kind=Text("REGION"),
        default=None,
        default_help="that of cluster.yml, or of the AWS configuration",
        help="Region of the cluster or application.",
        group=EMR,
    )
    emr_log_folder: str | None = option(
        "--emr-log-folder",
        kind=Location("FOLDER"),
        default=None,
        default_help="log-uri of cluster.yml; Serverless: AWS keeps them",
        help="Folder on S3 for the logs of the jobs.",
        group=EMR,
    )
    emr_step_timeout: int = option(
        "--emr-step-timeout",
        kind=Duration(),
        default=12 * 3600,
        help="Stop a step that runs longer than this.",
        group=EMR,
    )
    emr_poll: int = option(
        "--emr-poll",
        kind=Duration(minimum=1),
        default=20,
        help="Interval between two requests for the state of a job, varied by a third. AWS advises 10s or more.",
        group=EMR,
    )
    emr_conf: tuple[str, ...] = option(
        "--emr-conf",
        kind=Property(),
        multiple=True,
        default=(),
        help="A Spark property for all steps (spark.executor.memory=4g). May be given several times.",
        group=EMR,
    )
    emr_tag: tuple[str, ...] = option(
        "--emr-tag",
        kind=Property(),
        multiple=True,
        default=(),
        help="A tag of the cluster or of the jobs. May be given several times.",
        group=EMR,
    )

    @property
    def spark_properties(self) -> dict[str, str]:
        return _pairs(self.emr_conf)

    @property
    def tags(self) -> dict[str, str]:
        return _pairs(self.emr_tag)


def _pairs(texts: tuple[str, ...]) -> dict[str, str]:
    return {key.strip(): value for key, _, value in (text.partition("=") for text in texts)}
