"""The versions of a model, from the Iglu registries."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from snowetl.ddl.models import Version
from snowetl.ddl.schema import parse
from snowetl.iglu.client import IgluClient
from snowetl.iglu.failures import ResolutionFailure, describe
from snowetl.model.schema import SchemaKey


class NoSchema(NamedTuple):
    """Why the versions of a model are unknown, with the remedy."""

    reason: str


class ModelSchemas(Protocol):
    """Where the versions of a model come from, in publishing order."""

    def versions(self, vendor: str, name: str, model: int) -> list[Version] | NoSchema: ...


class RegistrySchemas:
    """Asks the registries for each model once. Raises ``RegistryUnavailable`` where one does not answer."""

    def __init__(self, iglu: IgluClient) -> None:
        self._iglu = iglu
        self._known: dict[tuple[str, str, int], list[Version] | NoSchema] = {}

    def versions(self, vendor: str, name: str, model: int) -> list[Version] | NoSchema:
        """All versions in publishing order."""
        wanted = (vendor, name, model)
        found = self._known.get(wanted)
        if found is None:
            found = self._known[wanted] = self._fetch(vendor, name, model)
        return found

    def _fetch(self, vendor: str, name: str, model: int) -> list[Version] | NoSchema:
        keys = self._iglu.schema_list(vendor, name, model)
        if isinstance(keys, ResolutionFailure):
            return NoSchema(
                f"no registry lists the versions of iglu:{vendor}/{name}/jsonschema/{model} "
                f"({describe(keys.to_json())}); publish them, or add their registry to --iglu-config"
            )
        versions = []
        for key in keys:
            version = self._version(key)
            if isinstance(version, NoSchema):
                return version
            versions.append(version)
        return versions

    def _version(self, key: SchemaKey) -> Version | NoSchema:
        found = self._iglu.schema(key)
        if isinstance(found, ResolutionFailure):
            return NoSchema(f"{key} is listed but cannot be fetched: {describe(found.to_json())}")
        schema = parse(found)
        if schema is None:
            return NoSchema(f"{key} is not a JSON Schema that can become a table; see `snowetl ddl --check {key}`")
        return Version(key, schema)
