"""A real YARN beside HDFS: a resource manager and two node managers as plain processes on loopback.

Each node has its own host name and mount namespace: it sees its own folder for containers, Spark and Java, but neither
this checkout nor the environment the tests run in. So a worker that leans on files of the driver fails.
"""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from tests.integration.support import ROOT
from tests.storage import hdfs_cluster
from tests.storage.hdfs_cluster import free_port, java, write_site

_JARS = (
    *("org.bouncycastle:bcprov-jdk18on:1.78.1", "org.bouncycastle:bcpkix-jdk18on:1.78.1"),
    *("org.bouncycastle:bcutil-jdk18on:1.78.1", "javax.xml.bind:jaxb-api:2.3.1", "com.sun.xml.bind:jaxb-impl:2.3.9"),
    "javax.activation:activation:1.1.1",
)
_RESOURCE_MANAGER = "org.apache.hadoop.yarn.server.resourcemanager.ResourceManager"
_NODE_MANAGER = "org.apache.hadoop.yarn.server.nodemanager.NodeManager"
_APPLICATION_MASTER = "org.apache.spark.deploy.yarn.ApplicationMaster"
_EXECUTOR = "YarnCoarseGrainedExecutorBackend"
_SPARK_HOME = Path(importlib.util.find_spec("pyspark").submodule_search_locations[0])
_NODES = 2
PATIENCE = 1800
"""Seconds after which something hangs, however busy the machine is."""
_NODE_MB = 3072


@dataclass(slots=True)
class Yarn:
    """``hdfs`` is the address of the file system, ``conf`` the folder a client of the cluster is configured by."""

    hdfs: str
    folder: Path
    conf: Path
    resource_manager: str = ""
    nodes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def containers(self) -> Path:
        """Where each node sees its own folder."""
        return self.folder / "mount" / "yarn"

    @property
    def spark(self) -> Path:
        """Where each node sees Spark."""
        return self.folder / "mount" / "spark"

    def submit(self, job: str, arguments: list[str], conf: Mapping[str, str]) -> subprocess.Popen[str]:
        """``spark-submit`` in cluster mode."""
        settings = self._usual() | dict(conf)
        flags = [part for key, value in settings.items() for part in ("--conf", f"{key}={value}")]
        command = [
            f"{_SPARK_HOME}/bin/spark-submit",
            "--master",
            "yarn",
            "--deploy-mode",
            "cluster",
            *flags,
            job,
            *arguments,
        ]
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYSPARK_", "SPARK_"))}
        environment |= {
            "HADOOP_CONF_DIR": str(self.conf),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_HOME": str(_SPARK_HOME),
        }
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, cwd=self.folder
        )

    def _usual(self) -> dict[str, str]:
        python = "./environment/bin/python"
        return {
            "spark.yarn.jars": f"local:{self.spark}/jars/*",
            "spark.driver.memory": "512m",
            "spark.driver.memoryOverhead": "512m",
            "spark.executor.memory": "512m",
            "spark.executor.memoryOverhead": "768m",
            "spark.executor.instances": "2",
            "spark.yarn.maxAppAttempts": "2",
            "spark.yarn.appMasterEnv.PYSPARK_PYTHON": python,
            "spark.executorEnv.PYSPARK_PYTHON": python,
            "spark.yarn.appMasterEnv.SPARK_LOCAL_IP": "127.0.0.1",
            "spark.ui.enabled": "false",
        }

    def application_masters(self) -> list[psutil.Process]:
        return self._processes(_APPLICATION_MASTER)

    def drivers(self) -> list[psutil.Process]:
        """The processes of Python that application masters have started."""
        children = [child for master in self.application_masters() for child in master.children()]
        return [child for child in children if child.name().startswith("python")]

    def attempts(self) -> int:
        """How many application masters the latest application had."""
        containers = self.folder.glob("node-*/logs/application_*/container_*")
        names = sorted(path.name.split("_")[1:4] for path in containers)  # cluster, application, attempt
        return len({attempt for *application, attempt in names if application == names[-1][:2]})

    def executors(self) -> list[psutil.Process]:
        return self._processes(_EXECUTOR)

    def _processes(self, name: str) -> list[psutil.Process]:
        """The JVMs of that class in containers of this cluster."""
        found = []
        for node in self.nodes:
            for process in psutil.Process(node.pid).children(recursive=True):
                with suppress(psutil.Error):
                    command = process.cmdline()
                    if command and command[0].endswith("java") and any(part.endswith(name) for part in command):
                        found.append(process)
        return found

    def logs(self, last: int = 60) -> str:
        """The ends of what the containers of the latest application wrote."""
        found: dict[str, list[Path]] = {}
        for path in self.folder.glob("node-*/logs/application_*/container_*/std*"):
            found.setdefault(path.parent.parent.name, []).append(path)
        texts = []
        for path in sorted(found[max(found)]) if found else []:
            lines = path.read_text("utf-8", "replace").splitlines()
            texts.append("\n".join([f"--- {path.relative_to(self.folder)}", *lines[-last:]]))
        return "\n".join(texts)


def require() -> None:
    """Skip the test, saying why, where no such cluster can be started."""
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("a cluster of nodes that share nothing needs Linux, root and unshare (util-linux)")
    if subprocess.run(["unshare", "-m", "-u", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine (a container without CAP_SYS_ADMIN?) does not let unshare make mount namespaces")
    pytest.importorskip("pyspark")
    hdfs_cluster.jars(_JARS)


@contextmanager
def yarn_cluster(folder: Path) -> Iterator[Yarn]:
    """A cluster that keeps everything in ``folder`` and is gone afterwards."""
    require()
    lib = hdfs_cluster.jars(_JARS)
    with hdfs_cluster.cluster(folder) as hdfs:
        cluster = Yarn(hdfs, folder, folder / "conf")
        daemons: list[subprocess.Popen[bytes]] = []
        try:
            daemons.append(_start_resource_manager(cluster, lib))
            for number in range(1, _NODES + 1):
                cluster.nodes.append(_start_node(cluster, lib, number))
            daemons += cluster.nodes
            _wait_for_nodes(cluster, daemons)
            yield cluster
        finally:
            for daemon in daemons:
                _kill(daemon)


def _start_resource_manager(cluster: Yarn, lib: Path) -> subprocess.Popen[bytes]:
    ports = {name: f"127.0.0.1:{free_port()}" for name in ("", ".scheduler", ".resource-tracker", ".admin", ".webapp")}
    cluster.resource_manager = ports[".webapp"]
    settings = {f"yarn.resourcemanager{name}.address": address for name, address in ports.items()}
    settings |= {
        "yarn.resourcemanager.hostname": "127.0.0.1",
        "yarn.scheduler.minimum-allocation-mb": "256",
        "yarn.scheduler.capacity.maximum-am-resource-percent": "0.9",
        "yarn.scheduler.capacity.root.queues": "default",
        "yarn.scheduler.capacity.root.default.capacity": "100",
    }
    write_site(cluster.conf / "yarn-site.xml", settings)
    write_site(cluster.conf / "capacity-scheduler.xml", {k: v for k, v in settings.items() if ".capacity." in k})
    return _start([*java(cluster.conf, lib), _RESOURCE_MANAGER], cluster.folder / "resource-manager.log")


def _start_node(cluster: Yarn, lib: Path, number: int) -> subprocess.Popen[bytes]:
    """A node manager that sees its own folder at the place where every node has one."""
    own = cluster.folder / f"node-{number}"
    conf, empty = own / "conf", cluster.folder / "empty"
    for made in (conf, own / "local", own / "logs", empty, cluster.containers, cluster.spark):
        made.mkdir(parents=True, exist_ok=True)
    shutil.copytree(cluster.conf, conf, dirs_exist_ok=True)
    address = f"127.0.0.{number}"
    (own / "hosts").write_text(f"127.0.0.1 localhost node-{number}\n")
    text = (cluster.conf / "yarn-site.xml").read_text()
    node = {
        "yarn.nodemanager.hostname": address,
        **{
            f"yarn.nodemanager.{name}": f"{address}:{free_port()}"
            for name in ("address", "localizer.address", "webapp.address", "collector-service.address")
        },
        "yarn.nodemanager.resource.memory-mb": str(_NODE_MB),
        "yarn.nodemanager.resource.cpu-vcores": "4",
        "yarn.nodemanager.local-dirs": f"{cluster.containers}/local",
        "yarn.nodemanager.log-dirs": f"{cluster.containers}/logs",
        "yarn.nodemanager.vmem-check-enabled": "false",
        "yarn.nodemanager.pmem-check-enabled": "true",
        "yarn.nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage": "99",
        "yarn.nodemanager.env-whitelist": "JAVA_HOME",
    }
    write_site(conf / "yarn-site.xml", node)
    added = (conf / "yarn-site.xml").read_text().removeprefix("<configuration>")
    (conf / "yarn-site.xml").write_text(text.removesuffix("</configuration>") + added)
    covered = sorted({ROOT, Path(sys.prefix)}, key=lambda path: len(path.parts))
    binds = [(own, cluster.containers), (_SPARK_HOME, cluster.spark), (own / "hosts", "/etc/hosts")]
    binds += [(empty, path) for path in covered if not any(up in covered for up in path.parents)]
    script = [f"mount --bind {shlex.quote(str(source))} {shlex.quote(str(target))}" for source, target in binds]
    script += [f"hostname node-{number}", f"exec {shlex.join([*java(conf, lib), _NODE_MANAGER])}"]
    command = ["unshare", "-m", "-u", "--propagation", "private", "bash", "-euc", "\n".join(script)]
    return _start(command, cluster.folder / f"node-{number}.log")


def _start(command: list[str], log: Path) -> subprocess.Popen[bytes]:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": "/root",
        "LANG": "C.UTF-8",
        "JAVA_HOME": os.environ.get("JAVA_HOME") or str(Path(shutil.which("java") or "").resolve().parents[1]),
    }
    with log.open("wb") as file:
        return subprocess.Popen(
            command, cwd=log.parent, stdout=file, stderr=file, start_new_session=True, env=environment
        )


def _wait_for_nodes(cluster: Yarn, daemons: list[subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        with suppress(OSError):
            address = f"http://{cluster.resource_manager}/ws/v1/cluster/nodes?states=RUNNING"
            with urllib.request.urlopen(address, timeout=5) as answer:
                if answer.read().count(b'"RUNNING"') == _NODES:
                    return
        if time.monotonic() > deadline or any(daemon.poll() is not None for daemon in daemons):
            logs = "\n".join(path.read_text("utf-8", "replace")[-3000:] for path in cluster.folder.glob("*.log"))
            raise AssertionError(f"YARN does not start:\n{logs}")
        time.sleep(1)


def _kill(daemon: subprocess.Popen[bytes]) -> None:
    """End a daemon and the containers it has started."""
    with suppress(psutil.Error):
        for process in psutil.Process(daemon.pid).children(recursive=True):
            with suppress(psutil.Error):
                process.kill()
    with suppress(ProcessLookupError):
        os.killpg(daemon.pid, signal.SIGKILL)
    daemon.wait()


def wait_until(condition: Callable[[], bool], job: subprocess.Popen[str], seconds: float = PATIENCE) -> None:
    """Until the condition holds. Raises where the job ends before, or it takes too long."""
    end = time.monotonic() + seconds
    while not condition():
        assert job.poll() is None, job.communicate()[0]
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.1)


def environment(names: Mapping[str, str]) -> dict[str, str]:
    """Settings of Spark that give the driver and the executors these variables."""
    return {
        f"{prefix}.{name}": value
        for prefix in ("spark.yarn.appMasterEnv", "spark.executorEnv")
        for name, value in names.items()
    }
