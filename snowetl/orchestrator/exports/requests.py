"""Requests to EMR and EMR Serverless as boto3 takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from snowetl.errors import ConfigError
from snowetl.orchestrator.exports.step import PlannedStep, Serverless
from snowetl.orchestrator.imports.found import Cluster, Instances

LONGEST_STEP = 10_240
MOST_STEPS = 256
"""EMR's limits: characters of one step, steps of one cluster."""

_PYTHON = "./environment/bin/python"


def step(planned: PlannedStep, environment: str, action: str) -> dict[str, Any]:
    """One entry of ``Steps``. Raises :class:`ConfigError` for one that is too long for EMR."""
    arguments = [
        "spark-submit",
        "--deploy-mode",
        "cluster",
        *_conf(_on_yarn(planned, environment)),
        planned.entry_point,
        *planned.arguments,
    ]
    length = sum(map(len, arguments)) + len(planned.name)
    if length > LONGEST_STEP:
        raise ConfigError(
            f"the step {planned.name} has {length:,} characters, and EMR takes {LONGEST_STEP:,}. Name documents "
            "by their files, and inputs by their folder"
        )
    return {
        "Name": planned.name,
        "ActionOnFailure": action,
        "HadoopJarStep": {"Jar": "command-runner.jar", "Args": arguments},
    }


def steps(planned: Sequence[PlannedStep], environment: str, action: str) -> list[dict[str, Any]]:
    """``Steps``. Raises :class:`ConfigError` for more than EMR takes."""
    if len(planned) > MOST_STEPS:
        raise ConfigError(f"{len(planned)} steps are more than the {MOST_STEPS} that EMR takes")
    return [step(each, environment, action) for each in planned]


def _on_yarn(planned: PlannedStep, environment: str) -> dict[str, str]:
    """The properties of a job that brings its Python along."""
    return {
        "spark.archives": ",".join([f"{environment}#environment", *planned.archives]),
        "spark.yarn.appMasterEnv.PYSPARK_PYTHON": _PYTHON,
        "spark.executorEnv.PYSPARK_PYTHON": _PYTHON,
        "spark.yarn.maxAppAttempts": "1",
        **planned.conf,
    }


def _conf(properties: Mapping[str, str]) -> list[str]:
    return [part for name, value in properties.items() for part in ("--conf", f"{name}={value}")]


# --- clusters ---------------------------------------------------------------------------------------------------------


def run_job_flow(
    cluster: Cluster, steps: Sequence[Mapping[str, Any]], run_id: str, *, stays: bool = False
) -> dict[str, Any]:
    """``emr.run_job_flow``: a cluster with its steps, which ends after them unless it ``stays``.

    The run stands in its tags: there is no client token, so whoever sends it twice can look for the first.
    """
    tags = {**cluster.tags, "snowetl-run": run_id}
    request: dict[str, Any] = {
        "Name": f"{cluster.name} {run_id}",
        "Instances": _instances(cluster, stays),
        "Applications": [{"Name": name} for name in cluster.applications],
        "VisibleToAllUsers": True,
        "Steps": [dict(each) for each in steps],
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        "AutoTerminationPolicy": {"IdleTimeout": cluster.idle_seconds or 3600},
    }
    optional: dict[str, Any] = {
        "ReleaseLabel": cluster.release_label,
        "AmiVersion": cluster.ami_version,
        "LogUri": cluster.log_uri,
        "ServiceRole": cluster.service_role,
        "JobFlowRole": cluster.instance_profile,
        "SecurityConfiguration": cluster.security_configuration,
        "AdditionalInfo": cluster.additional_info,
        "BootstrapActions": [
            {"Name": each.name, "ScriptBootstrapAction": {"Path": each.path, "Args": list(each.arguments)}}
            for each in cluster.bootstrap
        ],
        "Configurations": [
            {"Classification": name, "Properties": dict(properties)}
            for name, properties in cluster.configurations.items()
        ],
    }
    return request | {name: value for name, value in optional.items() if value}


def _instances(cluster: Cluster, stays: bool) -> dict[str, Any]:
    groups = [("Primary", "MASTER", cluster.primary), ("Core", "CORE", cluster.core), ("Task", "TASK", cluster.task)]
    found: dict[str, Any] = {
        "InstanceGroups": [_group(name, role, group) for name, role, group in groups if group is not None],
        "KeepJobFlowAliveWhenNoSteps": stays,
        "TerminationProtected": False,
    }
    if cluster.subnet:
        found["Ec2SubnetIds"] = [cluster.subnet]
    elif cluster.zone:
        found["Placement"] = {"AvailabilityZone": cluster.zone}
    if cluster.key_name:
        found["Ec2KeyName"] = cluster.key_name
    return found


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
    if group.volumes:
        found["EbsConfiguration"] = {
            "EbsOptimized": bool(group.ebs_optimized),
            "EbsBlockDeviceConfigs": [
                {
                    "VolumesPerInstance": volume.per_instance,
                    "VolumeSpecification": {
                        "VolumeType": volume.type,
                        "SizeInGB": volume.size_gb,
                        **({"Iops": volume.iops} if volume.iops else {}),
                    },
                }
                for volume in group.volumes
            ],
        }
    return found


# --- EMR Serverless ---------------------------------------------------------------------------------------------------


def start_job_run(planned: PlannedStep, place: Serverless, client_token: str) -> dict[str, Any]:
    """``emr-serverless.start_job_run``. Sent twice with one ``client_token``, it starts one job."""
    request: dict[str, Any] = {
        "applicationId": place.application_id,
        "executionRoleArn": place.role_arn,
        "clientToken": client_token,
        "name": planned.name,
        "executionTimeoutMinutes": place.timeout_minutes,
        "jobDriver": job_driver(planned),
    }
    overrides = configuration_overrides(place)
    return request | ({"configurationOverrides": overrides} if overrides else {})


def job_driver(planned: PlannedStep) -> dict[str, Any]:
    conf = {**({"spark.archives": ",".join(planned.archives)} if planned.archives else {}), **planned.conf}
    parameters = " ".join(_conf(conf))
    submit: dict[str, Any] = {"entryPoint": planned.entry_point, "entryPointArguments": list(planned.arguments)}
    return {"sparkSubmit": submit | ({"sparkSubmitParameters": parameters} if parameters else {})}


def configuration_overrides(place: Serverless) -> dict[str, Any]:
    if place.log_uri is None:
        return {}
    return {"monitoringConfiguration": {"s3MonitoringConfiguration": {"logUri": place.log_uri}}}
