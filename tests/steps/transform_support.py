"""Enriched runs, a registry in a folder, and transform jobs without Spark."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from snowetl.steps.base import Unwatched, World
from snowetl.steps.settings import TransformSettings
from snowetl.steps.table import TRANSFORM
from snowetl.steps.transform_plan import TransformPlan
from snowetl.workers import open_pool
from tests.transform.support import contexts, line, self_describing, unstruct

RUN = "run=2026-01-02-03-04-05"
_ATOMIC = "com.snowplowanalytics.snowplow"
_META = "http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#"
SCHEMAS: dict[str, dict[str, Any]] = {
    "com.acme/click/1-0-0": {
        "type": "object",
        "properties": {"target": {"type": "string", "maxLength": 50}, "count": {"type": "integer"}},
        "required": ["target"],
    },
    "com.acme/user/1-0-0": {"type": "object", "properties": {"name": {"type": ["string", "null"]}}},
    f"{_ATOMIC}/duplicate/1-0-0": {
        "type": "object",
        "properties": {"originalEventId": {"type": "string", "format": "uuid"}},
        "required": ["originalEventId"],
    },
    f"{_ATOMIC}/atomic/1-0-0": {"type": "object", "properties": {"app_id": {"type": "string", "maxLength": 5}}},
}


def event_id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012x}"


def enriched(number: int, **columns: str) -> str:
    """An event with a click and a user."""
    given = {
        "event_id": event_id(number),
        "event_fingerprint": f"f{number}",
        "app_id": "shop",
        "etl_tstamp": "2026-01-02 03:00:00.000",
        "contexts": contexts(self_describing("iglu:com.acme/user/jsonschema/1-0-0", {"name": f"n{number}"})),
        "unstruct_event": unstruct(
            self_describing("iglu:com.acme/click/jsonschema/1-0-0", {"target": f"t{number}", "count": number})
        ),
    }
    return line(**(given | columns))


def write_run(folder: Path, files: Iterable[Iterable[str]], name: str = RUN) -> Path:
    """A run folder with a gzip file for each list of lines."""
    run = folder / name
    run.mkdir(parents=True, exist_ok=True)
    for number, lines in enumerate(files):
        text = "".join(f"{each}\n" for each in lines)
        (run / f"part-{number:05d}.gz").write_bytes(gzip.compress(text.encode("utf-8", "surrogatepass"), mtime=0))
    return run


def write_registry(folder: Path) -> dict[str, Any]:
    """Put the schemas into a folder; returns the resolver configuration that reads them."""
    for path, schema in SCHEMAS.items():
        vendor, name, version = path.split("/")
        own = {"vendor": vendor, "name": name, "format": "jsonschema", "version": version}
        file = folder / "schemas" / vendor / name / "jsonschema" / version
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"$schema": _META, "self": own} | schema))
    repository = {
        "name": "Folder", "priority": 0, "vendorPrefixes": [], "connection": {"http": {"uri": folder.as_uri()}},
    }  # fmt: skip
    return {
        "schema": "iglu:com.snowplowanalytics.iglu/resolver-config/jsonschema/1-0-3",
        "data": {"cacheSize": 100, "repositories": [repository]},
    }


def settings(folder: Path, **more: Any) -> TransformSettings:
    """``folder/enriched`` to ``folder/out``; the registry lies in ``folder/registry``."""
    given: dict[str, Any] = {
        "input_folder": str(folder / "enriched"),
        "output_folder": str(folder / "out"),
        "iglu_config": write_registry(folder / "registry"),
        "target": "redshift",
    }
    return TransformSettings(**(given | more))


def here() -> AbstractContextManager[Any]:
    return open_pool("none", 1, "test")


def transform(
    folder: Path, executor: Callable[[], AbstractContextManager[Any]] = here, **more: Any
) -> list[dict[str, Any]]:
    """A whole job; returns the reports of its runs."""
    with executor() as workers:
        return [report.to_json() for report in TRANSFORM.execute(plan(folder, **more), workers, Unwatched())]


def plan(folder: Path, **more: Any) -> TransformPlan:
    return TRANSFORM.plan(settings(folder, **more), World.of_now())


def lines_of(folder: Path) -> list[str]:
    """All lines of all text parts below a folder, in part order."""
    found = []
    for part in sorted(folder.rglob("part-*")):
        content = part.read_bytes()
        text = gzip.decompress(content) if part.suffix == ".gz" else content
        found += text.decode("utf-8").splitlines()
    return found


def files(folder: Path) -> dict[str, bytes]:
    """All files below a folder by relative path; reports and messages, which hold times, are left out."""
    told = ("_plan.json", "_work.jsonl.gz", "_report.json", "_report.html", "shredding_complete.json")
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in told
    }
