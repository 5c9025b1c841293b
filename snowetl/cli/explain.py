"""``snowetl explain``: the way of one record, step by step, to the event or the bad row it becomes."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from snowetl.cli import console
from snowetl.cli.verb import verb
from snowetl.errors import UsageError
from snowetl.jvm import jsontext
from snowetl.jvm.commons_codec import decode_base64
from snowetl.steps.settings import ExplainSettings

_PLACE = re.compile(r"(?P<file>[^\t\n{}]+):(?P<number>\d+)")

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
    from snowetl.enrich.pipeline import Enricher
    from snowetl.steps import assets

    config = settings.enrich_config(settings.etl_timestamp or 0)
    data, source, place = _find_record(settings.record, binary=settings.input_format == "thrift")
    with tempfile.TemporaryDirectory(prefix="snowetl-") as folder:
        wanted = config.assets()
        files = assets.in_working_folder(wanted) if settings.local else assets.fetch_all(wanted, Path(folder))
        with Enricher(config.with_assets(files)) as enricher:
            for number, (stage, detail) in enumerate(enricher.explain(data, source, place), 1):
                console.show("\n".join([f"{number}. {console.one_line(stage)}", *_lines(detail), ""]))


def _find_record(text: str, *, binary: bool) -> tuple[bytes | str, str, int]:
    """The record itself, or the one at ``FILE[:N]``, and its place as the job names it. Raises :class:`UsageError`."""
    from snowetl.storage import filesystem

    place = _PLACE.fullmatch(text)
    if place is not None:
        file = place["file"]
        if not filesystem(file).exists(file):
            raise UsageError(f"there is no file {file} (records are given as FILE:N, or as they stand)")
        return _nth_record(file, int(place["number"]), binary=binary)
    if _is_file(text):
        return _nth_record(text, 1, binary=binary)
    return (decode_base64(text) if binary else text), "", 0


def _nth_record(file: str, number: int, *, binary: bool) -> tuple[bytes | str, str, int]:
    from snowetl.storage import Record, splits

    records = (item for item in splits.read(splits.Part(file), binary=binary) if isinstance(item, Record))
    found = next(islice(records, number - 1, None), None) if number else None
    if found is None:
        raise UsageError(f"{file} has no record {number}; they are counted from 1")
    return found.data, file.rpartition("/")[2], found.number


def _is_file(text: str) -> bool:
    """Whether a record is the name of a file, rather than a record."""
    from snowetl.storage import filesystem

    if re.match(r"(?:s3[an]?|hdfs|file)://[^\s]+$", text):
        return filesystem(text).exists(text)
    try:
        return Path(text).is_file()
    except (OSError, ValueError):
        return False


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
