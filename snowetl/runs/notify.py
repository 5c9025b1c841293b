"""Telling loaders that a run is complete: a message to an SQS queue or an SNS topic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from snowetl.errors import ConfigError, StorageError

_GROUP = "shredding"


@dataclass(frozen=True, slots=True)
class Queue:
    """``target`` is the name or URL of an SQS queue, or the ARN of an SNS topic."""

    target: str
    region: str | None = None

    def __post_init__(self) -> None:
        if self.target.startswith("arn:") and ":sns:" not in self.target:
            raise ConfigError(f"queue: {self.target} is not an SNS topic; give an SQS queue by its name or URL")

    def send(self, text: str) -> None:
        """Send a message; to a FIFO queue or topic, in the group ``shredding``. Raises :class:`StorageError`."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            self._publish(text) if self.target.startswith("arn:") else self._queue(text)
        except (BotoCoreError, ClientError) as error:
            raise StorageError(
                f"the run is transformed, but {self.target} could not be notified: {error}. Run again to notify it"
            ) from None

    def _publish(self, text: str) -> None:
        fifo = {"MessageGroupId": _GROUP} if self.target.endswith(".fifo") else {}
        self._client("sns").publish(TopicArn=self.target, Message=text, **fifo)

    def _queue(self, text: str) -> None:
        client = self._client("sqs")
        url = self.target if "://" in self.target else client.get_queue_url(QueueName=self.target)["QueueUrl"]
        fifo = {"MessageGroupId": _GROUP} if self.target.endswith(".fifo") else {}
        client.send_message(QueueUrl=url, MessageBody=text, **fifo)

    def _client(self, service: str) -> Any:
        import boto3
        from botocore.config import Config

        retries = Config(retries={"max_attempts": 10, "mode": "standard"})
        make: Any = boto3.client
        return make(service, region_name=self.region, config=retries)
