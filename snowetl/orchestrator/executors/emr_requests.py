"""Requests to EMR and EMR Serverless as boto3 takes them. Pure: a job and a place in, a request out.

The executors send them, ``--executor dry`` prints them, and ``snowetl export`` hands them to other schedulers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from snowetl.errors import ConfigError
from snowetl.orchestrator.imports.found import Cluster, Instances, Scaling

LONGEST_STEP = 10_240
MOST_STEPS = 256
"""EMR's limits: characters of one step, steps of one cluster."""
RUN_TAG = "snowetl-run"
TOKEN = "spark.snowetl.token"
"""The property by which a job that was sent is found again: steps of EMR have neither tags nor client tokens."""

_PYTHON = "./environment/bin/python"
_MANAGED_POLICIES = {"for-use-with-amazon-emr-managed-policies": "true"}
"""Without this tag, ``AmazonEMRServicePolicy_v2`` lets EMR start nothing."""
_IDLE_SECONDS = 3600
_SPOT_MINUTES = 20
"""So long is waited for spot instances; then on-demand ones are started."""


@dataclass(frozen=True)
class SparkJob:
    """One ``spark-submit``. ``conf`` are properties of Spark, ``archives`` what is unpacked beside the job
    (``s3://…/config.zip#config``)."""

    name: str
    entry_point: str
    arguments: tuple[str, ...] = ()
    conf: Mapping[str, str] = field(default_factory=dict)
    archives: tuple[str, ...] = ()


@dataclass(frozen=True)
class Serverless:
    """An application of EMR Serverless. ``attempts`` is how often EMR itself starts a job that fails."""

    application_id: str
    role_arn: str
    region: str | None = None
    log_uri: str | None = None
    timeout_minutes: int = 720
    attempts: int = 1
    flex: bool = False
    """Executors on spare capacity, at a discount; they may have to be waited for."""
    tags: Mapping[str, str] = field(default_factory=dict)


# --- steps ------------------------------------------------------------------------------------------------------------


def step(job: SparkJob, environment: str, action: str) -> dict[str, Any]:
    """One entry of ``Steps``. Raises :class:`ConfigError` for one that is too long for EMR."""
    arguments = [
        "spark-submit",
        "--deploy-mode",
        "cluster",
        *_conf(_on_yarn(job, environment)),
        job.entry_point,
        *job.arguments,
    ]
    length = sum(map(len, arguments)) + len(job.name)
    if length > LONGEST_STEP:
        raise ConfigError(
            f"the step {job.name} has {length:,} characters, and EMR takes {LONGEST_STEP:,}. Name documents "
            "by their files, and inputs by their folder"
        )
    return {
        "Name": job.name,
        "ActionOnFailure": action,
        "HadoopJarStep": {"Jar": "command-runner.jar", "Args": arguments},
    }


def steps(jobs: Sequence[SparkJob], environment: str, action: str) -> list[dict[str, Any]]:
    """``Steps``. Raises :class:`ConfigError` for more than EMR takes."""
    if len(jobs) > MOST_STEPS:
        raise ConfigError(f"{len(jobs)} steps are more than the {MOST_STEPS} that EMR takes")
    return [step(each, environment, action) for each in jobs]


def add_job_flow_steps(cluster_id: str, steps: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """``emr.add_job_flow_steps``."""
    return {"JobFlowId": cluster_id, "Steps": [dict(each) for each in steps]}


def _on_yarn(job: SparkJob, environment: str) -> dict[str, str]:
    """The properties of a job that brings its Python along."""
    return {
        "spark.archives": ",".join([f"{environment}#environment", *job.archives]),
        "spark.yarn.appMasterEnv.PYSPARK_PYTHON": _PYTHON,
        "spark.executorEnv.PYSPARK_PYTHON": _PYTHON,
        "spark.yarn.maxAppAttempts": "1",
        **job.conf,
    }


def _conf(properties: Mapping[str, str]) -> list[str]:
    return [part for name, value in properties.items() for part in ("--conf", f"{name}={value}")]


# --- clusters ---------------------------------------------------------------------------------------------------------


def run_job_flow(
    cluster: Cluster, steps: Sequence[Mapping[str, Any]], run_id: str, *, stays: bool = False
) -> dict[str, Any]:
    """``emr.run_job_flow``: a cluster with its steps, which ends after them unless it ``stays``.

    The run stands in its tags: there is no client token, so whoever sends it twice can look for the first. A cluster
    that stays ends when it has been idle, whoever forgets it. ``cluster.overrides`` have the last word.
    """
    tags = {**_MANAGED_POLICIES, **cluster.tags, RUN_TAG: run_id}
    request: dict[str, Any] = {
        "Name": f"{cluster.name} {run_id}",
        "Instances": _instances(cluster, stays),
        "Applications": [{"Name": name} for name in cluster.applications],
        "VisibleToAllUsers": True,
        "Steps": [dict(each) for each in steps],
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        "AutoTerminationPolicy": {"IdleTimeout": cluster.idle_seconds or _IDLE_SECONDS},
    }
    optional: dict[str, Any] = {
        "ReleaseLabel": cluster.release_label,
        "AmiVersion": cluster.ami_version,
        "LogUri": cluster.log_uri,
        "ServiceRole": cluster.service_role,
        "JobFlowRole": cluster.instance_profile,
        "SecurityConfiguration": cluster.security_configuration,
        "AdditionalInfo": cluster.additional_info,
        "ManagedScalingPolicy": _scaling(cluster.scaling, _has_fleets(cluster)),
        "BootstrapActions": [
            {"Name": each.name, "ScriptBootstrapAction": {"Path": each.path, "Args": list(each.arguments)}}
            for each in cluster.bootstrap
        ],
        "Configurations": [
            {"Classification": name, "Properties": dict(properties)}
            for name, properties in cluster.configurations.items()
        ],
    }
    merged: dict[str, Any] = _merged(
        request | {name: value for name, value in optional.items() if value}, cluster.overrides
    )
    return merged


def _merged(base: Any, over: Any) -> Any:
    """``base`` with what ``over`` says: keys of objects one by one, anything else as a whole."""
    if not isinstance(base, dict) or not isinstance(over, Mapping):
        return over
    return {**base, **{key: _merged(base[key], value) if key in base else value for key, value in over.items()}}


def _instances(cluster: Cluster, stays: bool) -> dict[str, Any]:
    groups = [("Primary", "MASTER", cluster.primary), ("Core", "CORE", cluster.core), ("Task", "TASK", cluster.task)]
    given = [(name, role, group) for name, role, group in groups if group is not None]
    found: dict[str, Any] = {"KeepJobFlowAliveWhenNoSteps": stays, "TerminationProtected": False}
    if _has_fleets(cluster):
        found["InstanceFleets"] = [_fleet(name, role, group) for name, role, group in given]
    else:
        found["InstanceGroups"] = [_group(name, role, group) for name, role, group in given]
    if cluster.subnet:
        found["Ec2SubnetIds"] = [cluster.subnet, *cluster.more_subnets]
    elif cluster.zone:
        found["Placement"] = {"AvailabilityZone": cluster.zone}
    if cluster.key_name:
        found["Ec2KeyName"] = cluster.key_name
    return found


def _has_fleets(cluster: Cluster) -> bool:
    """Whether EMR is to choose among types or zones: then instances come in fleets, not groups."""
    groups = (cluster.primary, cluster.core, cluster.task)
    return bool(cluster.more_subnets) or any(group and (group.fallbacks or group.spot is not None) for group in groups)


def _group(name: str, role: str, group: Instances) -> dict[str, Any]:
    found: dict[str, Any] = {
        "Name": name,
        "InstanceRole": role,
        "InstanceType": group.type,
        "InstanceCount": 1 if role == "MASTER" else group.count,
        "Market": "SPOT" if group.bid else "ON_DEMAND",
    }
    if group.bid:
        found["BidPrice"] = group.bid
    return found | _disks(group)


def _fleet(name: str, role: str, group: Instances) -> dict[str, Any]:
    """A fleet: the types in the order of preference; what spot does not give in time is bought on demand."""
    count = 1 if role == "MASTER" else group.count
    share = group.spot if group.spot is not None else 100 if group.bid else 0
    spot = math.floor(count * share / 100)
    types = [
        {"InstanceType": type_, "WeightedCapacity": 1, "Priority": float(place), **_disks(group)}
        | ({"BidPrice": group.bid} if group.bid else {})
        for place, type_ in enumerate((group.type, *group.fallbacks))
    ]
    specifications: dict[str, Any] = {"OnDemandSpecification": {"AllocationStrategy": "prioritized"}}
    if spot:
        specifications["SpotSpecification"] = {
            "TimeoutDurationMinutes": _SPOT_MINUTES,
            "TimeoutAction": "SWITCH_TO_ON_DEMAND",
            "AllocationStrategy": "capacity-optimized-prioritized",
        }
    return {
        "Name": name,
        "InstanceFleetType": role,
        "TargetOnDemandCapacity": count - spot,
        "TargetSpotCapacity": spot,
        "InstanceTypeConfigs": types,
        "LaunchSpecifications": specifications,
    }


def _disks(group: Instances) -> dict[str, Any]:
    if not group.volumes:
        return {}
    devices = [
        {
            "VolumesPerInstance": volume.per_instance,
            "VolumeSpecification": {
                "VolumeType": volume.type,
                "SizeInGB": volume.size_gb,
                **({"Iops": volume.iops} if volume.iops else {}),
            },
        }
        for volume in group.volumes
    ]
    return {"EbsConfiguration": {"EbsOptimized": bool(group.ebs_optimized), "EbsBlockDeviceConfigs": devices}}


def _scaling(scaling: Scaling | None, fleets: bool) -> dict[str, Any] | None:
    if scaling is None:
        return None
    limits: dict[str, Any] = {
        "UnitType": "InstanceFleetUnits" if fleets else "Instances",
        "MinimumCapacityUnits": scaling.minimum,
        "MaximumCapacityUnits": scaling.maximum,
    }
    if scaling.maximum_core is not None:
        limits["MaximumCoreCapacityUnits"] = scaling.maximum_core
    if scaling.maximum_on_demand is not None:
        limits["MaximumOnDemandCapacityUnits"] = scaling.maximum_on_demand
    return {"ComputeLimits": limits}


# --- EMR Serverless ---------------------------------------------------------------------------------------------------


def start_job_run(job: SparkJob, place: Serverless, client_token: str) -> dict[str, Any]:
    """``emr-serverless.start_job_run``. Sent twice with one ``client_token``, it starts one job."""
    request: dict[str, Any] = {
        "applicationId": place.application_id,
        "executionRoleArn": place.role_arn,
        "clientToken": client_token,
        "name": job.name,
        "executionTimeoutMinutes": place.timeout_minutes,
        "jobDriver": job_driver(job),
    }
    overrides = configuration_overrides(place)
    if overrides:
        request["configurationOverrides"] = overrides
    if place.attempts > 1:
        request["retryPolicy"] = {"maxAttempts": place.attempts}
    if place.flex:
        request["flexExecution"] = {"enabled": True}
    if place.tags:
        request["tags"] = dict(place.tags)
    return request


def job_driver(job: SparkJob) -> dict[str, Any]:
    conf = {**({"spark.archives": ",".join(job.archives)} if job.archives else {}), **job.conf}
    parameters = " ".join(_conf(conf))
    submit: dict[str, Any] = {"entryPoint": job.entry_point, "entryPointArguments": list(job.arguments)}
    return {"sparkSubmit": submit | ({"sparkSubmitParameters": parameters} if parameters else {})}


def configuration_overrides(place: Serverless) -> dict[str, Any]:
    if place.log_uri is None:
        return {}
    return {"monitoringConfiguration": {"s3MonitoringConfiguration": {"logUri": place.log_uri}}}
