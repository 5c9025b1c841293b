"""The address of an SQS queue: its URL, its ARN, or its name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_NAME = r"(?P<name>[\w-]{1,80}(?:\.fifo)?)"
_FORMS = (
    re.compile(rf"arn:aws[\w-]*:sqs:(?P<region>[\w-]+):(?P<account>\d+):{_NAME}", re.ASCII),
    re.compile(rf"https?://(?:sqs\.(?P<region>[\w-]+)\.[^/]+|[^/]+)/(?P<account>\d+)/{_NAME}", re.ASCII),
    re.compile(_NAME, re.ASCII),
)


@dataclass(frozen=True, slots=True)
class QueueAddress:
    """``given`` is what the user wrote; ``region`` and ``account`` are ``None`` where it does not tell them."""

    given: str
    name: str
    region: str | None = None
    account: str | None = None

    @classmethod
    def of(cls, text: str) -> QueueAddress:
        """Raises ``ValueError`` that says what is wrong."""
        match = next((match for form in _FORMS if (match := form.fullmatch(text))), None)
        if match is None:
            raise ValueError(
                f"'{text}' is not a queue of SQS, such as https://sqs.eu-west-1.amazonaws.com/123456789012/raw-logs, "
                "arn:aws:sqs:eu-west-1:123456789012:raw-logs, or raw-logs"
            )
        found = match.groupdict()
        if found["name"].endswith(".fifo"):
            raise ValueError(
                f"'{text}' is a FIFO queue, which gives out ten messages and no more until they are deleted: let S3 "
                "tell a standard queue"
            )
        return cls(text, found["name"], found.get("region"), found.get("account"))

    def client(self) -> Any:
        """A client of SQS in the queue's region."""
        import boto3
        from botocore.config import Config

        patience = Config(
            retries={"mode": "standard", "total_max_attempts": 6},
            connect_timeout=10,
            read_timeout=60,
            max_pool_connections=32,
        )
        make: Any = boto3.client
        return make("sqs", region_name=self.region, config=patience)

    def url(self, client: Any) -> str:
        """The queue's URL, as requests need it."""
        if "://" in self.given:
            return self.given
        owner = {} if self.account is None else {"QueueOwnerAWSAccountId": self.account}
        return str(client.get_queue_url(QueueName=self.name, **owner)["QueueUrl"])

    def __str__(self) -> str:
        return self.name
