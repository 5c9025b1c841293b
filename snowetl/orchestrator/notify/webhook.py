"""A webhook: one JSON document by POST. Its ``text`` is what Slack and Mattermost show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urlsplit

from snowetl.jvm import jsontext
from snowetl.jvm.strings import to_utf8
from snowetl.orchestrator.notify.base import Notice
from snowetl.orchestrator.notify.clients import post


@dataclass(frozen=True, slots=True)
class Webhook:
    url: str
    example: ClassVar[str] = "https://hooks.example.com/T0/B0/x"

    @classmethod
    def of(cls, address: str) -> Webhook:
        if not urlsplit(address).hostname:
            raise ValueError("it has no host")
        return cls(address)

    def send(self, notice: Notice) -> None:
        post(self.url, to_utf8(jsontext.dumps(notice.to_json())))
