"""The committed fixtures are what the generator makes, and make what the generator says."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from fixtures import generate
from snowetl import EnrichConfig, Enricher
from snowetl.collector import format_of
from snowetl.model.badrow import BadRow
from snowetl.storage import Damage, filesystem, splits

FIXTURES = Path(generate.__file__).parent
EXPECTED: dict[str, dict[str, Any]] = json.loads((FIXTURES / "logs" / "expected.json").read_text("utf-8"))
ETL_TSTAMP = 1772668800000


def _content(name: str, data: bytes) -> bytes:
    """What is inside: compressed bytes may differ from one zlib to the next."""
    return gzip.decompress(data) if name.endswith(".gz") else data


@pytest.mark.slow
def test_committed_files_are_the_output_of_the_generator() -> None:
    made = generate.files()
    committed = {
        path.relative_to(FIXTURES).as_posix(): path.read_bytes()
        for name in generate.FOLDERS
        for path in (FIXTURES / name).rglob("*")
        if path.is_file()
    }
    committed["resolver.json"] = (FIXTURES / "resolver.json").read_bytes()
    assert sorted(committed) == sorted(made)
    for name, data in made.items():
        assert _content(name, committed[name]) == _content(name, data), f"{name}: run python -m fixtures.generate"


@pytest.mark.slow
def test_the_fixtures_stay_small() -> None:
    assert sum(map(len, generate.files().values())) < 3_000_000


@pytest.mark.slow
@pytest.mark.parametrize("folder", EXPECTED)
def test_logs_make_what_the_generator_says(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FIXTURES.parent)  # the configurations name their files from the root of the repository
    expected = EXPECTED[folder]
    config = EnrichConfig.load(
        resolver="fixtures/resolver.json",
        enrichments="fixtures/enrichments",
        input_format=expected["inputFormat"],
        etl_tstamp=ETL_TSTAMP,
        processor=("snowetl", "test"),
    )
    enricher = Enricher(config)
    counts: Counter[str] = Counter()
    bad_rows: Counter[str] = Counter()
    fs = filesystem("fixtures/logs")
    loader = format_of(expected["inputFormat"])
    form: dict[str, Any] = {"binary": loader.binary, "text": loader.text}
    plan = splits.plan(fs.list(f"fixtures/logs/{folder}"), **form, target_bytes=1 << 26, fs=fs)
    for record in (record for split in plan for piece in split.slices for record in splits.read(piece, **form)):
        assert not isinstance(record, Damage)
        results = list(enricher.process(record.data))
        counts["records"] += 1
        counts["discarded"] += not results
        for result in results:
            if isinstance(result, BadRow):
                bad_rows[result.type] += 1
            else:
                counts["events"] += 1
    found = {name: counts[name] for name in ("records", "events", "discarded")}
    assert found | {"badRows": dict(bad_rows)} == {name: expected[name] for name in (*found, "badRows")}
