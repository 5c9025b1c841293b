"""Runs ``snowetl import-config`` on files of these tests, and reads what it wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from snowetl import documents
from snowetl.cli.main import main
from snowetl.cli.verbs import settings_of_all
from snowetl.orchestrator.imports.found import Cluster
from snowetl.orchestrator.imports.yml import read_cluster
from snowetl.settings.yml import read_config

FILES = Path(__file__).parent / "files"


def imported(into: Path, *arguments: str) -> int:
    """The exit code of an import into ``into``."""
    return main(["import-config", *arguments, "--into", str(into)])


def settings(into: Path, verb: str, **environment: str) -> dict[str, Any]:
    """What the written ``snowetl.yml`` says for a verb, read as the verb reads it."""
    found = read_config(into / "snowetl.yml", settings_of_all(), verb, environment)
    return {name: value for name, (value, _) in found.items()}


def cluster(into: Path) -> Cluster:
    return read_cluster(documents.read(into / "cluster.yml", "the cluster"))
