"""Loads a run into further databases: ``--also-load``. Each has its own manifest, and is tried again by itself.

A database that loads other rows than the run's own warehouse (wide rows beside shredded ones) has them made first, by a
transform of its own.

One that fails holds up neither the others nor what the run's own warehouse has: the step ends with an error that names
it, and whoever resumes the run loads into it alone.
"""

from __future__ import annotations

import time
from dataclasses import replace

from snowetl.errors import ConfigError, LoadError, SnowetlError
from snowetl.load.report import LoadReport
from snowetl.orchestrator.after import report
from snowetl.orchestrator.after.report import AfterReport, Part
from snowetl.orchestrator.entries import Entry
from snowetl.orchestrator.executors import kind_of
from snowetl.orchestrator.settings import RunSettings
from snowetl.orchestrator.step_names import ALSO_LOAD
from snowetl.problems import Problems
from snowetl.settings.words import count
from snowetl.steps.base import Watch, World
from snowetl.steps.load import load_elsewhere
from snowetl.steps.table import TRANSFORM
from snowetl.storage.base import scheme_of
from snowetl.workers import open_pool


class AlsoLoad:
    """The step: see :class:`snowetl.orchestrator.after.AfterStep`."""

    def check(self, settings: RunSettings) -> None:
        """Addresses, drivers, and whether all databases load the rows that the run makes."""
        problems = Problems()
        seen = {str(settings.target)}
        for own in settings.also:
            with problems.gathered():
                target = own.target
                if str(target) in seen:
                    raise ConfigError(f"--also-load {target} is a database of the run already")
                seen.add(str(target))
                try:
                    target.check()
                except ConfigError as error:
                    raise ConfigError(f"--also-load: {error}") from error
                _check_rows(settings, own)
        problems.check()

    def check_program(self, settings: RunSettings) -> None:
        """The warehouses do the work. One that does not answer now may answer when its turn comes."""

    def run(self, settings: RunSettings, entry: Entry, watch: Watch) -> None:
        """Load into each database that has not been loaded into. Raises ``LoadError`` that names those that failed."""
        known = report.read(entry, ALSO_LOAD)
        done = AfterReport(step=ALSO_LOAD, done=False) if known is None else replace(known, done=False)
        there = {part.name for part in done.parts}
        failures = []
        for own in settings.also:
            target = str(own.target)
            if target in there:
                watch.say(f"{target}: loaded already")
                continue
            watch.say(target)
            started = time.monotonic()
            try:
                if _is_apart(settings, own):
                    _transform(own, entry.id, watch)
                loads = _load(own, entry.id, watch)
            except SnowetlError as error:
                failures.append(f"{target}: {error}")
                watch.warn(f"{target} is not loaded: {error}")
                continue
            seconds = round(time.monotonic() - started, 3)
            done = done.with_part(
                Part(name=target, seconds=seconds, status=loads[0].outcome, rows=sum(load.rows for load in loads))
            )
            report.save(done, entry)
        if failures:
            raise LoadError(
                f"{count(len(failures), 'database')} of {len(settings.also):,} not loaded: {'; '.join(failures)}"
            )
        report.save(replace(done, done=True, words=count(len(done.parts), "more database")), entry)


def _load(own: RunSettings, id_: str, watch: Watch) -> list[LoadReport]:
    """The good events, and failed ones where these are wanted. Each load compares its rows with those written."""
    kinds = (False, True) if own.wants_failed_events else (False,)
    return [load_elsewhere(own.load_settings(id_, failed=failed), watch) for failed in kinds]


def _is_apart(settings: RunSettings, own: RunSettings) -> bool:
    """Whether a database loads other rows than those the run has made."""
    return own.output_folders()[2] != settings.output_folders()[2]


def _transform(own: RunSettings, id_: str, watch: Watch) -> None:
    """Make the rows of one database, of good events and of failed ones. Runs that are made already are left alone."""
    wanted = [own.transform_settings(id_)]
    if own.wants_failed_events:
        wanted.append(own.failed_transform_settings(id_))
    with open_pool(own.master, own.workers, f"snowetl run {id_}", say=watch.say) as pool:
        for settings in wanted:
            TRANSFORM.execute(TRANSFORM.plan(settings, World.of_now()), pool, watch)


def _check_rows(settings: RunSettings, own: RunSettings) -> None:
    """Raises ``ConfigError`` for a database whose rows the run neither makes nor can make."""
    target, kind = own.target, own.target.capabilities
    if _is_apart(settings, own) and not kind_of(settings.executor).here:
        raise ConfigError(
            f"--also-load {target}: it loads {kind.transformation} rows made for {kind.rows_for}, and the run's steps "
            f"run elsewhere (--executor {settings.executor}), where no second transform is done. Transform the run for "
            "it by itself: snowetl transform, then snowetl load"
        )
    if own.wants_failed_events and not kind.failed_events:
        raise ConfigError(f"--also-load {target}: it has no tables for failed events; leave --failed-events out")
    where = scheme_of(own.output_folders()[2])
    if kind.reads_from is not None and where not in kind.reads_from:
        raise ConfigError(f"--also-load {target}: it reads rows from {', '.join(sorted(kind.reads_from))}, not {where}")
