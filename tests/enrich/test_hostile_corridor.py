"""Sample records of every format, damaged at random, through the whole corridor.

20,000 per format in the suite; ``SNOWETL_HOSTILE_RECORDS=100000`` for a long run.
"""

from __future__ import annotations

import os
import random
import statistics
import time
from operator import itemgetter
from pathlib import Path

import pytest

from snowetl import BadRow, EnrichConfig, EnrichedEvent, Enricher
from snowetl.storage import Damage, filesystem, splits
from tests.growth import processor_seconds

FIXTURES = Path(__file__).parents[2] / "fixtures"
RECORDS = int(os.environ.get("SNOWETL_HOSTILE_RECORDS", "20000"))
FORMATS = {
    "thrift": "thrift",
    "webhooks": "thrift",
    "cloudfront": "cloudfront",
    "clj-tomcat": "clj-tomcat",
    "cloudfront-access-log": "tsv/com.amazon.aws.cloudfront/wd_access_log",
    "airship": "ndjson/com.urbanairship.connect/v1",
}


def samples(folder: str, binary: bool) -> list[bytes | str]:
    fs = filesystem(str(FIXTURES))
    plan = splits.plan(fs.list(str(FIXTURES / "logs" / folder)), binary=binary, fs=fs)
    records = (record for split in plan for piece in split.slices for record in splits.read(piece, binary=binary))
    return [record.data for record in records if not isinstance(record, Damage)]


def damaged(dice: random.Random, record: bytes, other: bytes) -> bytes:
    """``record`` with bytes flipped, cut out, doubled, or crossed with another record."""
    raw = bytearray(record)
    for _ in range(dice.choice((1, 1, 2, 5))):
        at = dice.randrange(len(raw) + 1)
        kind = dice.randrange(6)
        if kind == 0 and at < len(raw):
            raw[at] = dice.randrange(256)
        elif kind == 1:
            del raw[at : at + dice.randrange(1, 40)]
        elif kind == 2:
            raw[at:at] = dice.choice((b"\t", b"%", b"%zz", b"\x00", b'"', b"{", b"&", b"=", b"\xed\xa0\x80", b"\xff"))
        elif kind == 3:
            raw[at:at] = raw[at : at + dice.randrange(1, 200)]
        elif kind == 4:
            raw[at:] = other[dice.randrange(len(other) + 1) :]
        else:
            raw[at:at] = bytes(dice.randrange(256) for _ in range(dice.randrange(1, 12)))
    return bytes(raw)


@pytest.mark.slow
@pytest.mark.parametrize("folder", FORMATS)
def test_damaged_records_end_as_results(folder: str) -> None:
    input_format = FORMATS[folder]
    binary = input_format == "thrift"
    originals = samples(folder, binary)
    raw = [record if isinstance(record, bytes) else record.encode() for record in originals]
    enricher = Enricher(
        EnrichConfig.load(
            resolver=FIXTURES / "resolver.json",
            enrichments=FIXTURES / "enrichments",
            input_format=input_format,
            etl_tstamp=0,
        )
    )
    dice = random.Random(f"hostile {folder}")
    seconds, unforeseen, outcomes = [], [], {"event": 0, "bad row": 0, "discarded": 0}
    for _ in range(RECORDS):
        record = damaged(dice, dice.choice(raw), dice.choice(raw))
        given = record if binary else record.decode("utf-8", "replace")
        started = time.process_time()
        results = list(enricher.process(given))
        seconds.append((time.process_time() - started, given))
        outcomes["discarded"] += not results
        for result in results:
            if isinstance(result, BadRow):
                outcomes["bad row"] += 1
                assert "\n" not in result.to_json()
                if result.type == "generic_error":
                    unforeseen.append(result.data["failure"]["errors"][0])
            else:
                assert isinstance(result, EnrichedEvent)
                assert result.to_tsv().count("\t") == 130
                assert "\n" not in result.to_tsv()
                outcomes["event"] += 1
    assert not unforeseen, unforeseen[:3]
    slowest = max(seconds, key=itemgetter(0))[1]
    again = min(processor_seconds(lambda: enricher.process(slowest)) for _ in range(3))
    assert again < 200 * statistics.median(took for took, _ in seconds), slowest
    assert outcomes["bad row"] > 0
