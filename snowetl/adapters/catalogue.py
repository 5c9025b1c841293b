"""All adapters there are: the built-in ones, and those of installed packages (entry point group)."""

from __future__ import annotations

import importlib
from typing import Any

from snowetl import extensions
from snowetl.adapters.base import Adapter

ENTRY_POINT_GROUP = "snowetl.adapters"

BUILT_IN = (
    "tp1",
    "tp2",
    "redirect",
    "iglu_webhook",
    "cloudfront_access_log",
    "cloudfront_firehose",
    "google_analytics",
    "callrail",
    "hubspot",
    "mailchimp",
    "mailgun",
    "mandrill",
    "marketo",
    "olark",
    "pagerduty",
    "pingdom",
    "sendgrid",
    "statusgator",
    "unbounce",
    "urban_airship",
    "vero",
)


def built_in() -> list[Adapter]:
    """The adapters of this package, in the order of the documentation."""
    return [importlib.import_module(f"snowetl.adapters.{name}").ADAPTER for name in BUILT_IN]


def every() -> list[Adapter]:
    """Built-in adapters, then those of installed packages, which win where both claim a path."""
    return [*built_in(), *installed()]


def installed() -> list[Adapter]:
    """The adapters other packages register: each entry point names an :class:`Adapter`.

    Raises :class:`ConfigError` for one that cannot be imported or is something else.
    """
    return [extension.value for extension in extensions.installed(ENTRY_POINT_GROUP, "adapter", _fault)]


def _fault(value: Any) -> str | None:
    if isinstance(value, Adapter):
        return None
    return f"must be a snowetl.adapters.base.Adapter, not {type(value).__name__}"
