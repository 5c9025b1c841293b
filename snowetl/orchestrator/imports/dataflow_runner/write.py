"""Writes files for Dataflow Runner: clusters and playbooks in its own vocabulary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from snowetl.orchestrator.imports.found import Cluster, Instances, Script

CLUSTER_SCHEMA = "iglu:com.snowplowanalytics.dataflowrunner/ClusterConfig/avro/1-1-0"
PLAYBOOK_SCHEMA = "iglu:com.snowplowanalytics.dataflowrunner/PlaybookConfig/avro/1-0-1"


def step(name: str, jar: str, arguments: Sequence[str], action: str = "CANCEL_AND_WAIT") -> dict[str, Any]:
    return {
        "type": "CUSTOM_JAR",
        "name": name,
        "actionOnFailure": action,
        "jar": jar,
        "arguments": list(arguments),
    }


def location(subnet: str | None, zone: str | None) -> dict[str, Any]:
    """A subnet wins over a zone."""
    return {"vpc": {"subnetId": subnet}} if subnet else {"classic": {"availabilityZone": zone}}


def tags(given: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"key": str(key), "value": str(value)} for key, value in given.items()]


def script(given: Script) -> dict[str, Any]:
    return {"name": given.name, "scriptBootstrapAction": {"path": given.path, "args": list(given.arguments)}}


def configurations(given: Mapping[str, Mapping[str, str]]) -> list[dict[str, Any]]:
    return [{"classification": name, "properties": dict(properties)} for name, properties in given.items()]


def ebs(optimized: bool, size_gb: int, type_: str, iops: int | None, per_instance: int = 1) -> dict[str, Any]:
    specification = {"iops": iops or 1, "sizeInGB": size_gb, "volumeType": type_}
    return {
        "ebsOptimized": optimized,
        "ebsBlockDeviceConfigs": [{"volumesPerInstance": per_instance, "volumeSpecification": specification}],
    }


def cluster_file(cluster: Cluster) -> dict[str, Any]:
    """The file of a cluster. Credentials come from where the AWS SDK looks for them."""
    data: dict[str, Any] = {
        "name": cluster.name,
        "logUri": cluster.log_uri or "",
        "region": cluster.region or "us-east-1",
        "credentials": {"accessKeyId": "default", "secretAccessKey": "default"},
        "roles": {
            "jobflow": cluster.instance_profile or "EMR_EC2_DefaultRole",
            "service": cluster.service_role or "EMR_DefaultRole",
        },
        "ec2": {
            "amiVersion": cluster.version.removeprefix("emr-"),
            "keyName": cluster.key_name or "",
            "location": location(cluster.subnet, cluster.zone),
            "instances": {
                "master": _group(cluster.primary, counted=False),
                "core": _group(cluster.core or Instances(cluster.primary.type, 0)),
                "task": _group(cluster.task or Instances(cluster.primary.type, 0)) | {
                    "bid": (cluster.task.bid if cluster.task else None) or ""
                },
            },
        },
        "tags": tags(cluster.tags),
        "bootstrapActionConfigs": [script(each) for each in cluster.bootstrap],
        "configurations": configurations(cluster.configurations),
        "applications": list(cluster.applications),
    }  # fmt: skip
    if cluster.security_configuration:
        data["securityConfiguration"] = cluster.security_configuration
    return {"schema": CLUSTER_SCHEMA, "data": data}


def _group(group: Instances, counted: bool = True) -> dict[str, Any]:
    found: dict[str, Any] = {"type": group.type}
    if counted:
        found["count"] = group.count
    if group.volumes:
        volume = group.volumes[0]
        found["ebsConfiguration"] = ebs(
            bool(group.ebs_optimized), volume.size_gb, volume.type, volume.iops, volume.per_instance
        )
    return found


def playbook_file(region: str, steps: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    credentials = {"accessKeyId": "default", "secretAccessKey": "default"}
    data = {"region": region, "credentials": credentials, "steps": list(steps), "tags": []}
    return {"schema": PLAYBOOK_SCHEMA, "data": data}
