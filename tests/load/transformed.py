"""Runs for the load tests, made by the transform from enriched lines and a registry in a folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from snowetl.steps.base import Unwatched, World
from snowetl.steps.settings import TransformSettings
from snowetl.steps.table import TRANSFORM
from snowetl.workers.in_process import InProcess
from tests.load.runs import ID
from tests.transform.support import contexts, line, self_describing, unstruct

_META = "http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#"
RUN = "run=2026-01-02-03-04-05"
Versions = Mapping[str, Mapping[str, Any]]


def resolver(folder: Path, **models: Versions) -> str:
    """The resolver of a registry that has these models of com.acme."""
    (folder / "registry/schemas").mkdir(parents=True, exist_ok=True)
    for name, versions in models.items():
        for version, schema in versions.items():
            own = {"vendor": "com.acme", "name": name, "format": "jsonschema", "version": version}
            file = folder / "registry/schemas/com.acme" / name / "jsonschema" / version
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps({"$schema": _META, "self": own} | dict(schema)))
    repository = {"name": "Here", "priority": 0, "vendorPrefixes": [],
                  "connection": {"http": {"uri": (folder / "registry").as_uri()}}}  # fmt: skip
    document = {
        "schema": "iglu:com.snowplowanalytics.iglu/resolver-config/jsonschema/1-0-3",
        "data": {"cacheSize": 100, "repositories": [repository]},
    }
    path = folder / "resolver.json"
    path.write_text(json.dumps(document))
    return str(path)


def event(number: int, **columns: str) -> str:
    """An enriched line of 2 January 2026."""
    given = {"event_id": ID.format(number), "collector_tstamp": "2026-01-02 03:04:05.678", "event_name": "click"}
    return line(**(given | columns))


def click(number: int, version: str = "1-0-0", **data: Any) -> str:
    """An enriched line with com.acme/click as event, and as an entity."""
    entity = self_describing(f"iglu:com.acme/click/jsonschema/{version}", data)
    return event(number, unstruct_event=unstruct(entity), contexts=contexts(entity, entity))


def transformed_run(
    folder: Path,
    lines: Sequence[str],
    transformation: str,
    rows_for: str = "postgres",
    run: str = RUN,
    failed: bool = False,
    **models: Versions,
) -> str:
    """Transform ``lines``, as one run, and give its folder."""
    base = folder / ("failed" if failed else "good")
    source = base / "enriched" / run
    source.mkdir(parents=True)
    (source / "part-0.txt").write_text("".join(f"{text}\n" for text in lines))
    settings = TransformSettings(
        input_folder=str(source),
        output_folder=str(base / "transformed"),
        iglu_config=resolver(folder, **models),
        transformation=transformation,
        target=rows_for,
        failed_events=failed,
        check_input=not failed,
        synthetic="NONE",
    )
    TRANSFORM.execute(TRANSFORM.plan(settings, World.of_now()), InProcess(), Unwatched())
    return str(base / "transformed" / run)


def wide_run(
    folder: Path,
    lines: Sequence[str],
    run: str = RUN,
    failed: bool = False,
    transformation: str = "widerow-parquet",
    **models: Versions,
) -> str:
    """The same, of wide rows."""
    return transformed_run(folder, lines, transformation, run=run, failed=failed, **models)
