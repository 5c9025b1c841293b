"""How a library that is not boto3 reaches S3 as our own storage does: region, keys, another endpoint."""

from __future__ import annotations

import os
from typing import NamedTuple

_ENDPOINTS = ("SNOWETL_S3_ENDPOINT", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")


class S3Access(NamedTuple):
    """``endpoint`` and the keys are empty where there are none. Never show it."""

    region: str
    endpoint: str = ""
    key: str = ""
    secret: str = ""
    token: str = ""


def lent_keys(role_arn: str, session_name: str = "snowetl", seconds: int = 3600) -> S3Access:
    """Keys of a role, for a while. Raises what boto3 raises."""
    import boto3

    lent = boto3.client("sts").assume_role(RoleArn=role_arn, RoleSessionName=session_name, DurationSeconds=seconds)
    keys = lent["Credentials"]
    return S3Access("", "", keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])


def s3_access() -> S3Access:
    """What boto3 finds: variables, profile, role of the machine. Keys of a role hold for some hours."""
    import boto3

    session = boto3.session.Session()
    region = session.region_name or "us-east-1"
    endpoint = next((value for name in _ENDPOINTS if (value := os.environ.get(name))), "")
    found = session.get_credentials()
    if found is None:
        return S3Access(region, endpoint)
    keys = found.get_frozen_credentials()
    return S3Access(region, endpoint, keys.access_key or "", keys.secret_key or "", keys.token or "")
