"""``snowetl explain``: the way of records, step by step, to the events or bad rows they become, and a verdict."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from snowetl.cli import console
from snowetl.cli.verb import verb
from snowetl.jvm import jsontext
from snowetl.steps.settings import ExplainSettings

if TYPE_CHECKING:
    from snowetl.steps.explain import Stage, Way

EXAMPLES = (
    """
snowetl explain logs/E1.2026-03-05-08.gz:17 -f cloudfront -e enrichments --iglu-config resolver.json""",
    """
snowetl explain bad/run=2026-03-05-01-00-00/part-00000.gz:1-20 -f thrift --iglu-config resolver.json""",
    """
tail -n 3 access.log | snowetl explain - -f cloudfront --iglu-config resolver.json --json""",
)


@verb(
    ExplainSettings,
    examples=EXAMPLES,
    exit_codes={0: "done", 1: "failure", 2: "wrong usage or configuration; no such file or record"},
)
def command(settings: ExplainSettings) -> None:
    """Show what becomes of records at each stage: loader, payload, adapter, raw events, columns, each step, result.

    A file may be compressed, and on S3. Of a bad row, the record in it is explained. The last lines of a record are
    its results: ✓ an event, ✗ a bad row and its reason, – a record that is no event.
    """
    from snowetl.steps.explain import ways

    for number, way in enumerate(ways(settings, sys.stdin.buffer)):
        if settings.json:
            console.emit_json(jsontext.dumps(way.to_json()))
        else:
            console.show("\n".join([*([""] if number else []), *_way(way)]))


def _way(way: Way) -> Iterator[str]:
    """A record's head, its stages with their numbers, its verdicts."""
    if way.place:
        yield f"=== {console.one_line(way.place)}"
    if way.note:
        yield f"    {console.one_line(way.note)}"
    for number, stage in enumerate(way.stages, 1):
        yield f"{number}. {console.one_line(stage.name)}"
        yield from _detail(stage)
        yield ""
    for verdict in way.verdicts:
        yield console.one_line(str(verdict))


def _detail(stage: Stage) -> Iterator[str]:
    """What a stage made, as indented lines: one per value of an object, whole JSON for bad rows."""
    detail = stage.detail
    if not isinstance(detail, dict):
        yield f"   {console.one_line(str(detail))}"
    elif not detail:
        yield "   (nothing changes)"
    elif set(detail) == {"schema", "data"}:
        yield from (f"   {line}" for line in json.dumps(detail, indent=2, ensure_ascii=False).split("\n"))
    else:
        yield from _values(detail, stage)


def _values(detail: dict[str, Any], stage: Stage) -> Iterator[str]:
    """Name, value, and where the value comes from."""
    width = max(len(key) for key in detail)
    for key, value in detail.items():
        if value is None or value == []:
            continue
        shown = console.one_line(value if isinstance(value, str) else jsontext.dumps(value))
        origin = stage.origins.get(key)
        yield f"   {console.one_line(key):<{width}}  {shown}{f'   ← {console.one_line(origin)}' if origin else ''}"
