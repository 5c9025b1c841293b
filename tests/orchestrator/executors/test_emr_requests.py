"""Clusters as requests: groups or fleets, scaling, raw overrides; each held against botocore's model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from snowetl import documents
from snowetl.errors import ConfigError
from snowetl.orchestrator.executors import emr_requests
from snowetl.orchestrator.executors.emr_requests import Serverless, SparkJob
from snowetl.orchestrator.imports.found import Cluster, Instances, Scaling
from snowetl.orchestrator.imports.yml import cluster_yml, read_cluster
from tests.orchestrator.exports.support import CLUSTER, ROLE, refused

RUN = "2026-03-05-00-00-03"
FLEETS = replace(
    CLUSTER,
    core=Instances("m7g.xlarge", 4, fallbacks=("m6g.xlarge", "m7i.xlarge"), spot=50),
    task=Instances("c7g.xlarge", 3, fallbacks=("c6g.xlarge",), spot=100),
    more_subnets=("subnet-2",),
    scaling=Scaling(1, 20, 4, 4),
    overrides={"Instances": {"EmrManagedMasterSecurityGroup": "sg-1"}, "StepConcurrencyLevel": 1},
)


def request(cluster: Cluster, **more: Any) -> dict[str, Any]:
    made = emr_requests.run_job_flow(
        cluster, [emr_requests.step(SparkJob("s", "s3://b/e.py"), "e", "CONTINUE")], RUN, **more
    )
    assert refused("emr", "RunJobFlow", made) == ""
    return made


def test_one_type_is_a_group() -> None:
    groups = request(CLUSTER)["Instances"]["InstanceGroups"]
    assert [group["InstanceRole"] for group in groups] == ["MASTER", "CORE", "TASK"]


def test_several_types_or_subnets_are_fleets_in_the_order_of_preference() -> None:
    instances = request(FLEETS)["Instances"]
    assert "InstanceGroups" not in instances
    assert instances["Ec2SubnetIds"] == ["subnet-1", "subnet-2"]
    assert instances["EmrManagedMasterSecurityGroup"] == "sg-1", "an override goes beside what is there"
    primary, core, task = instances["InstanceFleets"]
    assert (primary["TargetOnDemandCapacity"], primary["TargetSpotCapacity"]) == (1, 0)
    assert (core["TargetOnDemandCapacity"], core["TargetSpotCapacity"]) == (2, 2)
    assert [one["InstanceType"] for one in core["InstanceTypeConfigs"]] == ["m7g.xlarge", "m6g.xlarge", "m7i.xlarge"]
    assert [one["Priority"] for one in core["InstanceTypeConfigs"]] == [0, 1, 2]
    assert task["LaunchSpecifications"]["SpotSpecification"]["TimeoutAction"] == "SWITCH_TO_ON_DEMAND"


def test_managed_scaling_counts_in_the_unit_of_the_instances() -> None:
    limits = request(FLEETS)["ManagedScalingPolicy"]["ComputeLimits"]
    assert (limits["UnitType"], limits["MaximumCapacityUnits"]) == ("InstanceFleetUnits", 20)
    groups = replace(CLUSTER, scaling=Scaling(1, 8))
    assert request(groups)["ManagedScalingPolicy"]["ComputeLimits"]["UnitType"] == "Instances"


@pytest.mark.parametrize("stays", [False, True])
def test_a_cluster_always_ends_by_itself_when_it_is_idle(stays: bool) -> None:
    made = request(CLUSTER, stays=stays)
    assert 60 <= made["AutoTerminationPolicy"]["IdleTimeout"] <= 604_800
    assert made["Instances"]["TerminationProtected"] is False


def test_the_tag_that_the_managed_policy_asks_for() -> None:
    assert {"Key": "for-use-with-amazon-emr-managed-policies", "Value": "true"} in request(CLUSTER)["Tags"]


def test_cluster_yml_holds_all_of_it() -> None:
    import yaml

    text = cluster_yml(FLEETS, "a test")
    assert read_cluster(documents.read(yaml.safe_load(text), "cluster.yml")) == FLEETS


def test_scaling_without_limits_is_refused() -> None:
    with pytest.raises(ConfigError, match="scaling needs minimum and maximum"):
        read_cluster(documents.read({"scaling": {"minimum": 1}}, "cluster.yml"))


def test_serverless_job_with_all_there_is() -> None:
    place = Serverless("00f1", ROLE, None, "s3://b/logs/", 60, 3, True, {"team": "data"})
    made = emr_requests.start_job_run(SparkJob("s", "s3://b/e.py", ("-x",)), place, "t" * 32)
    assert refused("emr-serverless", "StartJobRun", made) == ""
    assert (made["retryPolicy"], made["flexExecution"]) == ({"maxAttempts": 3}, {"enabled": True})
