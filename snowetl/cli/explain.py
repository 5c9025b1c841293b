"""``snowetl explain``: the way of one record, step by step, to the event or the bad row it becomes."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import click

from snowetl.cli import console
from snowetl.cli.options import Document, adapter_options, config_option
from snowetl.errors import UsageError
from snowetl.jvm import jsontext
from snowetl.jvm.text import decode_base64
from snowetl.storage import Record, filesystem, splits

_PLACE = re.compile(r"(?P<file>[^\t\n{}]+):(?P<number>\d+)")


@click.command()
@click.argument("record", metavar="RECORD|FILE:N")
@click.option("-f", "--input-format", required=True, help="Format of the record, as for snowetl enrich.")
@click.option("-e", "--enrichments", type=Document(), help="Enrichment configurations. Default: none.")
@click.option("--iglu-config", type=Document(), required=True, help="Iglu resolver configuration.")
@click.option("--etl-timestamp", type=int, default=0, help="etl_tstamp of the event, epoch ms.")
@click.option("--adapters", type=Document(), help="JSON with adaptersSchemas and remoteAdapters. Default: neither.")
@config_option
def command(
    record: str, input_format: str, enrichments: Any, iglu_config: Any, etl_timestamp: int, adapters: Any
) -> None:
    """Show the way of one record: loader, payload, adapter, raw events, each step, the event or bad row and why.

    RECORD is a line of a log, or a Thrift record in base64. FILE:N is the N-th record of a file (counted from 1), which
    may be compressed and lie on S3.
    """
    from snowetl.enrich.config import EnrichConfig
    from snowetl.enrich.pipeline import Enricher
    from snowetl.steps import assets
    from snowetl.steps.enrich import PROCESSOR

    config = EnrichConfig.load(
        resolver=iglu_config,
        enrichments=enrichments,
        input_format=input_format,
        etl_tstamp=etl_timestamp,
        processor=PROCESSOR,
        **adapter_options(adapters),
    )
    data, source, place = _find_record(record, binary=input_format == "thrift")
    with tempfile.TemporaryDirectory(prefix="snowetl-") as folder:
        config = config.with_assets(assets.fetch_all(config.assets(), Path(folder)))
        with Enricher(config) as enricher:
            for number, (stage, detail) in enumerate(enricher.explain(data, source, place), 1):
                console.show("\n".join([f"{number}. {stage}", *_lines(detail), ""]))


def _find_record(text: str, *, binary: bool) -> tuple[bytes | str, str, int]:
    """The record itself, or the one at ``FILE:N``, and its place as the job names it. Raises :class:`UsageError`."""
    place = _PLACE.fullmatch(text)
    if place is None:
        return (decode_base64(text) if binary else text), "", 0
    file, number = place["file"], int(place["number"])
    fs = filesystem(file)
    if not fs.exists(file):
        raise UsageError(f"there is no file {file} (records are given as FILE:N, or as they stand)")
    records = (item for item in splits.read(splits.Part(file), binary=binary) if isinstance(item, Record))
    found = next(islice(records, number - 1, None), None) if number else None
    if found is None:
        raise UsageError(f"{file} has no record {number}; they are counted from 1")
    return found.data, file.rpartition("/")[2], found.number


def _lines(detail: Any) -> Iterator[str]:
    """``detail`` as indented lines: one per value of an object, whole JSON for bad rows."""
    if not isinstance(detail, dict):
        yield f"   {detail}"
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
            yield f"   {key:<{width}}  {shown}"
