"""Which steps the old runner would have taken, from its options alone."""

from __future__ import annotations

from dataclasses import dataclass

from snowetl.orchestrator.imports.emr_etl_runner.options import RunOptions

_CHECKS = ("analyze", "consistency_check", "load_manifest_check")
"""Parts of a load that are not steps: to switch one off is to tell the loader to skip it, in this order."""


@dataclass(frozen=True)
class Flags:
    """The steps that are on. ``archive_*_mode`` is ``pipeline`` (this run's folder), ``recover`` (the last one there
    is) or ``skip``."""

    staging: bool
    enrich: bool
    staging_stream_enrich: bool
    shred: bool
    es: bool
    archive_raw: bool
    rdb_load: bool
    consistency_check: bool
    load_manifest_check: bool
    analyze: bool
    archive_enriched: bool
    archive_shredded: bool

    @property
    def archive_enriched_mode(self) -> str:
        return _mode(self.archive_enriched, self.enrich or self.staging_stream_enrich)

    @property
    def archive_shredded_mode(self) -> str:
        return _mode(self.archive_shredded, self.shred)


def _mode(on: bool, made_by_this_run: bool) -> str:
    if not on:
        return "skip"
    return "pipeline" if made_by_this_run else "recover"


def flags(options: RunOptions) -> Flags:
    """The steps that checked ``options`` leave on.

    Beginning with ``analyze`` or ``staging_stream_enrich`` never worked as one would think; here it is as it was.
    """
    skip, resume = options.skip, options.resume_from

    def on(step: str, *starts: str) -> bool:
        """Not skipped, and the run begins at its beginning or with one of ``starts``."""
        return step not in skip and (resume is None or resume in starts)

    to_shred = ("enrich", "shred")
    to_es = (*to_shred, "elasticsearch")
    to_raw = (*to_es, "archive_raw")
    to_load = (*to_raw, "rdb_load")
    return Flags(
        staging=on("staging") and not options.stream,
        enrich=on("enrich", "enrich") and not options.stream,
        staging_stream_enrich=on("staging_stream_enrich") and options.stream,
        shred=on("shred", *to_shred),
        es=on("elasticsearch", *to_es),
        archive_raw=on("archive_raw", *to_raw) and not options.stream,
        rdb_load=on("rdb_load", *to_load),
        load_manifest_check=on("load_manifest_check", *to_load),
        consistency_check=on("consistency_check", *to_load, "consistency_check"),
        analyze=on("analyze", *to_load, "consistency_check", "load_manifest_check", "analyze"),
        archive_enriched=on("archive_enriched", *to_load, "consistency_check", "analyze", "archive_enriched"),
        archive_shredded="archive_shredded" not in skip,
    )


def loader_skips(steps: Flags) -> list[str]:
    """What RDB Loader is told to leave out (its ``--skip``)."""
    return [name for name in _CHECKS if not getattr(steps, name)]
