"""IAM for the clients of this process: what the policies do not allow is refused, in the words AWS refuses it with.

It knows what emr/policies need: actions, resources with ``*``, and conditions on ``s3:prefix`` and on the namespace of
metrics. Who may not list the place of a missing key is told that access is denied, as S3 does it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from snowetl.storage import _of_kind

POLICIES = Path(__file__).parent.parent / "emr" / "policies"
_ACCOUNT, _REGION = "123456789012", "us-east-1"
_OBJECT_ACTIONS = {
    "HeadObject": "GetObject",
    "GetObject": "GetObject",
    "PutObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "AbortMultipartUpload": "AbortMultipartUpload",
    "DeleteObject": "DeleteObject",
}
_BUCKET_ACTIONS = {
    "ListObjectsV2": "ListBucket",
    "HeadBucket": "ListBucket",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "GetBucketLocation": "GetBucketLocation",
}
_QUEUE_ACTIONS = {
    "DeleteMessageBatch": "DeleteMessage",
    "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
}
_KEY = "held"
_MISSING = ("404", "NoSuchKey")


class Asked(NamedTuple):
    """A right that a request needs."""

    action: str
    resource: str
    key: str = ""
    value: str = ""
    """The condition key that the request has, and its value."""


def policy(name: str, **values: str) -> list[dict[str, Any]]:
    """The statements of a file of emr/policies; ``values`` for its placeholders, beside account and region."""
    values = {"ACCOUNT": _ACCOUNT, "REGION": _REGION} | values
    text = re.sub(r"\$\{(\w+)\}", lambda found: values[found[1]], (POLICIES / f"{name}.json").read_text("utf-8"))
    found: list[dict[str, Any]] = json.loads(text)["Statement"]
    return found


@contextmanager
def rights(statements: Iterable[dict[str, Any]], patch: pytest.MonkeyPatch) -> Iterator[list[Asked]]:
    """Clients that take their key from the environment may do what the statements allow; others go on as they please.

    Gives what was refused, in the order it was asked for.
    """
    allowed, refused = list(statements), list[Asked]()
    call = BaseClient._make_api_call

    def held(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        if client._request_signer._credentials.access_key != _KEY:
            return call(client, operation, parameters)
        for asked in _needed(client.meta.service_model.service_name, operation, parameters):
            if not _may(allowed, asked):
                refused.append(asked)
                raise _denied(operation)
        try:
            return call(client, operation, parameters)
        except ClientError as error:
            if error.response["Error"]["Code"] in _MISSING and "Key" in parameters:
                lists = _listing(parameters["Bucket"], parameters["Key"])
                if not _may(allowed, lists):
                    refused.append(lists)
                    raise _denied(operation) from None
            raise

    with patch.context() as inner:
        inner.setenv("AWS_ACCESS_KEY_ID", _KEY)
        inner.setattr(BaseClient, "_make_api_call", held)
        _forget_clients()
        yield refused
    _forget_clients()


def _forget_clients() -> None:
    """Clients keep the key they were made with."""
    _of_kind.cache_clear()
    boto3.DEFAULT_SESSION = None


def _needed(service: str, operation: str, parameters: dict[str, Any]) -> Iterator[Asked]:
    if service == "s3":
        yield from _needed_of_s3(operation, parameters)
    elif service == "sqs":
        name = parameters.get("QueueName") or parameters["QueueUrl"].rpartition("/")[2]
        yield Asked(f"sqs:{_QUEUE_ACTIONS.get(operation, operation)}", f"arn:aws:sqs:{_REGION}:{_ACCOUNT}:{name}")
    elif service == "cloudwatch":
        yield Asked(f"cloudwatch:{operation}", "*", "cloudwatch:namespace", parameters["Namespace"])
    elif service not in ("emr", "emr-serverless"):  # tests/test_emr.py holds those against the policy by their names
        raise AssertionError(f"which right does {service} {operation} need?")


def _needed_of_s3(operation: str, parameters: dict[str, Any]) -> Iterator[Asked]:
    bucket = parameters["Bucket"]
    if operation in _BUCKET_ACTIONS:
        context = ("s3:prefix", parameters["Prefix"]) if "Prefix" in parameters else ()
        yield Asked(f"s3:{_BUCKET_ACTIONS[operation]}", f"arn:aws:s3:::{bucket}", *context)
    elif operation == "DeleteObjects":
        for each in parameters["Delete"]["Objects"]:
            yield Asked("s3:DeleteObject", f"arn:aws:s3:::{bucket}/{each['Key']}")
    elif operation in ("CopyObject", "UploadPartCopy"):
        source = parameters["CopySource"]
        yield Asked("s3:GetObject", f"arn:aws:s3:::{source['Bucket']}/{source['Key']}")
        yield Asked("s3:PutObject", f"arn:aws:s3:::{bucket}/{parameters['Key']}")
        if operation == "CopyObject":  # it copies tags, if there are any
            yield Asked("s3:GetObjectTagging", f"arn:aws:s3:::{source['Bucket']}/{source['Key']}")
            yield Asked("s3:PutObjectTagging", f"arn:aws:s3:::{bucket}/{parameters['Key']}")
    else:
        yield Asked(f"s3:{_OBJECT_ACTIONS[operation]}", f"arn:aws:s3:::{bucket}/{parameters['Key']}")


def _listing(bucket: str, key: str) -> Asked:
    return Asked("s3:ListBucket", f"arn:aws:s3:::{bucket}", "s3:prefix", key)


def _may(statements: Iterable[dict[str, Any]], asked: Asked) -> bool:
    return any(
        asked.action in statement["Action"]
        and any(_like(pattern, asked.resource) for pattern in statement["Resource"])
        and all(
            key == asked.key and any(_like(pattern, asked.value) for pattern in _list(patterns))
            for condition in statement.get("Condition", {}).values()
            for key, patterns in condition.items()
        )
        for statement in statements
    )


def _list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _like(pattern: str, text: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL) is not None


def _denied(operation: str) -> ClientError:
    """Answers to a HEAD have no body, and so no code but their status."""
    code = "403" if operation.startswith("Head") else "AccessDenied"
    return ClientError({"Error": {"Code": code, "Message": "Access Denied"}}, operation)
