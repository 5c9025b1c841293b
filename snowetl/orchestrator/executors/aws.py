"""AWS clients for executors, and what an error of theirs leaves uncertain."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable
from enum import Enum
from typing import Any

from snowetl.errors import SnowetlError

_THROTTLED = frozenset(
    ("ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded", "SlowDown")
)
_TRIES = 6
_LOOKS = (0.1, 0.25, 0.75)
"""Pauses before each look for what may have been done, as shares of the interval of polling."""


class Unclear(SnowetlError):
    """A request was sent, and nobody knows whether it was carried out. What has the same token starts nothing twice."""


class EmptyAnswer(Exception):
    """AWS answered without what it was asked for."""


class Answer(Enum):
    """What an error says of the request."""

    REFUSED = "refused"
    NOT_NOW = "not done, ask again"
    UNCLEAR = "may have been done"


def client(service: str, region: str | None, *, retried: bool = True) -> Any:
    """A client of ``service``. ``retried``: requests may safely be sent twice.

    Raises :class:`SnowetlError` where there is no region.
    """
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    retries: Any = {"mode": "adaptive", "total_max_attempts": 8} if retried else {"total_max_attempts": 1}
    make: Any = boto3.client
    try:
        return make(
            service,
            region_name=region,
            config=Config(retries=retries, connect_timeout=10, read_timeout=60, user_agent_extra="snowetl"),
        )
    except BotoCoreError as error:
        raise SnowetlError(f"{service}: {error}. Give --emr-region, or set AWS_DEFAULT_REGION") from None


def errors() -> tuple[type[Exception], ...]:
    """What calls of clients raise."""
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    return (BotoCoreError, ClientError, ResponseParserError, EmptyAnswer)


def answered(response: Any, key: str) -> Any:
    """What ``response`` holds under ``key``. Raises :class:`EmptyAnswer`."""
    value = response.get(key) if isinstance(response, dict) else None
    if value is None:
        raise EmptyAnswer(f"an answer without {key}")
    return value


def meaning(error: Exception) -> Answer:
    """Whether the request was refused, is to be sent again, or may have been carried out."""
    from botocore.exceptions import ClientError, EndpointConnectionError, HTTPClientError
    from botocore.parsers import ResponseParserError

    if isinstance(error, ClientError):
        code = error.response.get("Error", {}).get("Code", "")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in _THROTTLED or status == 429:
            return Answer.NOT_NOW
        return (
            Answer.UNCLEAR
            if status >= 500 or code in ("InternalServerException", "InternalServerError")
            else Answer.REFUSED
        )
    if isinstance(error, EndpointConnectionError):
        return Answer.NOT_NOW
    lost = isinstance(error, (HTTPClientError, ResponseParserError, EmptyAnswer))
    return Answer.UNCLEAR if lost else Answer.REFUSED


def listed(paginator: Any, key: str, **parameters: Any) -> list[Any]:
    """All that a listing holds. An answer without ``key`` is not an empty list: the request is sent again."""
    for number in range(_TRIES):
        try:
            return [each for page in paginator.paginate(**parameters) for each in answered(page, key)]
        except EmptyAnswer:
            if number == _TRIES - 1:
                raise
            time.sleep(0.2 * random.uniform(0.5, 1.5))
    return []


def code_of(error: Exception) -> str:
    return str(getattr(error, "response", {}).get("Error", {}).get("Code", ""))


def token_of(folder: str, token: str) -> str:
    """The token of an attempt, in an account that other pipelines share: runs of theirs may have the same id."""
    return hashlib.sha256(f"{folder}/{token}".encode()).hexdigest()[:32]


def exactly_once(
    what: str,
    send: Callable[[], str],
    find: Callable[[], str | None],
    interval: float,
    sleep: Callable[[float], None] = time.sleep,
) -> str:
    """Send a request that has no client token, and return what it made: after an unclear answer it is looked for first.

    Raises :class:`Unclear` where AWS stays silent, and the error of AWS where it refuses.
    """
    last: Exception | None = None
    for number in range(_TRIES):
        try:
            found = find()
            if found is not None:
                return found
            return send()
        except errors() as error:
            answer, last = meaning(error), error
            if answer is Answer.REFUSED:
                raise
        pauses = _LOOKS if answer is Answer.UNCLEAR else (min(2.0**number, 30.0) / 20,)
        for pause in pauses:
            sleep(interval * pause * random.uniform(0.7, 1.3))
            try:
                found = find()
            except errors() as error:
                last = error
                continue
            if found is not None:
                return found
    raise Unclear(f"{what}: AWS does not say whether it was done: {last}. Resume the run: nothing is done twice")
