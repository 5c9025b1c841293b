"""Places schemas come from. All answer two questions, a schema by key and a list by model, and never raise."""

from __future__ import annotations

import importlib.util
import re
import zipfile
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from snowetl.errors import ConfigError
from snowetl.http import Http
from snowetl.iglu.config import BUILT_IN, Repository, ResolverConfig
from snowetl.iglu.failures import NOT_FOUND, RegistryError, client_failure, repo_failure
from snowetl.iglu.http import HttpRegistry, undecodable_list
from snowetl.iglu.schema_list import SchemaListError, checked_schema_list, parse_schema_list
from snowetl.jvm import jsontext
from snowetl.model.schema import ParseError, SchemaKey, SchemaVer

SCHEMAS = "schemas"
"""The folder of a registry that holds its schemas."""

_EMBEDDED_CLASS, _HTTP_CLASS = 2, 100
_LONGEST_PART = 128


class Registry(Protocol):
    """``class_priority`` orders kinds of registries; ``remote`` ones are worth asking again after a failure."""

    @property
    def repository(self) -> Repository: ...
    @property
    def class_priority(self) -> int: ...
    @property
    def remote(self) -> bool: ...

    def schema(self, key: SchemaKey) -> Any | RegistryError:
        """The parsed schema (numbers keep their text)."""

    def schema_list(self, vendor: str, name: str, model: int) -> list[SchemaKey] | RegistryError:
        """The versions of a model, in order of publishing."""


class FolderRegistry:
    """Files ``schemas/VENDOR/NAME/FORMAT/VERSION`` in a folder: on disk, in a zip archive or in an installed package.

    A list is the file ``…/jsonschema/MODEL`` if there is one, else the names of the files.
    """

    remote = False

    def __init__(self, repository: Repository, folder: Traversable, class_priority: int) -> None:
        self.repository = repository
        self.class_priority = class_priority
        self._schemas = folder.joinpath(SCHEMAS)

    def schema(self, key: SchemaKey) -> Any | RegistryError:
        content = self._read(key.vendor, key.name, key.format, str(key.version))
        return content if isinstance(content, RegistryError) else self._parsed(content)

    def schema_list(self, vendor: str, name: str, model: int) -> list[SchemaKey] | RegistryError:
        content = self._read(vendor, name, "jsonschema", str(model))
        try:
            if isinstance(content, RegistryError):
                return content if content != NOT_FOUND else self._listed(vendor, name, model)
            elements = self._parsed(content)
            return elements if isinstance(elements, RegistryError) else parse_schema_list(elements)
        except SchemaListError as error:
            return undecodable_list(error)

    def _listed(self, vendor: str, name: str, model: int) -> list[SchemaKey] | RegistryError:
        folder = self._schemas.joinpath(vendor).joinpath(name).joinpath("jsonschema")
        if not folder.is_dir():
            return NOT_FOUND
        versions = []
        for file in folder.iterdir():
            if file.name.startswith(f"{model}-"):
                try:
                    versions.append(SchemaVer.parse(file.name))
                except ParseError:
                    return repo_failure(f"Corrupted schema file name at {file}")
        keys = [SchemaKey(vendor, name, "jsonschema", version) for version in sorted(versions)]
        if not keys:
            return NOT_FOUND
        return checked_schema_list(keys) if self.class_priority == _HTTP_CLASS else keys

    def _read(self, *names: str) -> bytes | RegistryError:
        file = self._schemas
        for name in names:
            file = file.joinpath(name)
        try:
            return file.read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return NOT_FOUND
        except OSError as error:
            return repo_failure(str(error), outage=f"{file}: {error.strerror or error}")

    def _parsed(self, content: bytes) -> Any | RegistryError:
        try:
            return jsontext.loads_exact(content.decode("utf-8", "replace"))
        except jsontext.JsonError as error:
            if self.class_priority == _HTTP_CLASS:
                return client_failure(f"Could not decode server response. {error}")
            return repo_failure(f"ParsingFailure: {error}")


def can_exist(vendor: str, name: str, format_: str = "jsonschema") -> bool:
    """Whether a registry can hold such a schema at all; of others none is asked.

    Whoever sends events makes up names. Iglu's own limit of a part is 128 characters; ``..`` would leave a folder.
    """
    return vendor not in (".", "..") and max(len(vendor), len(name), len(format_)) <= _LONGEST_PART


def build_registries(config: ResolverConfig, http: Http | None = None) -> list[Registry]:
    """The built-in registry and those of ``config``, in that order, asked over one ``http``.

    Raises :class:`ConfigError` for missing folders.
    """
    built_in = FolderRegistry(BUILT_IN, resources.files("snowetl.iglu").joinpath("embedded"), _EMBEDDED_CLASS)
    client = http or Http(secrets=[one.apikey for one in config.repositories if one.apikey])
    return [built_in, *(_build(repository, client) for repository in config.repositories)]


def _build(repository: Repository, http: Http) -> Registry:
    if repository.path is not None:
        return FolderRegistry(repository, _embedded_folder(repository), _EMBEDDED_CLASS)
    assert repository.uri is not None
    if urlsplit(repository.uri).scheme == "file":
        return FolderRegistry(repository, _file_folder(repository), _HTTP_CLASS)
    return HttpRegistry(repository, http)


def folder_of(repository: Repository) -> Path | None:
    """The folder of a registry that is one on this machine's disk."""
    if repository.path is not None:
        folder = Path(repository.path).expanduser()
    else:
        parts = urlsplit(repository.uri or "")
        if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
            return None
        folder = Path(unquote(parts.path))
    return folder if folder.is_dir() else None


def _embedded_folder(repository: Repository) -> Traversable:
    """A folder on disk, or else ``/package/sub/folder`` of an installed package (the reference's class path)."""
    path = repository.path or ""
    folder = folder_of(repository) or _archive(Path(path))
    if folder is not None:
        return folder
    first, _, rest = path.strip("/").partition("/")
    if re.fullmatch(r"[A-Za-z_]\w*", first) and importlib.util.find_spec(first) is not None:
        packaged = resources.files(first)
        for name in filter(None, rest.split("/")):
            packaged = packaged.joinpath(name)
        if packaged.is_dir():
            return packaged
    raise ConfigError(
        f"Iglu registry '{repository.name}': there is no folder {path}. 'embedded' means a folder in registry layout "
        "(schemas/VENDOR/NAME/jsonschema/VERSION), on this machine or in an installed package; correct its path."
    )


def _archive(path: Path) -> Traversable | None:
    """The content of a folder that was sent here as a zip archive."""
    return zipfile.Path(path) if path.is_file() and zipfile.is_zipfile(path) else None


def _file_folder(repository: Repository) -> Traversable:
    folder = folder_of(repository) or _archive(Path(unquote(urlsplit(repository.uri or "").path)))
    if folder is None:
        raise ConfigError(
            f"Iglu registry '{repository.name}': there is no folder {repository.uri}. A static registry on disk is "
            "named file:///path/to/folder, and that folder has the folder schemas in it."
        )
    return folder
