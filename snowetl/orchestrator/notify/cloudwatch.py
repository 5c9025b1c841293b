"""CloudWatch metrics of a namespace, with the pipeline as dimension."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from snowetl.orchestrator.notify.base import Notice
from snowetl.orchestrator.notify.clients import aws
from snowetl.orchestrator.notify.metrics import Metric, metrics, namespace_of


@dataclass(frozen=True, slots=True)
class CloudWatch:
    namespace: str
    example: ClassVar[str] = "cloudwatch:snowetl"

    @classmethod
    def of(cls, address: str) -> CloudWatch:
        return cls(namespace_of(address))

    def send(self, notice: Notice) -> None:
        data = [_datum(metric, notice) for metric in metrics(notice)]
        aws("cloudwatch").put_metric_data(Namespace=self.namespace, MetricData=data)


def _datum(metric: Metric, notice: Notice) -> dict[str, Any]:
    step = [{"Name": "Step", "Value": metric.step}] if metric.step else []
    return {
        "MetricName": metric.name,
        "Dimensions": [{"Name": "Pipeline", "Value": notice.pipeline[:255]}, *step],
        "Timestamp": notice.at / 1000,
        "Value": metric.value,
        "Unit": metric.unit,
    }
