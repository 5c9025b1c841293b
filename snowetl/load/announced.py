"""An SQS queue that tells of transformed runs, one message each (rdb-loader 5.6.3 ``Discovery``).

A message is hidden from others while its run is loaded, however long that takes, and deleted when the run is in the
manifest. One that is not deleted comes again; how often, and what then, the queue's redrive policy says.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from snowetl.errors import ConfigError, StorageError
from snowetl.jvm import jsontext
from snowetl.load.run import TransformedRun, run_of

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


@dataclass(slots=True)
class Announcements:
    """``queue`` is the URL of a queue, or its name."""

    queue: str
    region: str | None = None
    visibility: int = VISIBILITY_SECONDS
    _opened: Any = field(default=None, repr=False)
    _url: str = ""

    def check(self) -> None:
        """Raises ``ConfigError`` for a queue that is not there or must not be read."""
        with _explained(self.queue):
            self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])

    def next(self) -> Message | None:
        """A message; ``None`` where none has come within some seconds. Raises ``StorageError``, ``ConfigError``."""
        with _explained(self.queue):
            found = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=1,
                WaitTimeSeconds=_POLL_SECONDS,
                VisibilityTimeout=self.visibility,
            ).get("Messages", ())
        return Message(_body(found[0]["Body"]), found[0]["MessageId"], found[0]["ReceiptHandle"]) if found else None

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
        with _explained(self.queue):
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=message.receipt)

    def give_back(self, message: Message, soon: bool) -> None:
        """Let a message come again: ``soon``, or when it would have by itself."""
        self._hide(message, min(_AGAIN_SECONDS, self.visibility) if soon else self.visibility)

    def _hide(self, message: Message, seconds: int) -> None:
        with _explained(self.queue):
            self._client.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=message.receipt, VisibilityTimeout=seconds
            )

    @property
    def _client(self) -> Any:
        if self._opened is None:
            import boto3
            from botocore.config import Config

            patience = Config(retries={"mode": "standard", "total_max_attempts": 10}, read_timeout=60)
            make: Any = boto3.client
            self._opened = make("sqs", region_name=self.region, config=patience)
            named = self.queue if "://" in self.queue else None
            self._url = named or str(self._opened.get_queue_url(QueueName=self.queue)["QueueUrl"])
        return self._opened


def _body(text: str) -> str:
    """The message in a message: SNS puts another one around it."""
    try:
        outer = jsontext.loads(text)
    except jsontext.JsonError:
        return text
    inner = outer.get("Message") if isinstance(outer, dict) and outer.get("Type") == "Notification" else None
    return inner if isinstance(inner, str) else text


@contextmanager
def _explained(queue: str) -> Iterator[None]:
    """Turn errors of botocore into ours."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

    what = f"--listen {queue}"
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if "NonExistentQueue" in code or "QueueDoesNotExist" in code:
            raise ConfigError(f"{what}: there is no such queue; check its name, region and account") from None
        if "AccessDenied" in code:
            raise ConfigError(
                f"{what}: access denied; the role needs sqs:GetQueueUrl, GetQueueAttributes, ReceiveMessage, "
                "DeleteMessage and ChangeMessageVisibility"
            ) from None
        raise StorageError(f"{what}: SQS answers {error}") from error
    except (NoCredentialsError, NoRegionError) as error:
        raise ConfigError(f"{what}: {error}; set AWS_DEFAULT_REGION and credentials, or give --region") from None
    except BotoCoreError as error:
        raise StorageError(f"{what}: {error}") from error
