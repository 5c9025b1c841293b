"""How ``snowetl run`` and ``snowetl resume`` end: what of a finished run still needs attention."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from snowetl.cli import console


def check(report: Mapping[str, Any]) -> None:
    """Exit with 1 where the counts of a run do not add up, or its archive lacks files; say so."""
    if report["differences"]:
        console.fail(f"the counts do not add up: {'; '.join(report['differences'])}")
        raise click.exceptions.Exit(1)
    if not report.get("archive", {"done": True})["done"]:
        console.fail("the run is done, but its archive is not complete: run the same command again to complete it")
        raise click.exceptions.Exit(1)
