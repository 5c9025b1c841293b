"""The logs that jobs on EMR leave on S3: the end of the right one, and the probable cause of a failure."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator

from snowetl.errors import SnowetlError
from snowetl.settings.secrets import redact
from snowetl.storage import filesystem

LINES = 30
CAUSE = "probable cause: "
_APPLICATION = re.compile(r"application_\d+_\d+")
_CAUSES = (
    (r"snowetl: error: (.+)", "{0}"),
    (r"ModuleNotFoundError: ([^\n]+)", "the environment of --emr-package lacks a package: {0}"),
    (r"\n(\w[\w.]*(?:Error|Exception): [^\n]+)\n(?![\s\S]*Traceback)", "{0}"),
    (
        r"beyond (?:physical|virtual) memory|exceeding memory limits|[Ee]xit(?:ed with)? (?:code|status):? ?137",
        "a container had too little memory: raise spark.executor.memoryOverhead or spark.driver.memory (--emr-conf)",
    ),
    (r"java\.lang\.OutOfMemoryError", "the JVM had too little memory: raise spark.driver.memory (--emr-conf)"),
    (r"No space left on device", "a disk is full: give the instances more (volumes of cluster.yml)"),
    (r"(?:AccessDenied|Access Denied|not authorized to perform)[^\n]*", "the role lacks a right: {match}"),
    (r"(?:NoSuchBucket|NoSuchKey)[^\n]*", "a place on S3 is not there: {match}"),
    (r"User did not initialize spark context", "the job ended before it began with Spark"),
    (r"ApplicationMaxCapacityExceeded[^\n]*", "the application's maximumCapacity is too small for the job"),
)
"""What logs of failures have in them, and what that means. The first that is found counts."""


def tail(*folders: str) -> str:
    """The last lines of the log of a job, and above them the probable cause. Empty while no log is there.

    ``folders`` are looked at in turn; of each, its files of errors come before those of output.
    """
    for folder in folders:
        for url in _logs(folder):
            text = _read(url)
            if text.strip():
                cause = probable_cause(text)
                lines = redact("\n".join(text.rstrip().splitlines()[-LINES:]))
                head = f"{CAUSE}{redact(cause)}\n" if cause else ""
                return f"{head}the end of {url}:\n{lines}"
    return ""


def is_there(folder: str) -> bool:
    """Whether there is any log below ``folder``."""
    return next(_logs(folder), None) is not None


def probable_cause(text: str) -> str:
    """Why a job failed, by what its log says; empty for a log that does not tell."""
    for pattern, meaning in _CAUSES:
        found = list(re.finditer(pattern, text))
        if found:
            match = found[-1]
            return meaning.format(*match.groups(), match=match[0])[:500]
    return ""


def application_of(folder: str) -> str | None:
    """The id that YARN gave to the step whose logs are in ``folder``: below it lie the logs of its driver."""
    for url in _logs(folder):
        found = _APPLICATION.search(_read(url))
        if found is not None:
            return found[0]
    return None


def _logs(folder: str) -> Iterator[str]:
    """The logs below a folder: errors before output, the driver's container (the first) before others."""
    try:
        urls = [file.url for file in filesystem(folder).list(folder)]
    except SnowetlError:
        return
    ranks = {"stderr": 0, "stdout": 1}
    known = [url for url in urls if url.rpartition("/")[2].removesuffix(".gz") in ranks]
    # what the job itself said stands in stdout of its container only if it printed: errors go to stderr
    yield from sorted(
        known, key=lambda url: (url.rpartition("/")[0], ranks[url.rpartition("/")[2].removesuffix(".gz")])
    )


def _read(url: str) -> str:
    try:
        content = filesystem(url).get(url)
        return (gzip.decompress(content) if url.endswith(".gz") else content).decode("utf-8", "replace")
    except (SnowetlError, OSError, EOFError, zlib.error):
        return ""
