"""A compressed message of the collector given as one record, as consumers of its stream have it."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import pytest
import zstandard

from snowetl import EnrichConfig, EnrichedEvent, Enricher
from snowetl.model.badrow import BadRow
from snowetl.testing import hit

COMPRESS: list[Callable[[bytes], bytes]] = [gzip.compress, zstandard.compress]
RECORDS = [hit({"e": "pv", "p": "web", "tv": "t", "aid": str(n)}) for n in range(3)]


@pytest.fixture(scope="module")
def enricher() -> Enricher:
    return Enricher(EnrichConfig.load(input_format="thrift", etl_tstamp=0))


@pytest.mark.parametrize("compress", COMPRESS)
@pytest.mark.parametrize("separator", [b"", b"\n"])
def test_its_payloads_become_events(enricher: Enricher, compress: Callable[[bytes], bytes], separator: bytes) -> None:
    batch = compress(separator.join(RECORDS))
    results = list(enricher.process(batch, "stream", 5))
    assert [result["app_id"] for result in results if isinstance(result, EnrichedEvent)] == ["0", "1", "2"]
    assert len({result["event_id"] for result in results if isinstance(result, EnrichedEvent)}) == 3
    assert [result.to_tsv() for result in enricher.process(batch, "stream", 5)] == [  # type: ignore[union-attr]
        result.to_tsv() for result in results if isinstance(result, EnrichedEvent)
    ]
    stages = [name for name, _ in enricher.explain(batch)]
    assert stages.count("event") == 3


@pytest.mark.parametrize("compress", COMPRESS)
def test_one_that_is_broken_is_told_of(enricher: Enricher, compress: Callable[[bytes], bytes]) -> None:
    whole = compress(b"".join(RECORDS))
    for broken in (whole[:12], whole[:-5], whole[:30] + b"\xff\xff\xff" + whole[33:], compress(b"no record")):
        results = list(enricher.process(broken))
        explained = [what["schema"] for stage, what in enricher.explain(broken) if stage == "loader"]
        assert explained == [result.to_dict()["schema"] for result in results if isinstance(result, BadRow)]
        assert any(isinstance(result, BadRow) for result in results)
        assert all(
            result.type == "collector_payload_format_violation" for result in results if isinstance(result, BadRow)
        )


def test_a_bad_payload_leaves_the_others(enricher: Enricher) -> None:
    results = list(enricher.process(gzip.compress(RECORDS[0] + b"\n" + b"\x0b\x00\x64\xff" + b"\n" + RECORDS[1])))
    assert [type(result) for result in results] == [EnrichedEvent, BadRow, EnrichedEvent]


def test_text_that_begins_so_is_text() -> None:
    enricher = Enricher(EnrichConfig.load(input_format="cloudfront", etl_tstamp=0))
    assert [type(result) for result in enricher.process("\x1f\x8b")] == [BadRow]
