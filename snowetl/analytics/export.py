"""``snowetl export cube``: a cube of enriched folders, or of a warehouse, as a file."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from pathlib import Path

from snowetl.analytics.cube import Events, cube
from snowetl.analytics.enriched import read_enriched
from snowetl.analytics.settings import CubeSettings
from snowetl.analytics.tables import KINDS, csv_lines
from snowetl.analytics.warehouse_events import WarehouseEvents
from snowetl.errors import UsageError
from snowetl.runs.run import absolute
from snowetl.runs.scratch import scratch_folder
from snowetl.storage import filesystem


def export_cube(settings: CubeSettings, emit: Callable[[str], None], warn: Callable[[str], None]) -> str | None:
    """Write the cube to its file, whose address is returned; without one, ``emit`` gets the lines of a CSV.
    ``warn`` is called with lines and runs that are left out.

    Raises ``ConfigError``, ``UsageError``, ``NothingToDo``, ``StorageError``.
    """
    shape, kind = settings.shape, KINDS[settings.to]
    if kind.module is not None and importlib.util.find_spec(kind.module) is None:
        raise UsageError(f"--to {settings.to} needs more packages. Run: pip install 'snowetl[analytics]'")
    if settings.output is None and settings.to != "csv":
        raise UsageError(f"--to {settings.to} needs a file: --output cube.{settings.to}")
    rows = cube(_events(settings, warn), shape)
    if settings.output is None:
        for line in csv_lines(shape.header, rows):
            emit(line[:-1])
        return None
    url = absolute(settings.output)
    with scratch_folder() as folder:
        path = folder / f"cube.{settings.to}"
        kind.write(path, shape.header, len(shape.dimensions), rows)
        _put(path, url)
    return url


def _events(settings: CubeSettings, warn: Callable[[str], None]) -> Events:
    columns = settings.shape.columns
    if settings.target is None:
        return read_enriched(list(settings.input_folder), columns=columns, warn=warn, **settings.runs)
    return WarehouseEvents(settings.target, settings.table, columns)


def _put(path: Path, url: str) -> None:
    files = filesystem(url)
    staged = files.stage(url)
    try:
        with path.open("rb") as file:
            shutil.copyfileobj(file, staged, 1 << 20)
        files.commit(staged.close())
    except BaseException:
        staged.abort()
        raise
