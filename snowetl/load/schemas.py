"""The versions of a model, from the Iglu registries."""

from __future__ import annotations

from snowetl.ddl.schema import parse
from snowetl.iglu.client import IgluClient
from snowetl.jvm import jsontext
from snowetl.load.plan import LoadError, Version
from snowetl.model.schema import SchemaKey


class RegistrySchemas:
    """Asks each model of the registries once."""

    def __init__(self, iglu: IgluClient) -> None:
        self._iglu = iglu
        self._known: dict[tuple[str, str, int], list[Version]] = {}

    def versions(self, vendor: str, name: str, model: int) -> list[Version]:
        """All versions in publishing order. Raises :class:`LoadError` naming what no registry has."""
        wanted = (vendor, name, model)
        if wanted not in self._known:
            self._known[wanted] = [self._version(key) for key in self._keys(vendor, name, model)]
        return self._known[wanted]

    def _keys(self, vendor: str, name: str, model: int) -> list[SchemaKey]:
        keys = self._iglu.schema_list(vendor, name, model)
        if not isinstance(keys, list):
            raise LoadError(
                f"no registry lists the versions of {vendor}/{name} model {model} ({jsontext.dumps(keys)}); "
                "publish them, or add their registry to --iglu-config"
            )
        return keys

    def _version(self, key: SchemaKey) -> Version:
        found = self._iglu.schema(key)
        if not isinstance(found, dict) or "error" in found:
            raise LoadError(f"{key} is listed but cannot be fetched: {jsontext.dumps(found)}")
        schema = parse(found)
        if schema is None:
            raise LoadError(f"{key} is no JSON Schema that can become a table; see `snowetl ddl --check {key}`")
        return Version(key, schema)
