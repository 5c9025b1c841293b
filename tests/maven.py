"""Jars of programs that tests run, from Maven Central; they stay in the user's cache."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"


def cache(name: str) -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "snowetl" / name


def jars(folder: Path, artifacts: Sequence[str], what: str) -> list[Path]:
    """Files of artifacts (``group:name:version``), fetched where ``folder`` lacks them.

    Skips the test, saying that ``what`` needs them, where they cannot be had.
    """
    found = []
    for artifact in artifacts:
        _, name, version = artifact.split(":")
        found.append(folder / f"{name}-{version}.jar")
        if found[-1].exists():
            continue
        maven = shutil.which("mvn")
        if maven is None:
            pytest.skip(f"{what} needs {artifact}: put it into {folder}, or install Maven")
        copy = [maven, "-q", "-B", _COPY, f"-Dartifact={artifact}:jar", f"-DoutputDirectory={folder}"]
        if subprocess.run(copy, capture_output=True, timeout=600).returncode:
            pytest.skip(f"{what} needs {artifact}, which Maven cannot fetch")
    return found
