"""The verbs as functions: settings in, reports out; nothing is printed.

Each takes the settings of its verb, or the same as keywords: ``enrich(input_folder="logs", input_format="thrift", …)``.
The command line calls these functions with a ``watch`` (:class:`snowetl.steps.base.Watch`) that prints what it is told:
what is about to happen, warnings, progress, each report, and with ``dry_run`` the plan. Every error they raise on
purpose is a :class:`snowetl.errors.SnowetlError`.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from snowetl.errors import ConfigError
from snowetl.orchestrator.settings import RunSettings
from snowetl.problems import did_you_mean
from snowetl.settings import Settings
from snowetl.settings.words import amount, count
from snowetl.steps.settings import EnrichSettings, ExplainSettings, LoadSettings, TransformSettings

if TYPE_CHECKING:
    from snowetl.load.report import LoadReport
    from snowetl.reporting.enrich import EnrichReport
    from snowetl.reporting.transform import TransformReport
    from snowetl.steps.base import Watch

S = TypeVar("S", bound=Settings)


def enrich(
    settings: EnrichSettings | None = None, /, *, watch: Watch | None = None, **options: Any
) -> EnrichReport | None:
    """Turn raw collector logs into enriched events and bad rows. Returns the report of the run.

    A finished run is left unchanged. A dry run returns ``None``.
    """
    from snowetl.steps.base import Unwatched, World
    from snowetl.steps.table import ENRICH
    from snowetl.workers import open_pool

    given, watch = settings_of(EnrichSettings, settings, options), watch or Unwatched()
    plan = ENRICH.plan(given, World.of_now())
    if plan.done is not None:
        watch.say(f"run={plan.run.id} is done already: {plan.run.report_url}. To redo it, delete {plan.run.folders[0]}")
    elif given.dry_run:
        ENRICH.dry_run(plan, watch)
        return None
    else:
        ignored = f", {count(len(plan.ignored), 'file')} ignored" if plan.ignored else ""
        watch.say(f"run={plan.run.id}: {amount(len(plan.files), plan.bytes, len(plan.work))}{ignored}")
    app = f"snowetl enrich {plan.run.id}"
    with open_pool(given.master, given.workers, app, input_bytes=plan.bytes, say=watch.say) as workers:
        [report] = ENRICH.execute(plan, workers, watch)
    return report


def transform(
    settings: TransformSettings | None = None, /, *, watch: Watch | None = None, **options: Any
) -> Sequence[TransformReport]:
    """Turn enriched events into rows for a warehouse. Returns a report of each run that was transformed."""
    from snowetl.steps.base import Unwatched, World
    from snowetl.steps.table import TRANSFORM
    from snowetl.workers import open_pool

    given, watch = settings_of(TransformSettings, settings, options), watch or Unwatched()
    plan = TRANSFORM.plan(given, World.of_now())
    for run in plan.done if not plan.batches else ():
        watch.say(f"{run.id} is done already: {run.folder}. To redo it, delete that folder")
    for name in plan.unfinished:
        watch.warn(f"{name} waits: its enrichment has not ended")
    for name in plan.redone:
        watch.say(f"{name} was begun and not completed: it is redone")
    if given.dry_run:
        TRANSFORM.dry_run(plan, watch)
        return []
    with open_pool(given.master, given.workers, "snowetl transform", input_bytes=plan.bytes, say=watch.say) as workers:
        return TRANSFORM.execute(plan, workers, watch)


def load(
    settings: LoadSettings | None = None, /, *, watch: Watch | None = None, **options: Any
) -> Sequence[LoadReport]:
    """Load transformed runs into a warehouse, each once. Returns a report of each run, loaded now or before.

    With ``listen``, loads runs until the process is told to stop; ``watch`` is told of each.
    """
    from snowetl.steps.base import Unwatched, World
    from snowetl.steps.table import LOAD
    from snowetl.workers.in_process import InProcess

    given, watch = settings_of(LoadSettings, settings, options), watch or Unwatched()
    if given.listen is not None:
        from snowetl.steps.listen import listen

        listen(given, watch)
        return []
    plan = LOAD.plan(given, World.of_now())
    if given.dry_run:
        LOAD.dry_run(plan, watch)
        return []
    return LOAD.execute(plan, InProcess(), watch)


def run(settings: RunSettings | None = None, /, *, watch: Watch | None = None, **options: Any) -> dict[str, Any] | None:
    """Enrich, transform and load as one run, or do its remaining steps. Returns the report of the run as JSON.

    ``counts`` holds (name, count, level) from raw records to rows; ``differences`` names the counts that do not add
    up. A dry run returns ``None``.
    """
    from snowetl.orchestrator import driver
    from snowetl.orchestrator.executors import kind_of
    from snowetl.steps.base import Unwatched

    given, watch = settings_of(RunSettings, settings, options), watch or Unwatched()
    if given.dry_run:
        driver.dry_run(given, watch)
        return None
    if kind_of(given.executor).rehearses:
        driver.rehearse(given, watch)
        return None
    return driver.run(given, watch)


def explain(record: bytes | str | ExplainSettings, /, **options: Any) -> Iterator[tuple[str, Any]]:
    """Follow one record: yields (stage, its result) for loader, payload, adapter, each step, and the event or bad row.

    ``record`` is the record itself, ``FILE:N`` for the Nth record of a file, or the settings that name it; keywords are
    those of ``ExplainSettings``.
    """
    from snowetl.collector import format_of
    from snowetl.steps.explain import explain as way

    if isinstance(record, ExplainSettings):
        return way(settings_of(ExplainSettings, record, options))
    if isinstance(record, str):
        return way(settings_of(ExplainSettings, None, {**options, "record": record}))
    settings = settings_of(ExplainSettings, None, {**options, "record": base64.b64encode(record).decode("ascii")})
    if not format_of(settings.input_format).binary:
        settings = replace(settings, record=record.decode("utf-8", "replace"))
    return way(settings)


def settings_of(kind: type[S], settings: S | None, options: dict[str, Any]) -> S:
    """The settings of a verb, given as such or as keywords. Raises ``ConfigError`` that names all that is wrong."""
    if settings is not None:
        if options:
            raise ConfigError(f"Give either {kind.__name__} or keywords, not both ({', '.join(options)})")
        if not isinstance(settings, kind):
            raise ConfigError(f"This takes {kind.__name__} or keywords, not {settings!r:.80}")
        return settings
    known = {option.name: option for option in kind.options()}
    problems = [f"unknown keyword '{name}'{did_you_mean(name, known)}" for name in options if name not in known]
    problems += [f"{name} is missing" for name, option in known.items() if option.required and name not in options]
    if problems:
        raise ConfigError(f"{kind.__name__}: {'; '.join(problems)}")
    return kind(**options)
