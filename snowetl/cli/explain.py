"""``snowetl explain``: the way of one record, step by step, to the event or the bad row it becomes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from snowetl.cli import console
from snowetl.cli.verb import verb
from snowetl.jvm import jsontext
from snowetl.steps.settings import ExplainSettings

EXAMPLES = (
    """
snowetl explain logs/E1.2026-03-05-08.gz:17 -f cloudfront -e enrichments --iglu-config resolver.json""",
)


@verb(
    ExplainSettings,
    examples=EXAMPLES,
    exit_codes={0: "done", 1: "failure", 2: "wrong usage or configuration; no such file or record"},
)
def command(settings: ExplainSettings) -> None:
    """Show the way of one record: loader, payload, adapter, raw events, each step, the event or bad row and why.

    A file may be compressed and lie on S3.
    """
    from snowetl.library import explain

    for number, (stage, detail) in enumerate(explain(settings), 1):
        console.show("\n".join([f"{number}. {console.one_line(stage)}", *_lines(detail), ""]))


def _lines(detail: Any) -> Iterator[str]:
    """``detail`` as indented lines: one per value of an object, whole JSON for bad rows."""
    if not isinstance(detail, dict):
        yield f"   {console.one_line(str(detail))}"
    elif not detail:
        yield "   (nothing changes)"
    elif set(detail) == {"schema", "data"}:
        yield from (f"   {line}" for line in json.dumps(detail, indent=2, ensure_ascii=False).split("\n"))
    else:
        width = max(len(key) for key in detail)
        for key, value in detail.items():
            if value is None or value == []:
                continue
            shown = value if isinstance(value, str) else jsontext.dumps(value)
            yield f"   {key:<{width}}  {console.one_line(shown)}"
