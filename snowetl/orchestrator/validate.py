"""Checks settings, and every document they name, without a network: for a pull request, before anything is deployed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from snowetl.errors import ConfigError, RegistryUnavailable, SnowetlError, UsageError
from snowetl.iglu.config import ResolverConfig
from snowetl.orchestrator import after, sources, step_choice
from snowetl.orchestrator.archive import drive as archive
from snowetl.orchestrator.executors import kind_of
from snowetl.orchestrator.settings import RunSettings
from snowetl.storage.base import scheme_of

_MAGIC = "*?[{"


def problems(settings: RunSettings) -> list[str]:
    """All that is wrong, each a text; none where a run may be tried.

    Documents and files at addresses elsewhere (``s3://``, ``https://``) are for ``snowetl doctor`` to look at.
    """
    found: dict[str, None] = {}
    for name, look in _LOOKS.items():
        try:
            look(settings)
        except RegistryUnavailable:
            continue  # there is no network here
        except ConfigError as error:
            for each in error.problems or (error,):
                found.setdefault(str(each) if not error.problems else f"{name}: {each}")
        except SnowetlError as error:
            found.setdefault(str(error))
    return list(found)


def _input(settings: RunSettings) -> None:
    sources.check(settings)
    archive.check(settings)
    missing = [
        folder
        for folder in settings.input_folder
        if scheme_of(folder) == "file"
        and not any(sign in folder for sign in _MAGIC)
        and not Path(folder.removeprefix("file://")).exists()
    ]
    if missing:
        raise UsageError(f"--input-folder: there is no {' and no '.join(missing)}")


def _resolver(settings: RunSettings) -> None:
    ResolverConfig.load(settings.iglu_config)


def _enrichments(settings: RunSettings) -> None:
    """The files that enrichments name must be there, if they are on this machine."""
    config = settings.enrich_config()
    local = [asset.uri for asset in config.assets() if "://" not in asset.uri]
    missing = [uri for uri in local if not Path(uri).is_file()]
    if missing and not settings.local:
        raise UsageError(f"enrichments need files that are not there: {', '.join(missing)}")


def _transform(settings: RunSettings) -> None:
    _ = settings.deduplication, settings.oldest, settings.event_manifest


def _warehouse(settings: RunSettings) -> None:
    if "load" in settings.steps:
        settings.target.check()


def _executor(settings: RunSettings) -> None:
    kind_of(settings.executor).check(settings)


_LOOKS: Mapping[str, Callable[[RunSettings], None]] = {
    "input": _input,
    "resolver": _resolver,
    "enrichments": _enrichments,
    "transform": _transform,
    "warehouse": _warehouse,
    "steps": step_choice.check,
    "after the load": after.check,
    "executor": _executor,
}
