"""Brings a cluster of another year to what can be started today, and says what was changed."""

from __future__ import annotations

import re
from dataclasses import replace

from snowetl.orchestrator.imports.found import Cluster, Instances, Left

RELEASE = "7.13.0"
"""The release that the templates of emr/ are written for."""

_OLDEST_MAJOR = 7
_GONE = re.compile(r"(?:c1|c3|cc1|cc2|cg1|cr1|g2|h1|hi1|hs1|i2|m1|m2|m3|r3|t1)\.")
_INSTEAD = {"primary": "m7i.xlarge", "core": "c7i.2xlarge", "task": "c7i.2xlarge"}
_SNOWPLOW_SCRIPT = re.compile(r"snowplow-ami\d-bootstrap")
_MAXIMIZE = "maximizeResourceAllocation"


def modern(cluster: Cluster, where: str) -> tuple[Cluster, list[Left]]:
    """``cluster`` with a release and instances that EMR still starts, and what was changed for that."""
    left: list[Left] = []
    major = re.match(r"(?:emr-)?(\d+)\.", cluster.version)
    if major and int(major[1]) < _OLDEST_MAJOR:
        left.append(
            Left(
                f"{where}: release {cluster.version}",
                "its Python is older than this program needs, and EMR no longer supports it",
                f"Release {RELEASE} is written instead",
            )
        )
        cluster = replace(cluster, version=RELEASE)
    groups: dict[str, Instances | None] = {"primary": cluster.primary, "core": cluster.core, "task": cluster.task}
    for name, group in groups.items():
        if group is not None and _GONE.match(group.type):
            left.append(
                Left(
                    f"{where}: instance type {group.type}",
                    "today's releases do not start it",
                    f"{_INSTEAD[name]} is written instead for {name} instances; compare memory and price",
                )
            )
            groups[name] = replace(group, type=_INSTEAD[name])
    scripts = tuple(each for each in cluster.bootstrap if not _SNOWPLOW_SCRIPT.search(each.path))
    configurations = dict(cluster.configurations)
    spark = dict(configurations.pop("spark", {}))
    if str(spark.pop(_MAXIMIZE, "false")).lower() == "true":
        left.append(
            Left(
                f"{where}: configuration spark.{_MAXIMIZE}",
                "it leaves no memory beside the JVM, where Python works",
                "It is left out; the sizes of executors are those of the job",
            )
        )
    if spark:
        configurations["spark"] = spark
    return replace(
        cluster,
        primary=groups["primary"] or cluster.primary,
        core=groups["core"],
        task=groups["task"],
        bootstrap=scripts,
        configurations=configurations,
    ), left
