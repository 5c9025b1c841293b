"""The settings that say where a run hears of its input, when it does not list it."""

from __future__ import annotations

from dataclasses import dataclass

from snowetl.settings import Location, Settings, option
from snowetl.steps.settings import RUNS


@dataclass(frozen=True, kw_only=True)
class SourceSettings(Settings):
    """Instead of a listing. What is told is still held to ``input_folder``."""

    inventory: tuple[str, ...] = option(
        "--inventory",
        kind=Location("MANIFEST|FOLDER"),
        multiple=True,
        default=(),
        default_help="the input is listed",
        help="Take the objects of the input from this S3 Inventory, a manifest.json, or the folder of the inventory's "
        "configuration, whose newest one is meant, and list nothing. One for each bucket.",
        group=RUNS,
    )
