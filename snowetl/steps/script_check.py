"""Try a script of the JavaScript enrichment before a job does: is it usable, what does it need, what does it change."""

from __future__ import annotations

import base64
import dataclasses
import importlib.util
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from snowetl import documents
from snowetl.enrich.enrichments import javascript_script
from snowetl.enrich.enrichments.javascript_java import Review
from snowetl.errors import UsageError
from snowetl.jvm.commons_codec import decode_base64
from snowetl.steps.explain import Verdict, ways
from snowetl.steps.settings import ExplainSettings

_NAME = "javascript_script_config"
_SCHEMA = f"iglu:com.snowplowanalytics.snowplow/{_NAME}/jsonschema/1-0-1"


class Given(NamedTuple):
    """A script and its ``parameters.config`` as JSON text."""

    script: str
    config: str

    def configuration(self) -> dict[str, Any]:
        """The enrichment as an element of the configuration."""
        encoded = base64.b64encode(self.script.encode()).decode()
        parameters = {"script": encoded, "config": json.loads(self.config)}
        data = {"vendor": "com.snowplowanalytics.snowplow", "name": _NAME, "enabled": True, "parameters": parameters}
        return {"schema": _SCHEMA, "data": data}


class Tried(NamedTuple):
    """What became of a record: what the script changed in each of its events, what it printed, how they ended."""

    place: str
    changes: list[Any]
    printed: list[str]
    verdicts: list[Verdict]


def read(path: Path) -> Given:
    """A script, or the configuration it stands in. Raises ``UsageError``."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from None
    if not text.lstrip().startswith("{"):
        return Given(text, "{}")
    try:
        parameters = json.loads(text)["data"]["parameters"]
        return Given(decode_base64(parameters["script"]).decode(), json.dumps(parameters.get("config", {})))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UsageError(f"{path} is neither a script nor a configuration of {_NAME}") from None


def review(given: Given) -> tuple[Review, list[str]]:
    """What the script uses of Java, and all that is wrong with it. Raises ``UsageError`` without an engine."""
    if importlib.util.find_spec("quickjs") is None:
        raise UsageError("the JavaScript enrichment needs pip install 'snowetl[javascript]'")
    return javascript_script.tried(given.script, given.config)


def tried(given: Given, settings: ExplainSettings) -> Iterator[Tried]:
    """The script at work on the records of ``settings``, behind the other enrichments that are configured there."""
    others = [] if settings.enrichments is None else list(_others(documents.read_all(settings.enrichments, "them")))
    with _printed() as printed:
        for way in ways(dataclasses.replace(settings, enrichments=[*others, given.configuration()])):
            changes = [stage.detail for stage in way.stages if stage.name == f"step {_NAME}"]
            yield Tried(way.place, changes, printed.copy(), way.verdicts)
            printed.clear()


def _others(read: list[documents.Document]) -> Iterator[Any]:
    """The configured enrichments but scripts: the one that is tried may be among them."""
    for document in read:
        for element in document.value if isinstance(document.value, list) else [document.value]:
            data = element.get("data") if isinstance(element, dict) else None
            for one in data if isinstance(data, list) else [element]:
                if f"/{_NAME}/" not in str(one.get("schema") if isinstance(one, dict) else one):
                    yield one


@contextmanager
def _printed() -> Iterator[list[str]]:
    """The lines scripts print from now on."""
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    log, level = javascript_script.PRINTED, javascript_script.PRINTED.level
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        log.setLevel(level)
        log.removeHandler(handler)
