"""A Spark session: the one spark-submit has prepared, or a quiet one of our own on this machine."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from snowetl.errors import UsageError
from snowetl.runs.scratch import scratch_folder
from snowetl.workers import spark_daemon

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

MODULES = ("pyspark",)
"""What the extra ``spark`` of the package brings."""

LOG_CONFIG = Path(__file__).with_name("log4j2.properties")

LOCAL = "local[*,4]"
"""All cores of this machine; a task may fail three times, as on a cluster."""

_LOCAL = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile=file:{LOG_CONFIG}",
    "spark.executor.extraJavaOptions": f"-Dlog4j2.configurationFile=file:{LOG_CONFIG}",
    "spark.python.daemon.module": spark_daemon.MODULE,
}
"""Settings of a Spark that lives on this machine only: nothing listens to the network, nothing chatters."""


def under_spark_submit() -> bool:
    """Whether spark-submit started this process: then the JVM is there, and its flags say which cluster."""
    return "PYSPARK_GATEWAY_PORT" in os.environ


def is_set_up() -> bool:
    """Whether it is decided already where Spark runs: by spark-submit or by the configuration of this machine."""
    return under_spark_submit() or _cluster_is_configured()


def open_session(
    app: str, master: str | None = None, conf: Mapping[str, str] | None = None
) -> tuple[SparkSession, bool]:
    """The session to work with, and whether it is new: then the caller stops it.

    Without ``master`` spark-submit's flags and ``spark-defaults.conf`` decide, this machine where they say nothing.
    Raises :class:`UsageError` where Spark cannot be started.
    """
    if importlib.util.find_spec("pyspark") is None:
        raise UsageError("Spark is not installed. Run: pip install 'snowetl[spark]', or use --master none")
    if not under_spark_submit():
        _require_java()
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        if master is None and not _cluster_is_configured():
            master = LOCAL
    from pyspark.sql import SparkSession

    active = SparkSession.getActiveSession()
    if active is not None:
        return active, False
    builder = SparkSession.builder.appName(app)
    settings: dict[str, str] = {}
    if master is not None:
        settings["spark.master"] = master
        if master.startswith("local"):
            settings |= _LOCAL
    for key, value in (settings | dict(conf or {})).items():
        builder = builder.config(key, value)
    on_interrupt = signal.getsignal(signal.SIGINT)
    try:
        with _temporary_files_of_ours():
            session = builder.getOrCreate()
    except Exception as error:  # the JVM's message says it; its stack does not help
        reason = str(error).strip().split("\n", 1)[0]
        raise UsageError(f"cannot start Spark{f' with --master {master}' if master else ''}: {reason}") from error
    if on_interrupt is not None and threading.current_thread() is threading.main_thread():
        # Spark's handler outlives its context, and fails then. The pool calls its jobs off itself.
        signal.signal(signal.SIGINT, on_interrupt)
    session.sparkContext.setLogLevel("WARN")
    return session, True


@contextmanager
def _temporary_files_of_ours() -> Iterator[None]:
    """What Spark's Python side puts down while it starts lies where it is swept, should this process be killed."""
    before = tempfile.tempdir
    with scratch_folder() as folder:
        tempfile.tempdir = str(folder)
        try:
            yield
        finally:
            tempfile.tempdir = before


@contextmanager
def submitted_session(app: str) -> Iterator[None]:
    """Under spark-submit, a session that all work in here shares; else nothing.

    An application of YARN takes executors for its first context only, so there must be one for all steps of a run.
    """
    if not under_spark_submit():
        yield
        return
    session, _ = open_session(app)
    try:
        yield
    finally:
        session.stop()


def _cluster_is_configured() -> bool:
    """Whether ``spark-defaults.conf`` or the environment names a master, as on the nodes of an EMR cluster."""
    if "MASTER" in os.environ:
        return True
    home = os.environ.get("SPARK_HOME")
    folder = os.environ.get("SPARK_CONF_DIR") or (f"{home}/conf" if home else None)
    defaults = Path(folder) / "spark-defaults.conf" if folder else None
    return defaults is not None and defaults.exists() and "spark.master" in defaults.read_text("utf-8", "replace")


def _require_java() -> None:
    home = os.environ.get("JAVA_HOME") or None
    if home is not None and not (Path(home) / "bin" / "java").exists():
        raise UsageError(f"JAVA_HOME is {home}, but there is no bin/java in it. Spark needs Java 17 or 21")
    if home is None and shutil.which("java") is None:
        raise UsageError(
            "Spark needs Java 17 or 21, which was not found: install it (or set JAVA_HOME), or use --master none"
        )
