"""What can be known before a cluster is paid for: whether the package is there and fits, and whether AWS answers.

A run looks at the package only; ``snowetl doctor`` asks EMR, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from snowetl.errors import ConfigError
from snowetl.jvm import jsontext
from snowetl.orchestrator.executors import aws, emr_jobs
from snowetl.orchestrator.imports.found import Cluster
from snowetl.orchestrator.package import CONTENTS
from snowetl.orchestrator.settings import RunSettings
from snowetl.orchestrator.step_names import verb_of
from snowetl.problems import Problems
from snowetl.storage import filesystem
from snowetl.version import __version__

RIGHTS = "emr/policies/orchestrator.json has the rights that are needed"
_GRAVITON = re.compile(r"(a1|[a-z]+\d+g[a-z]*)\.")
"""Types of instances whose processors are ARM: ``m7g.xlarge``, ``r6gd.2xlarge``."""
_GONE = ("STOPPING", "TERMINATED")
_SERVERLESS_CORES = {"spark.driver.cores": "4", "spark.executor.cores": "4"}
"""What EMR Serverless takes where a job says nothing."""


def package(settings: RunSettings, *, with_archive: bool) -> dict[str, Any]:
    """What ``package.json`` of ``--emr-package`` says; empty where the jobs lie there without one.

    Raises ``ConfigError`` where a file is missing that a job would ask for, and ``StorageError``.
    """
    folder = emr_jobs.package_of(settings)
    fs = filesystem(folder)
    jobs = {f"{verb_of(step)}.py" for step in settings.steps}
    wanted = [*sorted(jobs), *([emr_jobs.ENVIRONMENT] if with_archive else [])]
    missing = [name for name in wanted if not fs.exists(f"{folder}/{name}")]
    if missing:
        raise ConfigError(
            f"--emr-package: {folder} has no {' and no '.join(missing)}: `snowetl package {folder}/` makes them"
        )
    contents = f"{folder}/{CONTENTS}"
    found = jsontext.loads(fs.get(contents).decode("utf-8")) if fs.exists(contents) else {}
    return found if isinstance(found, dict) else {}


def check_processors(made: dict[str, Any], processors: Iterable[str]) -> None:
    """Raises ``ConfigError`` where the nodes' processors are not those the package is for."""
    others = sorted(set(processors) - {made.get("platform", "")})
    if made.get("platform") and others:
        raise ConfigError(
            f"--emr-package is made for {made['platform']}, and jobs would run on {' and '.join(others)}: "
            f"`snowetl package --platform {others[0]}` makes one for these, or choose other instances"
        )


def processors_of(cluster: Cluster) -> set[str]:
    """The processors of the nodes that run drivers and executors."""
    groups = [group for group in (cluster.core, cluster.task) if group is not None] or [cluster.primary]
    types = [type_ for group in groups for type_ in (group.type, *group.fallbacks)]
    return {"aarch64" if _GRAVITON.match(type_) else "x86_64" for type_ in types}


def describe(made: dict[str, Any]) -> str:
    """The package in a few words, and that it is of another release."""
    if not made:
        return "the package has no package.json"
    other = "" if made.get("snowetl") == __version__ else f", and this is snowetl {__version__}: make it anew"
    return f"package of snowetl {made.get('snowetl')} for Python {made.get('python')}, {made.get('platform')}{other}"


# --- what AWS says ----------------------------------------------------------------------------------------------------


def ask_cluster(settings: RunSettings, region: str | None) -> str:
    """Whether EMR answers, and the state of the cluster that the run would use. Raises ``ConfigError``."""
    client = aws.client("emr", region)
    try:
        if settings.emr_cluster_id is None:
            client.list_clusters(ClusterStates=["WAITING"])
            return f"EMR in {client.meta.region_name} answers"
        status = client.describe_cluster(ClusterId=settings.emr_cluster_id)["Cluster"]["Status"]
    except aws.errors() as error:
        raise ConfigError(f"EMR in {client.meta.region_name}: {error}; {RIGHTS}") from None
    state = str(status.get("State"))
    if state.startswith("TERMINAT"):
        raise ConfigError(f"--emr-cluster-id {settings.emr_cluster_id} in {client.meta.region_name}: it is {state}")
    return f"cluster {settings.emr_cluster_id} in {client.meta.region_name} is {state}"


def ask_application(settings: RunSettings, made: dict[str, Any]) -> str:
    """How the application of EMR Serverless is, and whether its processors fit. Raises ``ConfigError``."""
    client = aws.client("emr-serverless", settings.emr_region)
    try:
        found = client.get_application(applicationId=str(settings.emr_application_id))["application"]
    except aws.errors() as error:
        raise ConfigError(f"EMR Serverless in {client.meta.region_name}: {error}; {RIGHTS}") from None
    state = str(found.get("state"))
    if state in _GONE:
        raise ConfigError(f"--emr-application-id {settings.emr_application_id}: it is {state}")
    architecture = {"ARM64": "aarch64"}.get(str(found.get("architecture")), "x86_64")
    check_processors(made, [architecture])
    _check_capacity(settings, found.get("maximumCapacity") or {})
    return f"application {found.get('name')} ({found.get('releaseLabel')}) in {client.meta.region_name} is {state}"


def _check_capacity(settings: RunSettings, most: dict[str, str]) -> None:
    """Raises ``ConfigError`` for an application that cannot hold a driver and one executor: jobs would wait."""
    conf = {**_SERVERLESS_CORES, **emr_jobs.SIZES, **settings.spark_properties}
    allowed = re.match(r"\s*([0-9.]+)", str(most.get("cpu", "")))
    wanted = [int(conf[name]) for name in _SERVERLESS_CORES if conf[name].isdigit()]
    if allowed is not None and sum(wanted) > float(allowed[1]):
        raise ConfigError(
            f"--emr-application-id {settings.emr_application_id}: its maximumCapacity of {most['cpu']} does not hold a "
            f"driver and one executor ({' and '.join(map(str, wanted))} cores): raise it, or give fewer with "
            "--emr-conf spark.driver.cores=…, spark.executor.cores=…"
        )


_OLD_REGIONS = {None: "us-east-1", "EU": "eu-west-1"}
"""How S3 calls the location of buckets in its oldest regions."""


def ask_buckets(settings: RunSettings, region: str | None) -> list[str]:
    """A note for each bucket in another region than the jobs: reading from there takes time and costs money.

    Raises ``ConfigError`` for one that cannot be asked.
    """
    places = {emr_jobs.package_of(settings), settings.output_folder, *settings.input_folder}
    buckets = sorted({urlsplit(place).netloc for place in places if place.startswith("s3")})
    client = aws.client("s3", region)
    here = client.meta.region_name
    problems, notes = Problems(), []
    for bucket in buckets:
        try:
            found = client.get_bucket_location(Bucket=bucket).get("LocationConstraint")
        except aws.errors() as error:
            problems.add(f"bucket {bucket}: {error}; {RIGHTS}")
            continue
        there = _OLD_REGIONS.get(found, found)
        if there != here:
            notes.append(f"bucket {bucket} is in {there}, the jobs are in {here}: each byte crosses regions")
    problems.check()
    return notes
