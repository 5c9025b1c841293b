"""A real name node and data node as plain processes on loopback, from jars that Maven fetches once.

``SNOWETL_HADOOP_JARS`` names a folder that has the jars already; else they are fetched into the user's cache.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests import maven

HADOOP = "3.4.1"
_JARS = (
    f"org.apache.hadoop:hadoop-client-api:{HADOOP}",
    f"org.apache.hadoop:hadoop-client-runtime:{HADOOP}",
    f"org.apache.hadoop:hadoop-client-minicluster:{HADOOP}",
    "org.slf4j:slf4j-api:1.7.36",
    "org.slf4j:slf4j-reload4j:1.7.36",
    "ch.qos.reload4j:reload4j:1.2.22",
    "commons-logging:commons-logging:1.2",
)
_OPENED = ("java.lang", "java.util", "java.io")
_NAME_NODE = "org.apache.hadoop.hdfs.server.namenode.NameNode"
_DATA_NODE = "org.apache.hadoop.hdfs.server.datanode.DataNode"


def jars(more: Sequence[str] = ()) -> Path:
    """The folder of jars. Skips the test where neither they nor Maven can be had."""
    folder = Path(os.environ.get("SNOWETL_HADOOP_JARS") or maven.cache(f"hadoop-{HADOOP}"))
    maven.jars(folder, (*_JARS, *more), "a cluster of HDFS")
    return folder


def java(configuration: Path, lib: Path, heap: str = "256m") -> list[str]:
    """How a daemon is started, but for the name of its class. Skips the test where there is no Java."""
    program = shutil.which("java", path=f"{os.environ.get('JAVA_HOME', '')}/bin:{os.environ['PATH']}")
    if program is None:
        pytest.skip("a cluster of HDFS needs Java")
    return [
        *(program, f"-Xmx{heap}", "-Djava.net.preferIPv4Stack=true", f"-Dhadoop.log.dir={configuration.parent}"),
        *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED),
        *("-cp", f"{configuration}:{lib}/*"),
    ]


@contextmanager
def cluster(folder: Path) -> Iterator[str]:
    """``hdfs://host:port`` of a cluster of one node that keeps its data in ``folder``."""
    configuration, port = folder / "conf", free_port()
    configuration.mkdir()
    _configure(configuration, folder, port)
    command = java(configuration, jars())
    format_ = [*command, _NAME_NODE, "-format", "-nonInteractive"]
    subprocess.run(format_, check=True, capture_output=True, timeout=600, cwd=folder)
    daemons = []
    try:
        for main in (_NAME_NODE, _DATA_NODE):
            with (folder / f"{main.rpartition('.')[2]}.log").open("wb") as log:
                daemons.append(
                    subprocess.Popen([*command, main], cwd=folder, stdout=log, stderr=log, start_new_session=True)
                )
        _wait_until_it_writes(f"hdfs://127.0.0.1:{port}", folder)
        yield f"hdfs://127.0.0.1:{port}"
    finally:
        for daemon in daemons:
            with suppress(ProcessLookupError):
                os.killpg(daemon.pid, signal.SIGKILL)
            daemon.wait()


def _configure(configuration: Path, folder: Path, port: int) -> None:
    core = {"fs.defaultFS": f"hdfs://127.0.0.1:{port}", "hadoop.tmp.dir": f"{folder}/tmp"}
    hdfs = {
        "dfs.replication": "1",
        "dfs.permissions.enabled": "false",
        "dfs.namenode.name.dir": f"file://{folder}/name",
        "dfs.datanode.data.dir": f"file://{folder}/data",
        "dfs.namenode.fs-limits.min-block-size": "1024",
        **dict.fromkeys(("dfs.namenode.http-address", "dfs.datanode.address"), "127.0.0.1:0"),
        **dict.fromkeys(("dfs.datanode.ipc.address", "dfs.datanode.http.address"), "127.0.0.1:0"),
    }
    write_site(configuration / "core-site.xml", core)
    write_site(configuration / "hdfs-site.xml", hdfs)
    (configuration / "log4j.properties").write_text(
        "log4j.rootLogger=WARN,console\nlog4j.appender.console=org.apache.log4j.ConsoleAppender\n"
        "log4j.appender.console.layout=org.apache.log4j.PatternLayout\n"
        "log4j.appender.console.layout.ConversionPattern=%d %p %c: %m%n\n"
    )


def write_site(path: Path, settings: Mapping[str, str]) -> None:
    """A configuration file of Hadoop."""
    rows = "".join(f"<property><name>{key}</name><value>{value}</value></property>" for key, value in settings.items())
    path.write_text(f"<configuration>{rows}</configuration>")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _wait_until_it_writes(base: str, folder: Path) -> None:
    from snowetl.errors import SnowetlError
    from snowetl.storage.hdfs import HdfsFileSystem

    deadline = time.monotonic() + 600  # a guard against hanging, on however busy a machine
    while True:
        try:
            HdfsFileSystem().put(f"{base}/ready", b"yes")
            return
        except SnowetlError as error:
            if time.monotonic() > deadline:
                logs = "\n".join(path.read_text("utf-8", "replace")[-2000:] for path in folder.glob("*.log"))
                raise AssertionError(f"HDFS does not start: {error}\n{logs}") from error
        time.sleep(1)
