"""All adapters there are: the built-in ones, and those of installed packages (entry point group)."""

from __future__ import annotations

import importlib
from importlib.metadata import entry_points

from snowetl.adapters.base import Adapter
from snowetl.errors import ConfigError

ENTRY_POINT_GROUP = "snowetl.adapters"

BUILT_IN = (
    "tp1",
    "tp2",
    "redirect",
    "iglu_webhook",
    "cloudfront_access_log",
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
    found = []
    for point in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda point: point.name):
        origin = (
            f"adapter '{point.name}' of {point.dist.name if point.dist else 'an installed package'} ({point.value})"
        )
        try:
            adapter = point.load()
        except Exception as error:
            raise ConfigError(f"{origin}: cannot be loaded: {error}. Fix or uninstall that package") from error
        if not isinstance(adapter, Adapter):
            raise ConfigError(f"{origin}: must be a snowetl.adapters.base.Adapter, not {type(adapter).__name__}")
        found.append(adapter)
    return found
