"""What ``snowetl package`` makes, on a real YARN with HDFS and an S3 endpoint: all jobs in cluster mode, and what dies.

``make test-cluster`` runs it (some minutes). Nodes share no files, so whatever works here came with the package, the
archive of the configuration, or over the wire.
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest

from snowetl.storage import filesystem
from snowetl.storage.hdfs import HdfsFileSystem
from tests.aws_server import aws_server
from tests.databases import ADMIN, ADMIN_PASSWORD, postgres_server
from tests.integration.cluster.yarn import PATIENCE, Yarn, environment, require, wait_until, yarn_cluster
from tests.integration.support import ROOT, run, write_logs

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.spark]

RUN = "2026-03-05-00-00-03"
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
CONFIGURATION = ("--enrichments", "fixtures/enrichments", "--iglu-config", "fixtures/resolver.json")
"""Relative paths: in the archive that drivers get, and in the folder where the command runs here."""


@dataclass(frozen=True)
class Place:
    """The cluster, what lies on it, and how to reach it."""

    yarn: Yarn
    variables: dict[str, str]
    client: Any

    def submit(self, verb: str, arguments: list[str], **conf: str) -> subprocess.Popen[str]:
        base = f"{self.yarn.hdfs}/snowetl"
        archives = f"{base}/environment.tar.gz#environment,{base}/fixtures.zip#fixtures"
        settings = {"spark.archives": archives, **environment(self.variables), **conf}
        return self.yarn.submit(f"{base}/{verb}.py", arguments, settings)

    def finish(self, job: subprocess.Popen[str]) -> None:
        out, _ = job.communicate(timeout=PATIENCE)
        assert job.returncode == 0, f"{out[-3000:]}\n{self.yarn.logs()}"

    def here(self, arguments: list[str]) -> None:
        """The same command in one process, which nothing disturbs."""
        done = run([*arguments, "--master", "none"], cwd=self.yarn.folder, timeout=PATIENCE, **self.variables)
        assert done.returncode == 0, done.stderr

    def s3_parts(self, prefix: str) -> dict[str, str]:
        """Digests of all parts below a prefix of the bucket, by the rest of their keys."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket="lake", Prefix=prefix)
        keys = [item["Key"] for page in pages for item in page.get("Contents", ()) if "/part-" in item["Key"]]
        return {
            key.removeprefix(prefix): hashlib.sha256(
                self.client.get_object(Bucket="lake", Key=key)["Body"].read()
            ).hexdigest()
            for key in keys
        }

    def hdfs_parts(self, folder: str) -> dict[str, str]:
        files = HdfsFileSystem()
        urls = [info.url for info in files.list(folder) if "/part-" in info.url]
        return {url.removeprefix(folder): hashlib.sha256(files.get(url)).hexdigest() for url in urls}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    require()
    folder = tmp_path_factory.mktemp("cluster")
    with aws_server() as url, yarn_cluster(folder) as yarn:
        variables = KEYS | {"AWS_ENDPOINT_URL": url, "AWS_EC2_METADATA_DISABLED": "true", "SNOWETL_ASSET_CACHE": "off"}
        client = boto3.client(
            "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
        )
        client.create_bucket(Bucket="lake")
        write_logs(folder / "raw", files=12, lines=2500)
        for name, logs in (("raw", folder / "raw"), ("thrift", ROOT / "fixtures" / "logs" / "thrift")):
            for path in logs.iterdir():
                client.put_object(Bucket="lake", Key=f"{name}/{path.name}", Body=path.read_bytes())
        _configuration(folder / "fixtures")
        archive = shutil.make_archive(str(folder / "fixtures"), "zip", folder / "fixtures")
        filesystem(yarn.hdfs).put(f"{yarn.hdfs}/snowetl/fixtures.zip", Path(archive).read_bytes())
        _package(f"{yarn.hdfs}/snowetl")
        yield Place(yarn, variables, client)


def _package(folder: str) -> None:
    """What the command leaves for a cluster whose nodes have the Python of these tests: compiled, where that can be."""
    python = f"3.{sys.version_info.minor}"
    interpreter = ("--interpreter", f"{sys.base_prefix}/bin/python{python}")
    arguments = ["package", folder, "--python", python, "--platform", platform.machine(), *interpreter]
    done = run(arguments, PATIENCE, SNOWETL_COMPILE="")  # which make turns off
    assert done.returncode == 0, done.stderr
    assert ("(compiled)" in done.stdout + done.stderr) == bool(shutil.which("cc")), done.stdout


def _configuration(folder: Path) -> None:
    """The example shop's configuration, its schemas and databases."""
    for name in ("enrichments", "iglu", "maxmind", "referers"):
        shutil.copytree(ROOT / "fixtures" / name, folder / name)
    shutil.copy(ROOT / "fixtures" / "resolver.json", folder)


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with postgres_server() as port:
        yield f"postgresql://{ADMIN}:{ADMIN_PASSWORD}@127.0.0.1:{port}/postgres"


def enrich(place: Place, output: str) -> list[str]:
    return [
        *("--input-folder", "s3://lake/raw", "--input-format", "cloudfront", "--split-size", "1k"),
        *("--output-folder", f"{output}/good", "--bad-folder", f"{output}/bad", "--run-id", RUN, *CONFIGURATION),
    ]


@pytest.fixture(scope="module")
def undisturbed(place: Place) -> dict[str, str]:
    """The parts of an enrich step in one process."""
    place.here(["enrich", *enrich(place, "s3://lake/undisturbed")])
    return place.s3_parts("undisturbed")


def test_a_run_end_to_end(place: Place, database: str) -> None:
    """Three steps as one application: S3 to S3 and into PostgreSQL."""
    arguments = [
        *("--input-folder", "s3://lake/thrift", "--input-format", "thrift", "--split-size", "100k"),
        *("--run-id", RUN, "--database", database, *CONFIGURATION),
    ]
    place.here(["run", *arguments, "--output-folder", "s3://lake/here", "--schema", "here"])
    place.finish(place.submit("run", [*arguments, "--output-folder", "s3://lake/there", "--schema", "there"]))
    parts = place.s3_parts("there")
    assert parts == place.s3_parts("here")
    assert len(parts) > 10
    reports = [_report(place, name) for name in ("here", "there")]
    counts = [[(name.rpartition(".")[2], number) for name, number, _ in report["counts"]] for report in reports]
    assert counts[0] == counts[1]
    assert reports[1]["differences"] == []
    with psycopg.connect(database) as connection:
        rows = [connection.execute(f"SELECT count(*) FROM {name}.events").fetchone() for name in ("here", "there")]
    assert rows[0] == rows[1] != (0,)


def _report(place: Place, folder: str) -> dict[str, Any]:
    found = place.client.get_object(Bucket="lake", Key=f"{folder}/runs/run={RUN}/report.json")
    report: dict[str, Any] = json.loads(found["Body"].read())
    return report


def test_an_executor_is_killed(place: Place, undisturbed: dict[str, str]) -> None:
    output = f"{place.yarn.hdfs}/lake"
    job = place.submit("enrich", enrich(place, output))
    wait_until(lambda: len(_staged(output)) >= 3, job)
    place.yarn.executors()[0].kill()
    place.finish(job)
    assert place.hdfs_parts(output) == undisturbed


def _staged(folder: str) -> list[str]:
    """Files of HDFS that are written, or were and are not published yet."""
    _, path, client = HdfsFileSystem()._locate(folder)
    try:
        return [one.path for one in client.list_status(path, recursive=True) if "._staging-" in one.path]
    except FileNotFoundError:
        return []


def test_transform_and_load_of_what_lies_on_hdfs(place: Place, database: str) -> None:
    """Each a job of its own; the transform looks for duplicates, which needs pandas and Arrow on the workers."""
    base = f"{place.yarn.hdfs}/steps"
    place.here(["enrich", *enrich(place, base)])
    transform = ["--input-folder", f"{base}/good", "--target", "postgres", "--iglu-config", "fixtures/resolver.json"]
    place.here(["transform", *transform, "--output-folder", f"{base}/here"])
    place.finish(place.submit("transform", [*transform, "--output-folder", f"{base}/there"]))
    parts = place.hdfs_parts(f"{base}/there")
    assert parts == place.hdfs_parts(f"{base}/here")
    load = ["--input-folder", f"{base}/there", "--database", database, "--iglu-config", "fixtures/resolver.json"]
    place.finish(place.submit("load", [*load, "--schema", "steps"]))
    with psycopg.connect(database) as connection:
        [(events,)] = connection.execute("SELECT count(*) FROM steps.events").fetchall()
    assert events > 20_000


@pytest.mark.parametrize("victim", ["application master", "driver"])
def test_the_next_attempt_takes_over(victim: str, place: Place, undisturbed: dict[str, str]) -> None:
    """On a host that cannot see whether the first driver lives: it takes over at once, and publishes what is missing.

    The driver is a process of Python beside its application master, which is one of Java.
    """
    folder = f"killed-{victim.replace(' ', '-')}"
    job = place.submit("enrich", enrich(place, f"s3://lake/{folder}"))
    wait_until(lambda: len(_uploads(place, folder)) >= 3, job)
    processes = place.yarn.application_masters() if victim == "application master" else place.yarn.drivers()
    assert processes
    for process in processes:
        process.kill()
    place.finish(job)
    assert place.yarn.attempts() == 2
    assert place.s3_parts(folder) == undisturbed
    assert _uploads(place, folder) == []


def _uploads(place: Place, folder: str) -> list[dict[str, Any]]:
    """Parts that are staged, and not published yet."""
    found: list[dict[str, Any]] = place.client.list_multipart_uploads(Bucket="lake").get("Uploads", [])
    return [upload for upload in found if upload["Key"].startswith(f"{folder}/")]
