"""Queues of SQS: their addresses, requests to them, and the errors of SQS in the user's words."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from snowetl.errors import ConfigError, StorageError
from snowetl.jvm import jsontext

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
        """Read the URL, the ARN or the name of a queue. Raises ``ValueError`` that says what is wrong."""
        match = next((match for form in _FORMS if (match := form.fullmatch(text))), None)
        if match is None:
            raise ValueError(
                f"'{text}' is not a queue of SQS, such as https://sqs.eu-west-1.amazonaws.com/123456789012/raw-logs, "
                "arn:aws:sqs:eu-west-1:123456789012:raw-logs, or raw-logs"
            )
        found = match.groupdict()
        return cls(text, found["name"], found.get("region"), found.get("account"))

    @property
    def is_fifo(self) -> bool:
        return self.name.endswith(".fifo")

    def __str__(self) -> str:
        return self.name


@dataclass(slots=True)
class QueueClient:
    """A queue to send requests to; ``region`` counts where the address does not tell one."""

    address: QueueAddress
    region: str | None = None
    _client: Any = field(default=None, repr=False)
    _url: str = ""

    def ask(self, verb: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """The answer to an operation of boto3's client, such as ``receive_message``. Requests are tried again.

        ``verb`` is what could not be done, for the message of an error, such as "receive from". Raises ``ConfigError``
        for a queue that is not there or must not be used so, ``StorageError`` where SQS does not answer.
        """
        from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

        what = f"cannot {verb} the queue {self.address}"
        try:
            if self._client is None:
                self._open()
            answer: dict[str, Any] = getattr(self._client, operation)(QueueUrl=self._url, **parameters)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if "NonExistentQueue" in code or "QueueDoesNotExist" in code:
                raise ConfigError(f"{what}: there is no such queue; check its name, region and account") from error
            if "AccessDenied" in code:
                raise ConfigError(
                    f"{what}: access denied; the role needs sqs:GetQueueUrl, GetQueueAttributes, ReceiveMessage, "
                    "DeleteMessage and ChangeMessageVisibility"
                ) from error
            raise StorageError(f"{what}: SQS answers {error}; try again later") from error
        except (NoCredentialsError, NoRegionError) as error:
            raise ConfigError(f"{what}: {error}; set AWS_DEFAULT_REGION and credentials, or give its URL") from error
        except BotoCoreError as error:
            raise StorageError(f"{what}: {error}; check the network and run again") from error
        return answer

    def _open(self) -> None:
        import boto3
        from botocore.config import Config

        patience = Config(
            retries={"mode": "standard", "total_max_attempts": 6},
            connect_timeout=10,
            read_timeout=60,
            max_pool_connections=32,
        )
        make: Any = boto3.client
        client = make("sqs", region_name=self.address.region or self.region, config=patience)
        self._url = _url(self.address, client)
        self._client = client


def _url(address: QueueAddress, client: Any) -> str:
    if "://" in address.given:
        return address.given
    owner = {} if address.account is None else {"QueueOwnerAWSAccountId": address.account}
    return str(client.get_queue_url(QueueName=address.name, **owner)["QueueUrl"])


def sent_text(body: str) -> str:
    """What was sent: the body of a message, or what is within it where SNS without raw delivery put a notice around."""
    try:
        notice = jsontext.loads(body)
    except jsontext.JsonError:
        return body
    inner = notice.get("Message") if isinstance(notice, dict) and notice.get("Type") == "Notification" else None
    return inner if isinstance(inner, str) else body
