"""Convert a configuration of EmrEtlRunner, and say key by key what is carried over and what is not."""

from __future__ import annotations

from collections.abc import Iterator

from snowetl.enrich.config import EnrichConfig
from snowetl.errors import ConfigError
from snowetl.iglu.config import ResolverConfig
from snowetl.orchestrator.imports import targets
from snowetl.orchestrator.imports.completed import reports_folder, rows_for_warehouse
from snowetl.orchestrator.imports.emr_etl_runner.cluster import cluster
from snowetl.orchestrator.imports.emr_etl_runner.companions import Companions
from snowetl.orchestrator.imports.emr_etl_runner.config import RunnerConfig
from snowetl.orchestrator.imports.emr_etl_runner.keys import KEYS
from snowetl.orchestrator.imports.emr_etl_runner.options import EQUIVALENTS, RunOptions
from snowetl.orchestrator.imports.found import NOTHING_TO_DO, Carried, Found, Left
from snowetl.orchestrator.imports.modern import modern

_COMPRESSION = {"GZIP": "gzip", "NONE": "none"}
_BUCKETS = "aws.s3.buckets"
_RAW_ARCHIVE = f"{_BUCKETS}.raw.archive"


def found(config: RunnerConfig, files: Companions, options: RunOptions | None = None) -> Found:
    """All that the configuration says, in our terms."""
    machine, changed = modern(cluster(config), config.where)
    settings, of_targets = targets.carried(
        files.targets, config["aws.s3.region"], config[f"{_BUCKETS}.jsonpath_assets"]
    )
    for key, path in (("iglu-config", files.resolver), ("enrichments", files.enrichments)):
        if path is not None:
            settings[key] = Carried(path, f"--{'resolver' if key == 'iglu-config' else key}")
    archives = options is None or "archive_raw" not in options.skip
    left = [
        *_keys_left(config),
        *config.unknown,
        *_changed(config),
        *_archive_left(config, archives=archives),
        *changed,
        *of_targets,
        *_files_left(files),
        *_enrichments_left(files),
        *(_options_left(options) if options else ()),
    ]
    run = dict(_run(config, archives=archives))
    verbs = {"transform": dict(_transform(config))} if config.stream else {"run": run}
    left += rows_for_warehouse(settings, verbs)
    return Found(config.where, settings, verbs, machine, tuple(left))


def _transform(config: RunnerConfig) -> Iterator[tuple[str, Carried]]:
    """Settings of a transform of what Stream Enrich wrote."""
    for key, path in (
        ("input-folder", f"{_BUCKETS}.enriched.stream"),
        ("output-folder", _archive_or_good(config, "shredded")),
    ):
        yield key, Carried(config[path], config.locate(path))
    yield from _compression(config)


def _run(config: RunnerConfig, *, archives: bool) -> Iterator[tuple[str, Carried]]:
    """Settings of a run: where logs are, where output goes."""
    if config.raw_in:
        yield "input-folder", Carried(list(config.raw_in), config.locate(f"{_BUCKETS}.raw.in"))
    if archives and config[_RAW_ARCHIVE] is not None and not _archive_in_input(config):
        yield "archive", Carried(config[_RAW_ARCHIVE], config.locate(_RAW_ARCHIVE))
    if config["collectors.format"] is not None:
        yield "input-format", Carried(config["collectors.format"], config.locate("collectors.format"))
    good = config[f"{_BUCKETS}.enriched.good"]
    yield "output-folder", reports_folder(good, config[f"{_BUCKETS}.shredded.good"])
    for key, path in (
        ("enriched-folder", _archive_or_good(config, "enriched")),
        ("bad-folder", f"{_BUCKETS}.enriched.bad"),
        ("transformed-folder", _archive_or_good(config, "shredded")),
    ):
        if config[path] is not None:
            yield key, Carried(config[path], config.locate(path))
    yield from _compression(config)


def _archive_in_input(config: RunnerConfig) -> str | None:
    """The input folder that the archive of raw logs lies in."""
    return next((folder for folder in config.raw_in or () if str(config[_RAW_ARCHIVE]).startswith(folder)), None)


def _archive_left(config: RunnerConfig, *, archives: bool) -> Iterator[Left]:
    """What is different about the archive of raw logs, or why it is not carried."""
    if config[_RAW_ARCHIVE] is None or config.stream:
        return
    place = config.locate(_RAW_ARCHIVE)
    inside = _archive_in_input(config)
    if not archives:
        yield Left(place, "--skip archive_raw leaves it out", NOTHING_TO_DO)
    elif inside is not None:
        yield Left(
            place,
            f"it lies in {inside}, and runs would read their own archive as input",
            "Give archive: a folder outside of it; without one, raw logs stay where they are, and nothing is copied",
        )
    else:
        yield Left(
            place,
            "raw logs are copied there, and stay in raw.in: a ledger knows which were taken",
            "Let a lifecycle rule delete what is old in raw.in; or leave archive: out, and keep raw.in instead",
        )


def _archive_or_good(config: RunnerConfig, kind: str) -> str:
    """The key of the folder where finished runs lie in the end."""
    archive = f"{_BUCKETS}.{kind}.archive"
    return archive if config[archive] is not None else f"{_BUCKETS}.{kind}.good"


def _compression(config: RunnerConfig) -> Iterator[tuple[str, Carried]]:
    compression = config["enrich.output_compression"]
    if compression is not None:
        yield "compression", Carried(_COMPRESSION[compression], config.locate("enrich.output_compression"))


def _keys_left(config: RunnerConfig) -> Iterator[Left]:
    """Keys that nothing here needs, with the reason of their table."""
    for key in KEYS:
        if key.left is not None and config[key.path] is not None:
            yield Left(config.locate(key.path), *key.left)


def _changed(config: RunnerConfig) -> Iterator[Left]:
    """Values that are carried, but to another end."""
    for kind in ("enriched", "shredded"):
        if config[f"{_BUCKETS}.{kind}.archive"] is not None:
            yield Left(
                config.locate(f"{_BUCKETS}.{kind}.good"),
                "runs are written to their final place, beside those that were archived",
                "Archive or delete what the last old run left there",
            )
    if str(config["collectors.format"]).startswith("json/"):
        yield Left(
            config.locate("collectors.format"),
            "no job of Snowplow read json/…",
            "Use ndjson/… for a JSON document a line",
        )


def _files_left(files: Companions) -> Iterator[Left]:
    if files.resolver is None:
        yield Left("iglu-config", "no resolver was given", "Give it with -r, or write iglu-config yourself")
    if files.enrichments is None:
        yield Left("enrichments", "no enrichments were given", "Give their folder with -n if there are any")
    if not files.targets.all:
        yield Left(
            "warehouse",
            "no storage target was given",
            "Give their folder with -t; without one, runs load an embedded PostgreSQL",
        )


def _enrichments_left(files: Companions) -> list[Left]:
    """Enrichments that a run would refuse, each with the reason. Their schemas are those of this package."""
    if files.enrichments is None:
        return []
    try:
        EnrichConfig.load(resolver=ResolverConfig.default(), enrichments=files.enrichments, input_format="thrift")
    except ConfigError as error:
        problems = error.problems or (error,)
        return [Left("enrichments", str(each), "Correct the file, or remove it") for each in problems]
    return []


def _options_left(options: RunOptions) -> Iterator[Left]:
    """Old options, and what they mean here."""
    given = [("--skip", name) for name in options.skip] + [("--include", name) for name in options.include]
    if options.resume_from is not None:
        given.append(("--resume-from", options.resume_from))
    for option, name in given:
        step, note = EQUIVALENTS[name]
        yield Left(
            f"{option} {name}",
            f"the step is {step} here" if step else f"there is no such step here: {note}",
            f"`snowetl run {option} {step}` does the same; a run goes on by itself where it stopped"
            if step
            else NOTHING_TO_DO,
        )
