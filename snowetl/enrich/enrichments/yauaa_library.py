"""The Java library Yauaa in a JVM of its own, beside this process: Python asks it through py4j.

The JVM costs some 350 MB and a second of CPU to start, then about one millisecond for each agent it has not seen.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from snowetl.enrich.enrichments.yauaa_jars import class_path
from snowetl.errors import ConfigError, LookupFailed
from snowetl.jvm import jsontext
from snowetl.jvm.strings import to_units

EXTRA = ("yauaa", "py4j")
USER_AGENT = "User-Agent"

_JAVA_OPTIONS = (
    "-Xmx1g",
    "-Xss4m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",  # agents are few: compiling quickly beats compiling well
    "-Dlog4j2.level=OFF",
)
_SECONDS_PER_AGENT = 60
_MAIN = "py4j.GatewayServer"


class Analysis(NamedTuple):
    """What the library says: its fields under its own names, in its order; and which release says so."""

    fields: dict[str, str]
    version: str


class Overtaxed(Exception):
    """The library does not come to an end with an agent, or dies of it."""


def check() -> None:
    """Raises ``ConfigError`` where Java, py4j or the jars are missing."""
    _java()
    _py4j_jar()
    class_path()


class Library:
    """The library at work in its JVM. It is started by the first question; :meth:`close` ends it."""

    def __init__(self) -> None:
        self._jvm: _Jvm | None = None
        self._lock = threading.Lock()

    def analyse(self, headers: Mapping[str, str]) -> Analysis:
        """What the library tells from request headers, whose names differ by more than case.

        Raises :class:`Overtaxed` (the next question finds a new JVM), ``ConfigError``, ``LookupFailed``.
        """
        from py4j.protocol import Py4JError

        with self._lock:
            if self._jvm is None:
                self._jvm = _Jvm()
            try:
                return Analysis(self._jvm.analyse(headers), self._jvm.version)
            except Py4JError as error:
                self.close()
                raise Overtaxed(str(error)) from None

    def close(self) -> None:
        jvm, self._jvm = self._jvm, None
        if jvm is not None:
            jvm.close()


class _Jvm:
    """A JVM process, and the objects in it that do the work."""

    def __init__(self) -> None:
        from py4j.java_gateway import GatewayParameters, JavaGateway
        from py4j.protocol import Py4JError

        jars = os.pathsep.join([*class_path(), _py4j_jar()])
        command = [_java(), *_JAVA_OPTIONS, "-cp", jars, _MAIN, "--enable-auth", "--die-on-broken-pipe", "0"]
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, start_new_session=True
            )
        except OSError as error:
            raise ConfigError(f"yauaa: cannot start {command[0]}: {error.strerror or error}") from None
        assert self._process.stdout is not None
        try:
            port, token = (self._process.stdout.readline().decode().strip() for _ in range(2))
            if not port.isdecimal():
                raise self._fault("Java does not start")
            self._gateway = JavaGateway(
                gateway_parameters=GatewayParameters(port=int(port), auth_token=token, read_timeout=_SECONDS_PER_AGENT)
            )
            self._java = self._gateway.jvm
            try:
                library = self._java.nl.basjes.parse.useragent
                self.version: str = library.Version.getInstance().getProjectVersion()
                self._analyser = library.UserAgentAnalyzer.newBuilder().hideMatcherLoadStats().build()
            except (Py4JError, TypeError) as error:
                raise self._fault(f"the jars of yauaa cannot be used ({error})") from None
        except BaseException:
            self.close()
            raise

    def analyse(self, headers: Mapping[str, str]) -> dict[str, str]:
        agent = headers[USER_AGENT]
        if len(headers) == 1 and _is_well_formed(agent):
            found = self._analyser.parse(agent)
        else:
            properties = self._java.java.util.Properties()
            properties.load(self._java.java.io.StringReader(_properties(headers)))
            found = self._analyser.parse(properties)
        fields: dict[str, str] = jsontext.loads(found.toJson())
        return fields

    def close(self) -> None:
        if hasattr(self, "_gateway"):
            with contextlib.suppress(Exception):
                self._gateway.close(keep_callback_server=True)
        process = self._process
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, self._errors):
            if pipe is not None:
                pipe.close()

    def _fault(self, what: str) -> LookupFailed:
        self._process.kill()
        self._process.wait()
        self._errors.seek(0)
        said = self._errors.read(2000).decode("utf-8", "replace").strip()
        return LookupFailed(f"yauaa: {what}{f': {said}' if said else ''}")


_shared = Library()
_users = 0
_users_lock = threading.Lock()


@contextlib.contextmanager
def library() -> Iterator[Library]:
    """The library; all who have it open at a time share one JVM, which ends with the last of them."""
    global _users
    with _users_lock:
        _users += 1
    try:
        yield _shared
    finally:
        with _users_lock:
            _users -= 1
            if not _users:
                _shared.close()


def _java() -> str:
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home, "bin", "java")) if home else shutil.which("java")
    if java is None or not os.access(java, os.X_OK):
        missing = f"JAVA_HOME is {home}, but there is no bin/java in it" if home else "there is none"
        raise ConfigError(f"yauaa needs Java 11 or later, and {missing}. Install one, or disable the enrichment")
    return java


def _py4j_jar() -> str:
    """The Java half of py4j: where pip put it, or among the jars of the Spark it belongs to. Raises ``ConfigError``."""
    import py4j
    from py4j.java_gateway import find_jar_path

    found: str = find_jar_path()
    if found:
        return found
    spark = os.environ.get("SPARK_HOME")
    homes = [Path(spark)] if spark else []
    for home in (*homes, *Path(py4j.__file__).parents):
        for jar in home.glob("jars/py4j-*.jar"):
            return str(jar)
    raise ConfigError("yauaa: the jar of py4j was not found. Run: pip install 'snowetl[yauaa]'")


def _is_well_formed(text: str) -> bool:
    """Whether the text survives UTF-8, in which py4j sends it."""
    return text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text)


def _properties(headers: Mapping[str, str]) -> str:
    """The headers as a file of Java properties, which can name any UTF-16 unit."""
    return "\n".join(f"{_escaped(name)}={_escaped(value)}" for name, value in headers.items())


def _escaped(text: str) -> str:
    if text.isalnum() and text.isascii():
        return text
    return "".join(f"\\u{ord(unit):04x}" for unit in to_units(text))
