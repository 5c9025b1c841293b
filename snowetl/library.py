"""The verbs as functions: settings in, reports out; nothing is printed.

Each takes the settings of its verb, or the same as keywords: ``enrich(input_folder="logs", input_format="thrift", …)``.
What can go wrong is a :class:`snowetl.errors.SnowetlError`.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from snowetl.documents import did_you_mean
from snowetl.errors import ConfigError
from snowetl.orchestrator.settings import RunSettings
from snowetl.settings import Settings
from snowetl.steps.settings import EnrichSettings, ExplainSettings, LoadSettings, TransformSettings

if TYPE_CHECKING:
    from snowetl.load.report import LoadReport
    from snowetl.reporting.enrich import EnrichReport
    from snowetl.reporting.transform import TransformReport
    from snowetl.steps.base import Watch

S = TypeVar("S", bound=Settings)


def enrich(settings: EnrichSettings | None = None, /, *, watch: Watch | None = None, **options: Any) -> EnrichReport:
    """Turn raw collector logs into enriched events and bad rows; the report of the run.

    A run that is done already is left as it is. ``watch`` hears how the work goes.
    """
    from snowetl.steps.base import Unwatched, World
    from snowetl.steps.table import ENRICH
    from snowetl.workers import open_pool

    given = settings_of(EnrichSettings, settings, options)
    watch = watch or Unwatched()
    plan = ENRICH.plan(given, World.of_now())
    app = f"snowetl enrich {plan.run.id}"
    with open_pool(given.master, given.workers, app, input_bytes=plan.bytes, say=watch.say) as workers:
        [report] = ENRICH.execute(plan, workers, watch)
    return report


def transform(
    settings: TransformSettings | None = None, /, *, watch: Watch | None = None, **options: Any
) -> Sequence[TransformReport]:
    """Turn enriched events into rows for a warehouse; a report of each run that was transformed now."""
    from snowetl.steps.base import Unwatched, World
    from snowetl.steps.table import TRANSFORM
    from snowetl.workers import open_pool

    given = settings_of(TransformSettings, settings, options)
    watch = watch or Unwatched()
    plan = TRANSFORM.plan(given, World.of_now())
    with open_pool(given.master, given.workers, "snowetl transform", input_bytes=plan.bytes, say=watch.say) as workers:
        return TRANSFORM.execute(plan, workers, watch)


def load(settings: LoadSettings | None = None, /, *, watch: Watch | None = None, **options: Any) -> list[LoadReport]:
    """Load transformed runs into a warehouse, each once; a report of each run, loaded now or before."""
    from snowetl.steps.base import Unwatched, World
    from snowetl.steps.table import LOAD
    from snowetl.workers.in_process import InProcess

    plan = LOAD.plan(settings_of(LoadSettings, settings, options), World.of_now())
    return LOAD.execute(plan, InProcess(), watch or Unwatched())


def run(settings: RunSettings | None = None, /, *, watch: Watch | None = None, **options: Any) -> dict[str, Any]:
    """Enrich, transform and load as one run, or what is left of it; the report of the run as JSON.

    ``counts`` holds (name, count, level) from raw records to rows, ``differences`` what of it does not add up.
    """
    from snowetl.orchestrator import batch

    return batch.run(settings_of(RunSettings, settings, options), watch)


def explain(record: bytes | str, /, **options: Any) -> Iterator[tuple[str, Any]]:
    """The way of one record as (stage, what it made): loader, payload, adapter, each step, the event or bad row.

    ``record`` is the record itself, or ``FILE:N`` for the Nth record of a file; keywords are those of
    ``ExplainSettings``.
    """
    from snowetl.steps.explain import explain as way

    text = base64.b64encode(record).decode("ascii") if isinstance(record, bytes) else record
    return way(settings_of(ExplainSettings, None, {**options, "record": text}))


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
