"""An SNS topic: the JSON document of the notice, with ``event`` and ``pipeline`` as attributes to filter by."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from snowetl.jvm import jsontext
from snowetl.orchestrator.notify.base import Notice
from snowetl.orchestrator.notify.clients import aws

_ARN = re.compile(r"arn:aws[\w-]*:sns:(?P<region>[\w-]+):\d+:[\w.-]+")
_LONGEST_SUBJECT = 99


@dataclass(frozen=True, slots=True)
class Topic:
    arn: str
    region: str
    example: ClassVar[str] = "arn:aws:sns:eu-west-1:123456789012:alarms"

    @classmethod
    def of(cls, address: str) -> Topic:
        match = _ARN.fullmatch(address)
        if match is None:
            raise ValueError("it is not the ARN of an SNS topic")
        return cls(address, match["region"])

    def send(self, notice: Notice) -> None:
        subject = f"snowetl: {notice.event} {notice.run}".strip()[:_LONGEST_SUBJECT]
        fifo = {"MessageGroupId": "snowetl", "MessageDeduplicationId": f"{notice.event}-{notice.run}-{notice.at}"}
        aws("sns", self.region).publish(
            TopicArn=self.arn,
            Subject=subject,
            Message=jsontext.dumps(notice.to_json()),
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value}
                for name, value in (("event", notice.event), ("pipeline", notice.pipeline))
            },
            **(fifo if self.arn.endswith(".fifo") else {}),
        )
