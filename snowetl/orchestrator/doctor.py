"""Check everything a run needs before it starts: try each thing, and report all that is wrong.

A run looks for itself before it starts; the doctor looks without starting one, and goes on after the first finding.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from snowetl.errors import AssetError, ConfigError, RegistryUnavailable, SnowetlError, UsageError
from snowetl.iglu.config import ResolverConfig
from snowetl.iglu.failures import RegistryError
from snowetl.iglu.registries import build_registries
from snowetl.load.preflight import check_target, recovery_tables
from snowetl.load.run import SHREDDED
from snowetl.model.schema import SchemaKey, SchemaVer
from snowetl.orchestrator import after
from snowetl.orchestrator.after import dbt
from snowetl.orchestrator.archive import drive as archive
from snowetl.orchestrator.executors import kind_of
from snowetl.orchestrator.settings import RunSettings
from snowetl.orchestrator.sources import input_of
from snowetl.orchestrator.step_names import DBT
from snowetl.orchestrator.unloaded import unloaded
from snowetl.runs.writable import check_writable
from snowetl.settings.words import count
from snowetl.steps import assets
from snowetl.steps.extras import check_extras
from snowetl.storage import filesystem
from snowetl.version import description

_ASKED = SchemaKey("com.snowplowanalytics.iglu", "resolver-config", "jsonschema", SchemaVer(1, 0, 0))
"""What registries are asked for; that one does not have it is an answer, too."""
_SCRATCH_BYTES = 256 << 20
_MB = 1 << 20


@dataclass(frozen=True)
class Finding:
    """What was looked at, and how it is. ``error`` is what would stop a run."""

    name: str
    note: str
    error: SnowetlError | None = None


def examine(settings: RunSettings) -> Iterator[Finding]:
    """A finding for each thing a run of ``settings`` needs. Nothing is left behind, and no run is begun."""
    for name, look in _LOOKS.items():
        try:
            yield Finding(name, look(settings))
        except SnowetlError as error:
            yield Finding(name, str(error), error)


def _packages(settings: RunSettings) -> str:
    check_extras(settings)
    return f"{description()}; everything that these settings need is installed"


def _configuration(settings: RunSettings) -> str:
    config = settings.enrich_config()
    with tempfile.TemporaryDirectory(prefix="snowetl-") as folder:
        wanted = config.assets()
        files = assets.in_working_folder(wanted) if settings.local else assets.fetch_all(wanted, Path(folder))
        missing = [uri for uri, path in files.items() if not Path(path).is_file()]
        if missing:
            raise AssetError(f"there is no file {' and '.join(missing)}")
    return f"{count(len(config.enrichments), 'enrichment')}, {count(len(files), 'file')} of theirs"


def _transform(settings: RunSettings) -> str:
    """The settings of the transform must fit together; the event manifest must answer."""
    _ = settings.deduplication, settings.oldest
    storage = settings.event_manifest
    if storage is None:
        return "duplicates are looked for within a batch"
    with storage.open() as manifest:
        manifest.check()
    return "the storage of earlier duplicates answers"


def _registries(settings: RunSettings) -> str:
    registries = [each for each in build_registries(ResolverConfig.load(settings.iglu_config)) if each.remote]
    silent = []
    for registry in registries:
        found = registry.schema(_ASKED)
        if isinstance(found, RegistryError) and found.outage:
            silent.append(f"{registry.repository.name}: {found.outage}")
    if silent:
        raise RegistryUnavailable(f"{'; '.join(silent)}. Check the address and the network")
    if not registries:
        return "none is asked over the network"
    return f"{count(len(registries), 'registry answers', 'registries answer')}"


def _input(settings: RunSettings) -> str:
    return "; ".join(source.note() for source in input_of(settings).sources)


def _outputs(settings: RunSettings) -> str:
    """Every folder the run writes to can be written to; the archive, which may forbid deletions, can be looked at."""
    folders = settings.written_folders
    check_writable(folders)
    archive.check(settings)
    if settings.archive is not None:
        filesystem(settings.archive).exists(settings.archive)
    return f"{count(len(folders), 'folder')} can be written to"


def _scratch(settings: RunSettings) -> str:
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    if free < _SCRATCH_BYTES:
        raise UsageError(f"{folder} has {free // _MB:,} MB free: free some space, or set TMPDIR to another folder")
    return f"{folder} has {free // _MB:,} MB free"


def _warehouse(settings: RunSettings) -> str:
    """The target takes loads, and holds what the settings say: rows of a version are looked for in one table."""
    check_target(settings.target)
    if SHREDDED in settings.target.capabilities.layouts and not settings.recovery_tables:
        found = recovery_tables(settings.target)
        if found:
            more = f" and {len(found) - 1:,} more" if len(found) > 1 else ""
            raise ConfigError(
                f"{settings.target} has the recovery table {found[0]}{more}, and recovery-tables is off: new rows of "
                "those versions would go to the tables of their models, and change these. Set recovery-tables: true"
            )
    return str(settings.target)


def _other_rows(settings: RunSettings) -> str:
    """Rows that another program left where a run loads from: they stop no run, and no run takes them."""
    return str(unloaded(settings))


def _executor(settings: RunSettings) -> str:
    """Where the steps shall run: what they need there, and whether it answers."""
    return kind_of(settings.executor).examine(settings)


def _after(settings: RunSettings) -> str:
    """What shall follow the load: its files, and the programs that do it."""
    after.check(settings)
    after.check_programs(settings)
    notes = [dbt.version_of(settings) if name == DBT else name for name in settings.after]
    return ", ".join(notes) or "nothing follows the load"


_LOOKS: dict[str, Callable[[RunSettings], str]] = {
    "packages": _packages,
    "configuration": _configuration,
    "registries": _registries,
    "transform": _transform,
    "input": _input,
    "outputs": _outputs,
    "scratch space": _scratch,
    "warehouse": _warehouse,
    "other rows": _other_rows,
    "after load": _after,
    "executor": _executor,
}
