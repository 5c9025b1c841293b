"""Registries of the vectors as the transformer sees them: folders, read as an Iglu Server with lists would answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from snowetl.model import jsontext
from snowetl.model.schema import ParseError, SchemaKey, SchemaVer
from snowetl.transform.schemas import Lookup

_NOT_FOUND = [{"error": "NotFound"}]


class FolderRegistries:
    """Folders of schema files, asked in order. Lists are in version order."""

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._folders = dict(folders)
        self._schemas: dict[SchemaKey, Lookup] = {}

    def schema(self, key: SchemaKey) -> Lookup:
        if key not in self._schemas:
            self._schemas[key] = self._find(key)
        return self._schemas[key]

    def _find(self, key: SchemaKey) -> Lookup:
        for folder in self._folders.values():
            path = folder / "schemas" / key.path
            if path.is_file():
                return Lookup(jsontext.loads_exact(path.read_text("utf-8")))
        return Lookup(error=_resolution_error(dict.fromkeys(self._folders, _NOT_FOUND)))

    @lru_cache(maxsize=4096)  # noqa: B019  # lives as long as the test run
    def schema_list(self, vendor: str, name: str, model: int) -> Lookup:
        errors: dict[str, list[dict[str, str]]] = {}
        for registry, folder in self._folders.items():
            found = _versions(folder / "schemas" / vendor / name / "jsonschema", model)
            keys = [SchemaKey(vendor, name, "jsonschema", version) for version in found]
            if keys and keys[0].version[1:] == (0, 0):
                return Lookup(keys)
            errors[registry] = [_bad_list(keys[0])] if keys else _NOT_FOUND
        return Lookup(error=_resolution_error(errors))


def _versions(folder: Path, model: int) -> list[SchemaVer]:
    versions = []
    for path in folder.glob(f"{model}-*") if folder.is_dir() else ():
        try:
            versions.append(SchemaVer.parse(path.name))
        except ParseError:
            continue
    return sorted(versions)


def _bad_list(first: SchemaKey) -> dict[str, str]:
    problem = f"Init schema {first.uri} is not 1-0-0"
    return {
        "error": "RepoFailure",
        "message": f"DecodingFailure at : Cannot parse list of strings into SchemaList. {problem}",
    }


def _resolution_error(errors: Mapping[str, Sequence[Mapping[str, str]]]) -> dict[str, Any]:
    every = {**errors, "Iglu Client Embedded": _NOT_FOUND}
    return {
        "error": "ResolutionError",
        "lookupHistory": [
            {"repository": name, "errors": list(every[name]), "attempts": 1, "lastAttempt": "1970-01-01T10:30:00Z"}
            for name in sorted(every)
        ],
    }
