"""An SQS queue that S3 tells of each object it writes, instead of a listing.

A message stays in the queue until its objects are in the ledger: whoever dies before leaves it to the next run, and
what the next run hears a second time, the ledger knows. Messages that are not from S3 are named, and left to the
queue's dead-letter queue.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import Any, NamedTuple

from snowetl.errors import SnowetlError
from snowetl.orchestrator.sources import s3_events
from snowetl.orchestrator.sources.base import Source, Wanted
from snowetl.orchestrator.sources.s3_events import Written
from snowetl.settings.words import count
from snowetl.spool import Spool, sorted_spool
from snowetl.sqs import QueueClient
from snowetl.steps.base import Watch
from snowetl.storage import FileInfo
from snowetl.storage.base import at_once

_MOST = 100_000
"""So many messages are received by one run: SQS lets 120,000 be held that are not deleted."""
_HELD_SECONDS = 1800
"""How long SQS hides a message that was received: until its files are in the ledger."""
_WAIT_SECONDS = 1
"""Long polling asks all servers of the queue, so an empty answer means an empty queue."""
_BATCH = 10
_NAMED = 3


class _Message(NamedTuple):
    receipt: str
    urls: tuple[str, ...]


@dataclass(slots=True)
class _Some:
    """Things of one kind: how many, and the first of them."""

    number: int = 0
    names: list[str] = field(default_factory=list)

    def add(self, name: str) -> None:
        self.number += 1
        if len(self.names) < _NAMED:
            self.names.append(name)


@dataclass(slots=True)
class Queue(Source):
    """``most_bytes``: so many bytes of new objects are enough, the other messages stay where they are."""

    client: QueueClient
    wanted: Wanted
    watch: Watch
    most_bytes: int | None = None
    _messages: Spool[_Message] | None = field(default=None, repr=False)
    _files: Spool[FileInfo] = field(default_factory=Spool, repr=False)
    _urls: set[str] = field(default_factory=set, repr=False)

    def files(self) -> Iterator[FileInfo]:
        """The latest word on each object that is waiting in the queue; messages are received once."""
        if self._messages is None:
            self._messages = Spool()
            self._receive(self._messages)
        return iter(self._files)

    def has_told(self, url: str) -> bool:
        return url in self._urls

    def note(self) -> str:
        names = ["ApproximateNumberOfMessages", "RedrivePolicy"]
        found = self.client.ask("look at", "get_queue_attributes", AttributeNames=names).get("Attributes", {})
        aside = "" if "RedrivePolicy" in found else "; it has no dead-letter queue: messages that are not from S3 stay"
        waiting = int(found.get("ApproximateNumberOfMessages", 0))
        return f"the queue {self.client.address}: about {count(waiting, 'message waits', 'messages wait')}{aside}"

    def forget(self, left: Collection[str]) -> None:
        """Delete the messages whose objects are in the ledger, or need not be. Those with an object that is ``left``
        for a later run go back.
        """
        messages, self._messages = self._messages or (), None
        done = (message for message in messages if not any(url in left for url in message.urls))
        self._all("delete", "delete_message_batch", done)
        if left:
            self._give_back(message for message in messages if any(url in left for url in message.urls))

    def close(self) -> None:
        """Messages that were not forgotten go back: the next run hears of them at once."""
        messages, self._messages = self._messages or (), None
        self._give_back(messages)

    # --- receiving ----------------------------------------------------------------------------------------------------

    def _receive(self, messages: Spool[_Message]) -> None:
        events: Spool[Written] = Spool()
        strange, outside = _Some(), _Some()
        size = 0
        for batch in self._received():
            for message in batch:
                try:
                    told = s3_events.read(message["Body"])
                except ValueError as error:
                    strange.add(f"{message['MessageId']} ({error})")
                    continue
                here = [event for event in told if self.wanted(event.file.url)]
                for event in told:
                    if not self.wanted(event.file.url):
                        outside.add(event.file.url)
                events.extend(here)
                size += sum(event.file.size for event in here)
                messages.append(_Message(message["ReceiptHandle"], tuple(event.file.url for event in here)))
            if self.most_bytes is not None and size >= self.most_bytes:
                break
        in_order = sorted_spool(events, key=lambda event: (event.file.url, event.sequencer))
        self._files = Spool([*of][-1].file for _, of in groupby(in_order, key=lambda event: event.file.url))
        self._urls = {file.url for file in self._files}
        self._tell(len(messages), strange, outside)

    def _received(self) -> Iterator[list[dict[str, Any]]]:
        """Messages, batch by batch, each once, until the queue is empty."""
        seen: set[str] = set()
        while len(seen) < _MOST:
            answer = self.client.ask(
                "receive from",
                "receive_message",
                MaxNumberOfMessages=_BATCH,
                WaitTimeSeconds=_WAIT_SECONDS,
                VisibilityTimeout=_HELD_SECONDS,
            )
            new = [message for message in answer.get("Messages", ()) if message["MessageId"] not in seen]
            if not new:
                return
            seen.update(message["MessageId"] for message in new)
            yield new

    def _tell(self, messages: int, strange: _Some, outside: _Some) -> None:
        if messages:
            self.watch.say(f"the queue {self.client.address}: {count(messages, 'message')}")
        if outside.number:
            self.watch.warn(
                f"the queue {self.client.address} tells of {count(outside.number, 'object')} that --input-folder "
                f"leaves out, such as {outside.names[0]}: skipped. Give the bucket's notification a prefix"
            )
        if strange.number:
            self.watch.warn(
                f"the queue {self.client.address} holds {count(strange.number, 'message')} not of S3, such as "
                f"{'; '.join(strange.names)}: left there for its dead-letter queue. Delete them if it has none"
            )

    # --- after it -----------------------------------------------------------------------------------------------------

    def _give_back(self, messages: Iterable[_Message]) -> None:
        self._all("give back", "change_message_visibility_batch", messages, VisibilityTimeout=0)

    def _all(self, verb: str, operation: str, messages: Iterable[_Message], **parameters: Any) -> None:
        """Do something to all messages, batch by batch. One that fails comes again: the ledger knows its objects."""
        failed: list[str] = []

        def one(batch: Sequence[_Message]) -> None:
            entries = [
                {"Id": str(number), "ReceiptHandle": each.receipt, **parameters} for number, each in enumerate(batch)
            ]
            try:
                answer = self.client.ask(f"{verb} messages of", operation, Entries=entries)
                failed.extend(each.get("Code", "") for each in answer.get("Failed", ()))
            except SnowetlError as error:
                failed.append(str(error))

        remaining = iter(messages)
        at_once(one, iter(lambda: list(islice(remaining, _BATCH)), []))
        if failed:
            self.watch.warn(
                f"cannot {verb} {count(len(failed), 'message')} of the queue {self.client.address}: {failed[0]}. They "
                "come again, and do no harm"
            )
