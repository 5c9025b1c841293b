"""Telling others how runs go: a table of notifiers, and what other packages add under ``snowetl.notifiers``.

Whatever happens to a notifier, the run goes on: it warns, and waits no longer than a bounded time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from snowetl import extensions
from snowetl.errors import UsageError
from snowetl.orchestrator.notify.base import DEADLINE_SECONDS, FAILED, FINISHED, STARTED, Notice, Notifier, StepNotice
from snowetl.settings.secrets import redact
from snowetl.steps.base import Watch

__all__ = ["FAILED", "FINISHED", "NOTIFIERS", "STARTED", "Notice", "Notifier", "StepNotice", "notifier_of", "tell"]

GROUP = "snowetl.notifiers"
_HERE = "snowetl.orchestrator.notify"
NOTIFIERS: Mapping[str, str] = {
    "https:": f"{_HERE}.webhook:Webhook",
    "http:": f"{_HERE}.webhook:Webhook",
    "arn:": f"{_HERE}.sns:Topic",
    "cloudwatch:": f"{_HERE}.cloudwatch:CloudWatch",
    "emf:": f"{_HERE}.emf:EmbeddedMetrics",
    "statsd:": f"{_HERE}.statsd:StatsD",
    "prometheus:": f"{_HERE}.prometheus:TextFile",
    "snowplow:": f"{_HERE}.snowplow:Collector",
    "snowplow+http:": f"{_HERE}.snowplow:Collector",
}
"""Beginning of what ``--notify`` says (to the first colon) -> class of the notifier, as ``module:name``."""
_PATIENCE_SECONDS = DEADLINE_SECONDS + 5.0


def notifier_of(address: str) -> Notifier:
    """Raises ``UsageError`` for an address that no notifier knows, or that is wrong."""
    kind = _class_of(address.partition(":")[0].lower() + ":" if ":" in address else "")
    try:
        return kind.of(address)
    except ValueError as error:
        raise UsageError(f"{error}, such as {kind.example}") from None


@cache
def _class_of(scheme: str) -> type[Notifier]:
    if scheme in NOTIFIERS:
        module, _, name = NOTIFIERS[scheme].partition(":")
        found: type[Notifier] = getattr(import_module(module), name)
        return found
    for extension in extensions.installed(GROUP, "notifier", _fault):
        if f"{extension.name}:" == scheme:
            added: type[Notifier] = extension.value
            return added
    known = sorted({*NOTIFIERS, *(f"{point.name}:" for point in entry_points(group=GROUP))})
    raise UsageError(f"it begins with none of {' '.join(known)}")


def _fault(value: Any) -> str | None:
    missing = [name for name in ("of", "send", "example") if not hasattr(value, name)]
    return f"must be a class with {', '.join(missing)} (see snowetl.orchestrator.notify.base)" if missing else None


def tell(addresses: Sequence[str], notice: Notice, watch: Watch) -> None:
    """Tell ``notice`` to all ``addresses`` at once; ``watch`` is warned of those that were not told."""
    failures: dict[int, str] = {}
    told: set[int] = set()

    def send(number: int) -> None:
        try:
            notifier_of(addresses[number]).send(notice)
        except Exception as error:
            failures[number] = str(error) or type(error).__name__
        told.add(number)

    threads = [threading.Thread(target=send, args=(number,), daemon=True) for number in range(len(addresses))]
    for thread in threads:
        thread.start()
    give_up = time.monotonic() + _PATIENCE_SECONDS
    for thread in threads:
        thread.join(max(give_up - time.monotonic(), 0.0))
    for number, address in enumerate(addresses):
        if number in failures or number not in told:
            why = failures.get(number, f"no answer for {_PATIENCE_SECONDS:.0f} s")
            watch.warn(f"--notify {shown(address)} was not told of {notice.event}: {redact(why)[:500]}")


def shown(address: str) -> str:
    """An address without what may be a secret: a webhook's path is one."""
    scheme, slashes, rest = address.partition("://")
    if not slashes:
        return redact(address)
    host, slash, _ = rest.rpartition("@")[2].partition("/")
    return f"{scheme}://{host}{'/…' if slash else ''}"
