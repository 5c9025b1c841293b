"""Clients that give up in time: of HTTP, and of AWS."""

from __future__ import annotations

from typing import Any

from snowetl.http import Http, HttpError, Policy
from snowetl.orchestrator.notify.base import DEADLINE_SECONDS

POLICY = Policy(deadline=DEADLINE_SECONDS, retries=2)


def post(url: str, body: bytes) -> None:
    """Send a JSON document. Raises :class:`HttpError` unless it was taken."""
    with Http(POLICY, connections=1) as http:
        answer = http.request("POST", url, headers={"content-type": "application/json; charset=utf-8"}, body=body)
    if not 200 <= answer.status < 300:
        raise HttpError(f"it answers {answer.status}", passing=False)


def aws(service: str, region: str | None = None) -> Any:
    """A client of AWS; ``region`` is that of its configuration by default."""
    import boto3
    from botocore.config import Config

    patience = Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 2, "mode": "standard"})
    make: Any = boto3.client
    return make(service, region_name=region, config=patience)
