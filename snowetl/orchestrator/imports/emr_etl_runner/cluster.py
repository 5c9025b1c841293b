"""The cluster that a configuration describes, and what the old runner added to it on its own."""

from __future__ import annotations

from typing import Any

from snowetl.orchestrator.imports.emr_etl_runner import assets
from snowetl.orchestrator.imports.emr_etl_runner.config import RunnerConfig
from snowetl.orchestrator.imports.emr_etl_runner.steps import is_legacy_ami
from snowetl.orchestrator.imports.found import Cluster, Instances, Script, Volume

THRIFT_CONFIGURATIONS = {
    "core-site": {"io.file.buffer.size": "65536"},
    "mapred-site": {"mapreduce.user.classpath.first": "true"},
}
"""Added for Thrift logs. Python reads these logs here, so no cluster of ours needs it."""

_SCRIPTS = {3: "snowplow-ami3-bootstrap-0.1.0.sh", 4: "snowplow-ami4-bootstrap-0.2.0.sh"}
_NEWEST_SCRIPT = "snowplow-ami5-bootstrap-0.1.0.sh"
_IO1 = "io1"


def cluster(config: RunnerConfig) -> Cluster:
    """The cluster as it is configured: the user's own bootstrap scripts, not those the old runner added."""
    subnet = config["aws.emr.ec2_subnet_id"]
    log = config["aws.s3.buckets.log"]
    return Cluster(
        name=config["aws.emr.jobflow.job_name"] or "Snowplow ETL",
        version=str(config["aws.emr.ami_version"]),
        region=config["aws.emr.region"],
        primary=Instances(config["aws.emr.jobflow.master_instance_type"] or "m4.large"),
        core=_instances(config, "core"),
        task=_instances(config, "task"),
        subnet=subnet,
        zone=None if subnet else config["aws.emr.placement"],
        key_name=config["aws.emr.ec2_key_name"],
        service_role=config["aws.emr.service_role"],
        instance_profile=config["aws.emr.jobflow_role"],
        security_configuration=config["aws.emr.security_configuration"],
        additional_info=config["aws.emr.additional_info"],
        log_uri=log,
        bootstrap=tuple(Script(f"Bootstrap action ({path})", path) for path in config["aws.emr.bootstrap"] or ()),
        configurations=config["aws.emr.configuration"] or {},
        tags={str(key): str(value) for key, value in (config["monitoring.tags"] or {}).items()},
    )


def _instances(config: RunnerConfig, group: str) -> Instances | None:
    """Core or task instances; ``None`` where there are none."""
    type_ = config[f"aws.emr.jobflow.{group}_instance_type"]
    count = config[f"aws.emr.jobflow.{group}_instance_count"]
    if type_ is None or not count:
        return None
    bid = config[f"aws.emr.jobflow.{group}_instance_bid"]
    ebs = config[f"aws.emr.jobflow.{group}_instance_ebs"]
    return Instances(
        type_,
        int(count),
        None if bid is None else str(bid),
        (_volume(ebs),) if ebs else (),
        None if not ebs else ebs.get("ebs_optimized") is not False,
    )


def _volume(ebs: dict[str, Any]) -> Volume:
    iops = ebs.get("volume_iops") if ebs["volume_type"] == _IO1 else None
    return Volume(int(ebs["volume_size"]), ebs["volume_type"], None if iops is None else int(iops))


def bootstrap_script(ami_version: str, region: str, spark_enrich: str | None) -> Script:
    """The script that the old runner ran on each node after those of the user."""
    name = _SCRIPTS.get(int(ami_version.partition(".")[0]), _NEWEST_SCRIPT)
    bucket = assets.hosted_assets(assets.STANDARD_ASSETS, region)
    return Script(
        "Bootstrap action (ami bootstrap script)",
        f"{bucket}common/emr/{name}",
        (assets.commons_codec(spark_enrich),),
    )


def bootstrap(
    own: tuple[Script, ...], collector_format: str | None, ami_version: str, region: str, spark_enrich: str | None
) -> tuple[Script, ...]:
    """All scripts, in the order in which nodes ran them."""
    hadoop: tuple[Script, ...] = ()
    if collector_format == "thrift" and is_legacy_ami(ami_version):
        path = "s3n://elasticmapreduce/bootstrap-actions/configure-hadoop"
        hadoop = (
            Script("Hadoop bootstrap action (buffer size)", path, ("-c", "io.file.buffer.size=65536")),
            Script("Hadoop bootstrap action (user cp first)", path, ("-m", "mapreduce.user.classpath.first=true")),
        )
    return (*own, *hadoop, bootstrap_script(ami_version, region, spark_enrich))
