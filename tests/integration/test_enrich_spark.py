"""The enrich job on real Spark: as the plain loop does it, and whatever dies on the way."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest

from snowetl.model.fields import NAMES
from tests.integration.support import (
    ROOT,
    RUN,
    environment,
    files,
    options,
    output_lines,
    report,
    run,
    start,
    write_json,
    write_logs,
)

pytestmark = pytest.mark.spark

CLUSTER = "local-cluster[2,1,1024]"


@pytest.fixture(scope="module")
def spark_home(tmp_path_factory: pytest.TempPathFactory) -> str:
    """pip's Spark, linked, so that the workers of a local cluster keep their files out of it."""
    import pyspark

    home = tmp_path_factory.mktemp("spark-home")
    for path in Path(pyspark.__file__).parent.iterdir():
        if path.name != "work":
            (home / path.name).symlink_to(path)
    return str(home)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with logs, and the output of a run without Spark that nothing disturbs."""
    folder = tmp_path_factory.mktemp("enrich")
    write_logs(folder / "raw", files=12, lines=2500)
    result = run([*options(folder), "--split-size", "1k", "--master", "none"])
    assert result.returncode == 0, result.stderr
    return folder


@pytest.fixture
def folder(undisturbed: Path, tmp_path: Path) -> Path:
    """The same logs at the same place, another output."""
    (tmp_path / "raw").symlink_to(undisturbed / "raw")
    return tmp_path


def arguments(undisturbed: Path, folder: Path, master: str) -> list[str]:
    """The logs are read where the undisturbed run read them: their place is part of the output."""
    return options(folder, "--input-folder", str(undisturbed / "raw"), "--split-size", "1k", "--master", master)


def same_as(undisturbed: Path, folder: Path) -> bool:
    return files(folder / "out") == files(undisturbed / "out")


def test_local_spark_gives_the_same_bytes(undisturbed: Path, folder: Path) -> None:
    result = run(arguments(undisturbed, folder, "local[2]"))
    assert result.returncode == 0, result.stderr
    assert same_as(undisturbed, folder)
    keys = ("records", "discarded", "payloads", "events", "badRows", "badRowSchemas", "damages", "input")
    mine, plain = report(folder), report(undisturbed)
    assert {key: mine[key] for key in keys} == {key: plain[key] for key in keys}


def test_files_of_enrichments_reach_the_executors(tmp_path: Path, spark_home: str) -> None:
    """A database behind HTTP, sample Thrift logs, executors that are processes of their own."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(ROOT / "fixtures" / "maxmind"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        geo = {"database": "GeoIP2-City.mmdb", "uri": f"http://127.0.0.1:{http.server_port}"}
        ip_lookups = {
            "schema": "iglu:com.snowplowanalytics.snowplow/ip_lookups/jsonschema/2-0-0",
            "data": {
                "vendor": "com.snowplowanalytics.snowplow",
                "name": "ip_lookups",
                "enabled": True,
                "parameters": {"geo": geo},
            },
        }
        extra = ["--enrichments", str(write_json(tmp_path / "ip_lookups.json", ip_lookups))]
        extra += ["--iglu-config", str(ROOT / "fixtures" / "resolver.json"), "--input-format", "thrift"]
        extra += ["--input-folder", str(ROOT / "fixtures" / "logs" / "thrift"), "--split-size", "200k"]
        plain = run(options(tmp_path, *extra, "--master", "none", output="plain"), cwd=ROOT)
        assert plain.returncode == 0, plain.stderr
        spark = run(options(tmp_path, *extra, "--master", CLUSTER), cwd=ROOT, SPARK_HOME=spark_home)
        http.shutdown()
    assert spark.returncode == 0, spark.stderr
    assert files(tmp_path / "out") == files(tmp_path / "plain")
    country = NAMES.index("geo_country")
    lines = [line.split("\t") for line in output_lines(tmp_path / "out" / "good")]
    assert sum(bool(values[country]) for values in lines) > len(lines) / 2
    document = report(tmp_path)
    assert document["input"]["splits"] > 2
    unreadable = document["badRows"]["collector_payload_format_violation"]
    assert document["payloads"] == document["records"] - unreadable


def test_spark_submit(undisturbed: Path, folder: Path) -> None:
    submit = Path(sys.executable).with_name("spark-submit")
    given = options(folder, "--input-folder", str(undisturbed / "raw"), "--split-size", "1k")
    command = [submit, "--master", "local[2]", ROOT / "jobs" / "enrich.py", *given[1:]]
    result = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, env=environment(), timeout=600, check=False
    )
    assert result.returncode == 0, result.stderr
    assert same_as(undisturbed, folder)


def test_spark_submit_passes_the_exit_code_on(folder: Path) -> None:
    submit = Path(sys.executable).with_name("spark-submit")
    (folder / "empty").mkdir()
    given = options(folder, "--input-folder", str(folder / "empty"))
    command = [submit, "--master", "local[1]", ROOT / "jobs" / "enrich.py", *given[1:]]
    result = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, env=environment(), timeout=600, check=False
    )
    assert result.returncode == 3, result.stderr


# --- what dies --------------------------------------------------------------------------------------------------------


def python_workers(job: psutil.Process) -> list[psutil.Process]:
    """The processes that run tasks: children of the daemons of Spark's Python."""
    daemons = [process for process in job.children(recursive=True) if "daemon pyspark.worker" in command_of(process)]
    return [child for daemon in daemons for child in daemon.children()]


def executors(job: psutil.Process) -> list[psutil.Process]:
    return [p for p in job.children(recursive=True) if "CoarseGrainedExecutorBackend" in command_of(p)]


def command_of(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def wait_until(condition: Callable[[], bool], seconds: float = 400) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def staged(folder: Path) -> list[Path]:
    return [path for path in (folder / "out").rglob("*") if path.name.startswith("._staging-part")]


def finished_parts(folder: Path) -> int:
    return len({path.name.split("-", 2)[2][:16] for path in staged(folder)})


def mid_run(folder: Path, job: subprocess.Popen[str]) -> None:
    """Wait until some splits are done and others under way."""
    wait_until(lambda: finished_parts(folder) >= 3 or job.poll() is not None)
    assert job.poll() is None, job.communicate()


def kill_and_check(
    undisturbed: Path, folder: Path, spark_home: str, find: Callable[[psutil.Process], list[psutil.Process]]
) -> None:
    job = start(arguments(undisturbed, folder, CLUSTER), SPARK_HOME=spark_home)
    try:
        mid_run(folder, job)
        victims = find(psutil.Process(job.pid))
        assert victims
        for victim in victims[:2]:
            victim.kill()
        _, err = job.communicate(timeout=600)
    finally:
        end(job)
    assert job.returncode == 0, err
    assert same_as(undisturbed, folder)
    assert report(folder)["records"] == report(undisturbed)["records"]


def end(job: subprocess.Popen[str]) -> None:
    """Kill a job and all it has started."""
    if job.poll() is None:
        kill_all(psutil.Process(job.pid))
    job.communicate()


def kill_all(root: psutil.Process) -> None:
    family = [root, *root.children(recursive=True)]
    for process in family:
        process.kill()
    psutil.wait_procs(family, timeout=30)


def test_python_workers_die(undisturbed: Path, folder: Path, spark_home: str) -> None:
    kill_and_check(undisturbed, folder, spark_home, python_workers)


def test_an_executor_dies(undisturbed: Path, folder: Path, spark_home: str) -> None:
    kill_and_check(undisturbed, folder, spark_home, lambda job: executors(job)[:1])


def test_the_driver_dies(undisturbed: Path, folder: Path, spark_home: str) -> None:
    """Everything of the first job is killed: nothing is published, and the second job does it all."""
    first = start(arguments(undisturbed, folder, CLUSTER), SPARK_HOME=spark_home)
    try:
        mid_run(folder, first)
        kill_all(psutil.Process(first.pid))
    finally:
        end(first)
    run_folder = folder / "out" / "good" / f"run={RUN}"
    shown = {path.name for path in run_folder.iterdir() if not path.name.startswith(".")}
    assert shown == {"_plan.json", "_work.jsonl.gz"}
    assert staged(folder)
    second = run(arguments(undisturbed, folder, "local[2]"))
    assert second.returncode == 0, second.stderr
    assert same_as(undisturbed, folder)


@pytest.mark.parametrize("published", [1, 7, 23])
def test_the_driver_dies_while_it_publishes(undisturbed: Path, folder: Path, published: int) -> None:
    """Parts are visible then, but there is no report: the run is redone."""
    shutil.copytree(undisturbed / "out", folder / "out")
    for name in ("_report.json", "_SUCCESS"):
        (folder / "out" / "good" / f"run={RUN}" / name).unlink()
    parts = sorted((folder / "out").rglob("part-*"))
    for part in parts[published:]:
        part.rename(part.with_name(f"._staging-{part.name}-0"))
    result = run(arguments(undisturbed, folder, "none"))
    assert result.returncode == 0, result.stderr
    assert same_as(undisturbed, folder)


def test_a_stopped_job_cleans_up(undisturbed: Path, folder: Path) -> None:
    """SIGTERM, as a scheduler sends it."""
    job = start(arguments(undisturbed, folder, "local[2]"))
    try:
        mid_run(folder, job)
        os.kill(job.pid, 15)
        _, err = job.communicate(timeout=300)
    finally:
        end(job)
    assert job.returncode == 130, err
    assert "Error: interrupted" in err
    assert "Traceback" not in err
    assert files(folder / "out") == {}


def test_speculation_publishes_each_part_once(undisturbed: Path, folder: Path, spark_home: str) -> None:
    """Every task gets a second attempt that races the first."""
    conf = folder / "conf"
    conf.mkdir()
    settings = {
        "spark.speculation": "true",
        "spark.speculation.interval": "20ms",
        "spark.speculation.multiplier": "0.01",
        "spark.speculation.quantile": "0.01",
        "spark.speculation.minTaskRuntime": "1ms",
    }
    (conf / "spark-defaults.conf").write_text("".join(f"{key} {value}\n" for key, value in settings.items()))
    result = run(arguments(undisturbed, folder, CLUSTER), SPARK_HOME=spark_home, SPARK_CONF_DIR=str(conf))
    assert result.returncode == 0, result.stderr
    assert same_as(undisturbed, folder)
