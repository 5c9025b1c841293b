"""Where the jars of the library Yauaa are: in folders, as files, or by Maven coordinate, fetched with Maven."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from snowetl.errors import ConfigError

JARS_VARIABLE = "SNOWETL_YAUAA_JARS"
"""The environment variable that names the jars: files and folders, joined as a class path is, or a coordinate."""

VERSION = "7.11.0"
"""The release of Yauaa that Enrich 3.9.0 uses."""
COORDINATE = f"nl.basjes.parse.useragent:yauaa:{VERSION}"

_COORDINATE = re.compile(r"(nl\.basjes\.parse\.useragent):(yauaa):([0-9][\w.-]*)")
_LOGGING = "2.24.3"
_HOW = (
    f"Set {JARS_VARIABLE} to the coordinate {COORDINATE} on a machine with Maven (mvn), or to a folder with that jar "
    "and those it depends on (docs/enrichments/yauaa.md)"
)


def class_path() -> list[str]:
    """The jars, fetched if need be. Raises ``ConfigError`` saying what to do where there are none."""
    given = os.environ.get(JARS_VARIABLE)
    if not given:
        jars = _in_folder(_cache(VERSION))
        if not jars:
            raise ConfigError(f"yauaa needs the jars of the Java library of that name. {_HOW}")
        return jars
    coordinate = _COORDINATE.fullmatch(given)
    if coordinate is not None:
        return _by_coordinate(coordinate[3])
    jars = list(_by_path(given))
    if not any(Path(jar).name.startswith("yauaa") for jar in jars):
        raise ConfigError(f"{JARS_VARIABLE}: there is no yauaa jar in {given}. {_HOW}")
    return jars


def _by_path(given: str) -> Iterator[str]:
    for place in given.split(os.pathsep):
        path = Path(place).expanduser()
        if path.is_dir():
            yield from _in_folder(path)
        elif path.is_file():
            yield str(path.absolute())
        else:
            raise ConfigError(f"{JARS_VARIABLE}: there is no file or folder {place}. {_HOW}")


def _in_folder(folder: Path) -> list[str]:
    return sorted(str(jar.absolute()) for jar in folder.glob("*.jar"))


def _cache(version: str) -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "snowetl" / f"yauaa-{version}"


def _by_coordinate(version: str) -> list[str]:
    """The jar of a release and all it depends on: from the cache folder, into which Maven copies them once."""
    folder = _cache(version)
    jars = _in_folder(folder)
    if not jars:
        _fetch(version, folder)
        jars = _in_folder(folder)
    return jars


def _fetch(version: str, folder: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise ConfigError(f"{JARS_VARIABLE} is a Maven coordinate, but there is no Maven (mvn) here. {_HOW}")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as work:
        Path(work, "pom.xml").write_text(_pom(version), "utf-8")
        command = [maven, "--batch-mode", "--quiet", "dependency:copy-dependencies", "-DoutputDirectory=jars"]
        done = subprocess.run(command, cwd=work, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if done.returncode:
            said = (done.stdout + done.stderr).decode("utf-8", "replace").strip()[:1000]
            raise ConfigError(f"Maven cannot fetch yauaa {version}: {said}")
        try:
            Path(work, "jars").rename(folder)
        except OSError:  # another process was faster
            if not _in_folder(folder):
                raise ConfigError(f"cannot move the jars of yauaa {version} to {folder}") from None


def _pom(version: str) -> str:
    """A project that depends on Yauaa, and on the logging libraries it expects to be there."""
    wanted = [("nl.basjes.parse.useragent", "yauaa", version)]
    wanted += [("org.apache.logging.log4j", f"log4j-{name}", _LOGGING) for name in ("core", "slf4j-impl", "jcl")]
    dependencies = "".join(
        f"<dependency><groupId>{group}</groupId><artifactId>{name}</artifactId><version>{number}</version></dependency>"
        for group, name, number in wanted
    )
    return (
        "<project><modelVersion>4.0.0</modelVersion><groupId>snowetl</groupId><artifactId>yauaa-jars</artifactId>"
        f"<version>1</version><dependencies>{dependencies}</dependencies></project>"
    )


if __name__ == "__main__":  # python -m snowetl.enrich.enrichments.yauaa_jars: fetches the jars, prints the class path
    os.environ.setdefault(JARS_VARIABLE, COORDINATE)
    try:
        print(os.pathsep.join(class_path()))
    except ConfigError as error:
        sys.exit(str(error))
