"""The settings of the sources of input other than a listing, and of the archive of raw files."""

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
        help="Read the list of input objects from this S3 Inventory instead of listing the bucket: a "
        "manifest.json, or the folder of the inventory's configuration, whose newest manifest is read. Give "
        "one for each bucket.",
        group=RUNS,
    )
    input_queue: str | None = option(
        "--input-queue",
        kind=StandardQueue(),
        default=None,
        default_help="none",
        help="Read the list of input objects from this SQS queue, which S3 notifies (directly, by SNS or by "
        "EventBridge), instead of listing the bucket.",
        group=RUNS,
    )
    archive: str | None = option(
        "--archive",
        kind=Location(),
        default=None,
        default_help="none",
        help="When all steps are done, copy the raw files of the run to run=<id>/ in this folder, and verify the "
        "copies. The originals stay.",
        group=IO,
    )
