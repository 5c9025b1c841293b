"""An SQS queue that tells of transformed runs, one message each (rdb-loader 5.6.3 ``Discovery``).

A message is hidden from others while its run is loaded, however long that takes, and deleted when the run is in the
manifest. One that is not deleted comes again; how often, and what then, the queue's redrive policy says.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from snowetl.errors import ConfigError, StorageError
from snowetl.jvm import jsontext
from snowetl.load.run import TransformedRun, run_of
from snowetl.sqs import QueueAddress, QueueClient, sent_text

VISIBILITY_SECONDS = 300
"""How long a message is hidden at a time: as in RDB Loader, ``timeouts.sqsVisibility``."""
_POLL_SECONDS = 5
"""How long a question waits for a message; whoever is told to stop waits so long at most."""
_AGAIN_SECONDS = 30
"""After a failure that may pass, a message comes again as soon as this."""


class Message(NamedTuple):
    """One message: its text, and what SQS knows it by."""

    text: str
    id: str
    receipt: str

    def run(self) -> TransformedRun:
        """The run it tells of. Raises ``UsageError`` for another text, ``StorageError``."""
        base = _base_in(self.text)
        return run_of(self.text, base)


def _base_in(text: str) -> str:
    """The folder a ``shredding_complete`` names; empty for any other text, which is refused when it is read."""
    try:
        base = jsontext.loads(text)["data"]["base"]
    except (jsontext.JsonError, KeyError, TypeError):
        return ""
    return str(base).rstrip("/") + "/"


class Announcements:
    """``queue`` is the URL of a queue, its ARN, or its name. Raises ``ConfigError`` for another text."""

    def __init__(self, queue: str, region: str | None = None, visibility: int = VISIBILITY_SECONDS) -> None:
        try:
            address = QueueAddress.of(queue)
        except ValueError as error:
            raise ConfigError(f"--listen: {error}") from None
        self.visibility = visibility
        self._queue = QueueClient(address, region)

    def check(self) -> None:
        """Raises ``ConfigError`` for a queue that is not there or must not be read."""
        self._queue.ask("listen to", "get_queue_attributes", AttributeNames=["QueueArn"])

    def next(self) -> Message | None:
        """A message; ``None`` where none has come within some seconds. Raises ``StorageError``, ``ConfigError``."""
        found = self._queue.ask(
            "listen to",
            "receive_message",
            MaxNumberOfMessages=1,
            WaitTimeSeconds=_POLL_SECONDS,
            VisibilityTimeout=self.visibility,
        ).get("Messages", ())
        return Message(sent_text(found[0]["Body"]), found[0]["MessageId"], found[0]["ReceiptHandle"]) if found else None

    @contextmanager
    def held(self, message: Message, warn: Callable[[str], None]) -> Iterator[None]:
        """Keep a message hidden until this is left."""
        left = threading.Event()

        def hold() -> None:
            while not left.wait(self.visibility * 0.9):
                try:
                    self._hide(message, self.visibility)
                except StorageError as error:  # the run may be loaded by another loader, too: by one of them only
                    warn(str(error))

        thread = threading.Thread(target=hold, name="snowetl-visibility", daemon=True)
        thread.start()
        try:
            yield
        finally:
            left.set()
            thread.join()

    def done(self, message: Message) -> None:
        """Delete a message."""
        self._queue.ask("delete a message of", "delete_message", ReceiptHandle=message.receipt)

    def give_back(self, message: Message, soon: bool) -> None:
        """Let a message come again: ``soon``, or when it would have by itself."""
        self._hide(message, min(_AGAIN_SECONDS, self.visibility) if soon else self.visibility)

    def _hide(self, message: Message, seconds: int) -> None:
        self._queue.ask(
            "hide a message of", "change_message_visibility", ReceiptHandle=message.receipt, VisibilityTimeout=seconds
        )
