"""Registries that are folders of the driver's machine, on their way to workers that may see other files, or none.

A task names each such folder among its files, and the pool brings it to the workers (as a zip archive where it has to
be sent); there the resolver is led to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from snowetl.iglu.config import Repository, ResolverConfig
from snowetl.iglu.registries import SCHEMAS, folder_of

_PREFIX = "registry "


def folders(resolver: ResolverConfig) -> dict[str, str]:
    """Files of a task: the folders of schemas on this machine, by a name of their own."""
    found = {one.name: folder_of(one) for one in resolver.repositories}
    schemas = {name: folder / SCHEMAS for name, folder in found.items() if folder is not None}
    return {_PREFIX + name: str(path.absolute()) for name, path in schemas.items() if path.is_dir()}


def without_folders(files: Mapping[str, Path]) -> dict[str, Path]:
    """The other files of a task."""
    return {name: path for name, path in files.items() if not name.startswith(_PREFIX)}


def located(resolver: ResolverConfig, files: Mapping[str, Path]) -> ResolverConfig:
    """The resolver, with those registries where ``files``, as a worker has them, say that they are."""
    return replace(resolver, repositories=tuple(_located(one, files) for one in resolver.repositories))


def _located(repository: Repository, files: Mapping[str, Path]) -> Repository:
    path = files.get(_PREFIX + repository.name)
    if path is None:
        return repository
    place = (path.parent if path.is_dir() else path).absolute()
    if repository.path is not None:
        return replace(repository, path=str(place))
    return replace(repository, uri=place.as_uri())
