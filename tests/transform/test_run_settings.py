"""Discovery of runs, formats, messages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from snowetl.errors import ConfigError
from snowetl.model.schema import SchemaKey
from snowetl.transform import discovery, message
from snowetl.transform.discovery import RunInterval
from snowetl.transform.formats import Formats
from snowetl.transform.message import Completed, Semver
from snowetl.transform.rows import SchemaType
from snowetl.transform.transformer import SHRED, WIDE_JSON, WIDE_PARQUET

NOW = datetime(2021, 9, 14, 13, 41, 27, tzinfo=UTC)


def test_what_the_output_has_is_done() -> None:
    names = ["run=2021-09-13-13-41-27", "run=2021-09-14-13-41-27", "other"]
    assert discovery.unprocessed(names, names[:1]) == names[1:]
    assert discovery.incomplete(names, names[:2], names[1:2]) == names[:1]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("run=2021-09-11-00-00-00", True), ("run=2021-09-10-13-41-27", False), ("run=2021-09-10-13-41-28", True),
        ("run=2021-09-12-00-00-00", False), ("run=2021-09-11-23-59-59", True), ("unformatted", True),
        ("run=2020-01-01-00-00-00-abc", True), ("run=2020:01:01:00:00:00", True), ("run=2020-13-01-00-00-00", True),
    ],
)  # fmt: skip
def test_intervals_exclude_their_bounds(name: str, kept: bool) -> None:
    interval = RunInterval.parse("2021-09-01-00-00-00", "4 days", "2021-09-12-00-00-00")
    assert interval.select([name], NOW) == ([name] if kept else [])


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("4 days", timedelta(days=4)),
        ("90m", timedelta(minutes=90)),
        ("1 Hour", timedelta(hours=1)),
        ("2w", timedelta(14)),
    ],
)
def test_durations(text: str, duration: timedelta) -> None:
    assert discovery.parse_duration(text) == duration


@pytest.mark.parametrize("text", ["", "4", "days", "4 parsecs", "-1 day"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ConfigError, match="not a duration"):
        discovery.parse_duration(text)


def test_a_bound_that_is_no_time() -> None:
    with pytest.raises(ConfigError, match="run_interval.until"):
        RunInterval.parse(until="yesterday")


@pytest.mark.parametrize(
    ("lists", "problem"),
    [
        ({"tsv": ["iglu:a/b/jsonschema/1-*-*"], "json": ["iglu:a/b/jsonschema/1-0-*"]}, "overlap"),
        ({"json": ["iglu:a/b/jsonschema/*-*-*"], "skip": ["iglu:a/b/jsonschema/2-0-0"]}, "overlap"),
        ({"tsv": ["a/b"]}, "not a schema criterion"),
        ({"default": "XML"}, "TSV or JSON"),
    ],
)
def test_format_lists_that_cannot_be(lists: dict[str, object], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        Formats.parse(**lists)  # type: ignore[arg-type]


def test_skip_means_json() -> None:
    key = SchemaKey.parse("iglu:a/b/jsonschema/1-0-0")
    assert not Formats.parse("TSV", skip=["iglu:a/b/jsonschema/1-*-*"]).is_tabular(key)
    assert Formats.parse("TSV", tsv=["iglu:a/c/jsonschema/1-*-*"]).is_tabular(key)
    assert Formats.parse("JSON", tsv=["iglu:a/b/jsonschema/1-*-*"]).is_tabular(key)
    assert not Formats.parse("JSON").is_tabular(key)


RUN = Completed(
    base="s3://bucket/out/run=2021-10-14-10-23-45/",
    types=frozenset(
        [
            SchemaType("iglu:a/b/jsonschema/1-0-0", "contexts"),
            SchemaType("iglu:a/b/jsonschema/1-0-0", "derived_contexts"),
            SchemaType("iglu:a/b/jsonschema/1-0-0", "unstruct_event"),
        ]
    ),
    started="2021-10-14T10:23:45Z",
    completed="2021-10-14T10:30:00Z",
    first=None,
    last=None,
    compression="GZIP",
    processor={"artifact": "snowetl", "version": "1.0.0"},
    good=1,
    bad=2,
)


def test_a_schema_used_in_two_ways_is_listed_twice() -> None:
    data = message.shredding_complete(RUN, SHRED, Formats())["data"]
    assert data["typesInfo"]["types"] == [
        {"schemaKey": "iglu:a/b/jsonschema/1-0-0", "format": "TSV", "snowplowEntity": entity}
        for entity in ("CONTEXT", "SELF_DESCRIBING_EVENT")
    ]
    assert data["count"] == {"good": 1, "bad": 2}


@pytest.mark.parametrize(("kind", "file_format"), [(WIDE_JSON, "JSON"), (WIDE_PARQUET, "PARQUET")])
def test_wide_rows(kind: str, file_format: str) -> None:
    info = message.shredding_complete(RUN, kind, Formats())["data"]["typesInfo"]
    assert (info["transformation"], info["fileFormat"]) == ("WIDEROW", file_format)
    assert "format" not in info["types"][0]


def test_the_legacy_message_is_for_shredded_runs() -> None:
    assert message.shredding_complete(RUN, SHRED, Formats(), legacy=True)["schema"].endswith("/1-0-1")
    with pytest.raises(ConfigError, match="legacy"):
        message.shredding_complete(RUN, WIDE_JSON, Formats(), legacy=True)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("1.12.1-rc1", (1, 12, 1, "rc1")), ("0.1.0-M1", (0, 1, 0, "M1")), ("5.6.3", (5, 6, 3, None)),
        ("1.0.0-dev", (1, 0, 0, "-dev")), ("1.0", None), ("-1.0.0", None), ("a.b.c", None),
    ],
)  # fmt: skip
def test_versions(text: str, version: tuple[int, int, int, str | None] | None) -> None:
    assert Semver.parse(text) == version
