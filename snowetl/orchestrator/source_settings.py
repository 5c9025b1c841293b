"""The settings that say where a run hears of its input, when it does not list it, and where raw files are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from snowetl.settings import Kind, Location, Settings, option
from snowetl.steps.settings import IO, RUNS


@dataclass(frozen=True)
class StandardQueue(Kind):
    """A queue of SQS that S3 may tell of objects."""

    metavar: str = "URL|ARN|NAME"

    def parse(self, value: Any) -> str:
        from snowetl.sqs import QueueAddress

        address = QueueAddress.of(str(value))
        if address.is_fifo:
            raise ValueError(
                f"'{value}' is a FIFO queue, which gives out ten messages and no more until they are deleted: let S3 "
                "notify a standard queue"
            )
        return address.given


@dataclass(frozen=True, kw_only=True)
class SourceSettings(Settings):
    """Instead of a listing, and after the run. What is told is still held to ``input_folder``."""

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
    input_queue: str | None = option(
        "--input-queue",
        kind=StandardQueue(),
        default=None,
        default_help="none",
        help="Take the objects that S3 has told this SQS queue of (event notifications, also by SNS or EventBridge), "
        "and list nothing.",
        group=RUNS,
    )
    archive: str | None = option(
        "--archive",
        kind=Location(),
        default=None,
        default_help="none",
        help="When all steps are done, copy the raw files of the run into run=<id>/ here, and verify the copies. The "
        "originals stay.",
        group=IO,
    )
