"""CloudWatch's embedded metric format: a line of JSON on standard output; who collects it makes metrics of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from snowetl.jvm import jsontext
from snowetl.orchestrator.notify.base import Notice
from snowetl.orchestrator.notify.metrics import metrics, namespace_of


@dataclass(frozen=True, slots=True)
class EmbeddedMetrics:
    namespace: str
    example: ClassVar[str] = "emf:snowetl"

    @classmethod
    def of(cls, address: str) -> EmbeddedMetrics:
        return cls(namespace_of(address))

    def send(self, notice: Notice) -> None:
        print(jsontext.dumps(self.document(notice)), flush=True)

    def document(self, notice: Notice) -> dict[str, Any]:
        """Metrics of the whole run; what they are of stands beside them, to search by."""
        found = [metric for metric in metrics(notice) if not metric.step]
        directive = {
            "Namespace": self.namespace,
            "Dimensions": [["Pipeline"]],
            "Metrics": [{"Name": metric.name, "Unit": metric.unit} for metric in found],
        }
        return {
            "_aws": {"Timestamp": notice.at, "CloudWatchMetrics": [directive]},
            "Pipeline": notice.pipeline,
            "Run": notice.run,
            "Event": notice.event,
            "Reason": notice.reason,
            "Link": notice.link,
            **{metric.name: metric.value for metric in found},
        }
