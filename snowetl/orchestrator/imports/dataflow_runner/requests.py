"""What Dataflow Runner asked of EMR: the arguments of ``run_job_flow`` and ``add_job_flow_steps``, from its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from snowetl.errors import ConfigError
from snowetl.orchestrator.imports.dataflow_runner.files import RunnerFile

ACTIONS = ("CANCEL_AND_WAIT", "CONTINUE")
_WITHOUT_IOPS = ("gp2", "gp3")
Data = Mapping[str, Any]


def instance_groups(instances: Data) -> list[dict[str, Any]]:
    """The groups of a cluster. Core and task groups of none are left out; only task instances could be spot ones."""
    groups = [{"InstanceCount": 1, "InstanceRole": "MASTER"} | _group(instances["master"])]
    for role in ("core", "task"):
        group = instances.get(role) or {}
        if group.get("count", 0) > 0:
            groups.append({"InstanceCount": group["count"], "InstanceRole": role.upper()} | _group(group))
            if role == "task" and group.get("bid"):
                groups[-1] |= {"BidPrice": group["bid"], "Market": "SPOT"}
    return groups


def _group(group: Data) -> dict[str, Any]:
    ebs = group.get("ebsConfiguration")
    if not ebs:
        return {"InstanceType": group["type"]}
    return {
        "InstanceType": group["type"],
        "EbsConfiguration": {
            "EbsOptimized": ebs.get("ebsOptimized", False),
            "EbsBlockDeviceConfigs": [
                {
                    "VolumesPerInstance": device.get("volumesPerInstance", 1),
                    "VolumeSpecification": _volume(device["volumeSpecification"]),
                }
                for device in ebs.get("ebsBlockDeviceConfigs") or ()
            ],
        },
    }


def _volume(specification: Data) -> dict[str, Any]:
    volume = {"SizeInGB": specification["sizeInGB"], "VolumeType": specification["volumeType"]}
    if specification["volumeType"] not in _WITHOUT_IOPS:
        volume["Iops"] = specification.get("iops", 0)
    return volume


def release(ami_version: str) -> dict[str, str]:
    """How EMR is told the version: only its first character was looked at. Raises :class:`ConfigError`."""
    first = ami_version[:1]
    if not (first.isascii() and first.isdigit()):
        raise ConfigError(f'strconv.Atoi: parsing "{first}": invalid syntax')
    return {"AmiVersion": ami_version} if int(first) < 4 else {"ReleaseLabel": f"emr-{ami_version}"}


def location(place: Data) -> dict[str, str]:
    """Subnet or availability zone, the other empty. Raises :class:`ConfigError` for both, and for none."""
    zone = (place.get("classic") or {}).get("availabilityZone", "")
    subnet = (place.get("vpc") or {}).get("subnetId", "")
    if zone and subnet:
        raise ConfigError("Only one of Availability Zone and Subnet id should be provided")
    if not zone and not subnet:
        raise ConfigError("At least one of Availability Zone and Subnet id is required")
    return {"Ec2SubnetId": subnet, "AvailabilityZone": zone}


def tags(given: Sequence[Data] | None) -> list[dict[str, str]]:
    return [{"Key": tag["key"], "Value": tag["value"]} for tag in given or ()]


def bootstrap_actions(given: Sequence[Data] | None) -> list[dict[str, Any]]:
    return [
        {
            "Name": action["name"],
            "ScriptBootstrapAction": {
                "Path": action["scriptBootstrapAction"]["path"],
                "Args": list(action["scriptBootstrapAction"].get("args") or ()),
            },
        }
        for action in given or ()
    ]


def configurations(given: Sequence[Data] | None) -> list[dict[str, Any]]:
    return [{"Classification": each["classification"], "Properties": dict(each["properties"])} for each in given or ()]


def applications(given: Sequence[str] | None) -> list[dict[str, str]]:
    return [{"Name": name} for name in given or ()]


def run_job_flow(cluster: RunnerFile, steps: Sequence[Data] = ()) -> dict[str, Any]:
    """The request that started a cluster: without ``steps`` it waits for them, with them it ends with the last."""
    data = cluster.data
    ec2 = data["ec2"]
    place = location(ec2["location"])
    instances: dict[str, Any] = {
        "Ec2KeyName": ec2["keyName"],
        "InstanceGroups": instance_groups(ec2["instances"]),
        "KeepJobFlowAliveWhenNoSteps": not steps,
        "TerminationProtected": False,
    }
    if place["Ec2SubnetId"]:
        instances["Ec2SubnetId"] = place["Ec2SubnetId"]
    else:
        instances["Placement"] = {"AvailabilityZone": place["AvailabilityZone"]}
    request = {
        "Name": data["name"],
        "LogUri": data["logUri"],
        "JobFlowRole": data["roles"]["jobflow"],
        "ServiceRole": data["roles"]["service"],
        "VisibleToAllUsers": True,
        "Instances": instances,
        "Applications": applications(data.get("applications")),
        "BootstrapActions": bootstrap_actions(data.get("bootstrapActionConfigs")),
        "Configurations": configurations(data.get("configurations")),
        "Tags": tags(data.get("tags")),
        "Steps": list(steps),
        **release(ec2["amiVersion"]),
    }
    if data.get("securityConfiguration"):
        request["SecurityConfiguration"] = data["securityConfiguration"]
    return request


def add_steps(playbook: RunnerFile, job_flow_id: str) -> dict[str, Any]:
    """The request that sent the steps of a playbook to a cluster. Raises :class:`ConfigError`."""
    return {"JobFlowId": job_flow_id, "Steps": step_requests(playbook)}


def step_requests(playbook: RunnerFile) -> list[dict[str, Any]]:
    """The steps of a playbook as EMR takes them. Raises :class:`ConfigError` for none, or for an unknown action."""
    steps = playbook.data.get("steps") or ()
    if not steps:
        raise ConfigError("No steps found in config, nothing to add")
    for step in steps:
        if step.get("actionOnFailure") not in ACTIONS:
            raise ConfigError(
                f"Only the following failure actions are allowed '{', '.join(ACTIONS)}' - "
                "to terminate use the 'down' command"
            )
    return [
        {
            "Name": step["name"],
            "ActionOnFailure": step["actionOnFailure"],
            "HadoopJarStep": {"Jar": step["jar"], "Args": list(step.get("arguments") or ())},
        }
        for step in steps
    ]
