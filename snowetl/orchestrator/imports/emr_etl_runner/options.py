"""The options of ``snowplow-emr-etl-runner run``: which values they took, how it refused others, what they are here.

Texts and their order are those of release 1.0.4, so that scripts that look for them go on working.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from snowetl.orchestrator.imports.emr_etl_runner.errors import RunnerConfigError

RESUMABLE = (
    "enrich",
    "shred",
    "elasticsearch",
    "archive_raw",
    "rdb_load",
    "analyze",
    "archive_enriched",
    "archive_shredded",
    "staging_stream_enrich",
)
SKIPPABLE = (
    "staging",
    "enrich",
    "shred",
    "elasticsearch",
    "archive_raw",
    "rdb_load",
    "consistency_check",
    "analyze",
    "load_manifest_check",
    "archive_enriched",
    "archive_shredded",
    "staging_stream_enrich",
)
INCLUDABLE = ("vacuum",)
"""In the order in which error messages list them."""

_COLLECTOR_FORMAT = re.compile(r"cloudfront|clj-tomcat|thrift|(?:json|tsv|ndjson)/.+/.+")
_SECONDS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"(\d+)(\w)", re.ASCII)


@dataclass(frozen=True)
class RunOptions:
    """``--skip``, ``--resume-from`` and ``--include`` as they were given, and what the configuration adds to them."""

    skip: tuple[str, ...] = ()
    resume_from: str | None = None
    include: tuple[str, ...] = ()
    stream: bool = False
    """Whether ``aws.s3.buckets.enriched.stream`` is set: the run takes what Stream Enrich wrote."""


class Equivalent(NamedTuple):
    """What stands for an old step here. ``step`` is ours (``None``: there is nothing to do for it)."""

    step: str | None
    note: str


EQUIVALENTS: dict[str, Equivalent] = {
    "staging": Equivalent(None, "raw logs are read where they lie; nothing is moved"),
    "enrich": Equivalent("enrich", "enriched events and bad rows"),
    "staging_stream_enrich": Equivalent(None, "transform reads the files of Stream Enrich where they lie"),
    "shred": Equivalent("transform", "rows for the warehouse"),
    "elasticsearch": Equivalent(None, "bad rows are loaded into a table (--load-bad-rows), or lie as files"),
    "archive_raw": Equivalent(None, "a ledger knows which files were taken; raw logs stay where they are"),
    "rdb_load": Equivalent("load", "one transaction for all tables"),
    "consistency_check": Equivalent(None, "S3 is consistent; a load counts what it read"),
    "load_manifest_check": Equivalent(None, "a run is in the manifest or not, and never loaded twice"),
    "analyze": Equivalent(None, "the warehouse analyzes on its own"),
    "archive_enriched": Equivalent(None, "runs are written to their final place"),
    "archive_shredded": Equivalent(None, "runs are written to their final place"),
    "vacuum": Equivalent("vacuum", "the tables that the run has loaded (--include vacuum)"),
}
"""Every value of ``--skip``, ``--resume-from`` and ``--include``."""


_THEIRS = "this option is EmrEtlRunner's"
_IMPORT = "`snowetl import-config emr-etl-runner` reads it into a snowetl.yml"
ELSEWHERE: dict[str, str] = {
    "--lock": f"{_THEIRS}. A run holds a lease beside its output: leave it out",
    "--consul": f"{_THEIRS}. A run holds a lease beside its output: leave it out",
    "--ignore-lock-on-start": f"{_THEIRS}. `snowetl unlock` frees the lease of a run whose process is gone",
    "--targets": f"{_THEIRS}. Give --warehouse and --database; {_IMPORT}",
    "--resolver": f"{_THEIRS}. Give --iglu-config; {_IMPORT}",
    "--use-persistent-jobflow": f"{_THEIRS}. Give --emr-keep-cluster or --emr-cluster-id; {_IMPORT}",
}
"""Options that people go on typing, and what to say to them."""
OF_RUN = f"{_THEIRS}. Give it to `snowetl run --run-id RUN`; `snowetl resume` does all that is left of a run"
"""The answer of another verb to options that ``snowetl run`` takes."""


class Ours(NamedTuple):
    """The same wish in our steps: leave out ``skip``, begin with ``start`` (``None``: at the beginning)."""

    skip: frozenset[str]
    start: str | None


_ORDER = ("enrich", "transform", "load")


def ours(options: RunOptions) -> Ours:
    """What checked ``options`` mean for our steps. Beginning with an old step that has no work here is beginning with
    the next of ours; past the last one (the archives) nothing is left, and all steps are skipped."""
    skip = frozenset(step for name in options.skip if (step := EQUIVALENTS[name].step) is not None)
    if options.resume_from is None:
        return Ours(skip, None)
    later = RESUMABLE[RESUMABLE.index(options.resume_from) :]
    if options.resume_from == "staging_stream_enrich":
        return Ours(skip, "transform")
    start = next((step for name in later if (step := EQUIVALENTS[name].step) is not None), None)
    return Ours(frozenset(_ORDER) if start is None else skip, start)


def check(options: RunOptions, collector_format: str | None = None, ami_version: str | None = None) -> None:
    """Raises :class:`RunnerConfigError` with the old runner's text for the first thing it would have refused."""
    refusal = next(chain(_refused_steps(options), _refused_input(collector_format, ami_version)), None)
    if refusal is not None:
        raise RunnerConfigError(refusal)


def _refused_steps(options: RunOptions) -> Iterator[str]:
    resume, skip, stream = options.resume_from, options.skip, options.stream
    if resume is not None and resume not in RESUMABLE:
        yield _no_such("resume-from", RESUMABLE, resume)
    for step in skip:
        if step not in SKIPPABLE:
            yield _no_such("skip", SKIPPABLE, step)
    if resume is not None and skip:
        yield "resume-from and skip are mutually exclusive"
    if resume == "staging_stream_enrich" and not stream:
        yield ("staging_stream_enrich is invalid step to resume from without aws.s3.buckets.enriched.stream settings")
    if stream and resume == "enrich":
        yield "cannot resume from enrich in stream enrich mode"
    if stream and {"staging", "enrich"} & set(skip):
        yield (
            "cannot skip staging nor enrich in stream enrich mode. "
            "Either skip staging_stream_enrich or resume from shred"
        )
    if stream and (resume == "archive_raw" or "archive_raw" in skip):
        yield "cannot skip nor resume from archive_raw in stream enrich mode"
    for name in options.include:
        if name not in INCLUDABLE:
            yield _no_such("include", INCLUDABLE, name)


def _refused_input(collector_format: str | None, ami_version: str | None) -> Iterator[str]:
    if collector_format is not None and not _COLLECTOR_FORMAT.fullmatch(collector_format):
        yield f"collector_format '{collector_format}' not supported"
    if collector_format == "thrift" and (ami_version or "").startswith("2"):
        yield "Cannot process Thrift events with AMI version 2.x.x"


def _no_such(option: str, values: Sequence[str], given: str) -> str:
    return f"Invalid option: {option} can be {', '.join(values)} not '{given}'"


def duration(text: str) -> int:
    """Seconds of ``--persistent-jobflow-duration``: the sum of every number with its unit (``1d12h`` is 129,600).

    Raises :class:`RunnerConfigError` for a unit it did not know.
    """
    total = 0
    for number, unit in _DURATION.findall(text):
        if unit not in _SECONDS:
            raise RunnerConfigError(f"'{text}' is not a duration: '{unit}' is not one of m, h, d and w")
        total += int(number) * _SECONDS[unit]
    return total
