"""Drafts to run a step on, and the step of a configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

from snowetl.enrich import steps
from snowetl.enrich.draft import Draft
from snowetl.enrich.enrichments import registered
from snowetl.enrich.enrichments.base import Enrichment, Step
from snowetl.enrich.services import Services
from snowetl.iglu.client import IgluClient
from snowetl.iglu.config import ResolverConfig
from snowetl.model.event import EMPTY, EnrichedEvent
from snowetl.model.fields import INDEX
from snowetl.model.payload import CollectorPayload, RawEvent
from snowetl.model.schema import SchemaKey

FIXTURES = Path(__file__).parents[3] / "fixtures"


def conf(name: str, **parameters: Any) -> Enrichment:
    """The configuration of an enrichment, under the first version it supports."""
    kind = registered()[name]
    vendor, model = kind.criterion.vendor, kind.criterion.model
    key = SchemaKey.parse(f"iglu:{vendor}/{name}/jsonschema/{model}-0-0")
    return kind.parse(key, {"parameters": parameters})


def services(**options: Any) -> Services:
    """What a worker gives an enrichment; ``options`` as for ``Services.create``."""
    return Services.create(options.pop("iglu", _OFFLINE), **options)


_OFFLINE = IgluClient(ResolverConfig.default(), now=0)


def opened(one: Enrichment, **options: Any) -> AbstractContextManager[Step]:
    """The step of a configuration; its files are taken from where they lie."""
    files = {asset.uri: Path(asset.uri) for asset in one.needs().files}
    return one.open(services(files=files, secrets=one.needs().secrets, **options))


def step(name: str, **parameters: Any) -> Step:
    """The step of an enrichment that holds nothing but memory: it is never closed."""
    return _STEPS.enter_context(opened(conf(name, **parameters)))


_STEPS = ExitStack()


def draft(parameters: Mapping[str, str | None] | None = None, headers: Sequence[str] = (), **columns: str) -> Draft:
    """An event with some columns set (``""`` is empty text, not null); the page and referrer URIs are parsed."""
    payload = CollectorPayload("v", "v", [], None, None, "c", "UTF-8", None, 0, None, None, None, list(headers))
    made = Draft(EnrichedEvent(), RawEvent(payload, dict(parameters or {})))
    for column, value in columns.items():
        made.values[INDEX[column]] = value or EMPTY
    for built_in in (steps.page_uri, steps.page_querystring, steps.referrer_uri):
        built_in(made)
    return made


def after(one: Step, *columns: str, **given: str) -> tuple[str | None, ...]:
    """``columns`` after the step ran on an event with the columns ``given``."""
    made = draft(**given)
    one(made)
    return tuple(made.event[column] for column in columns)
