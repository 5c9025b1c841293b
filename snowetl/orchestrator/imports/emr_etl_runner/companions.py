"""The files beside a ``config.yml``: resolver, enrichments, storage targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from snowetl import documents
from snowetl.errors import ConfigError
from snowetl.interpolation import escape
from snowetl.orchestrator.imports.emr_etl_runner.config import RunnerConfig
from snowetl.orchestrator.imports.emr_etl_runner.targets import ENRICHED, FAILED, Target, Targets, check_ids

_LEGACY_KINDS = {"redshift": "redshift_config", "postgres": "postgresql_config", "elasticsearch": "elastic_config"}
_VENDOR = "iglu:com.snowplowanalytics.snowplow.storage"


@dataclass(frozen=True)
class Companions:
    """Paths as they were given, and the texts behind them."""

    resolver: str | None = None
    enrichments: str | None = None
    targets: Targets = field(default_factory=Targets)
    resolver_text: str = ""
    enrichment_texts: tuple[str, ...] = ()


def read(config: RunnerConfig, resolver: str | None, enrichments: str | None, targets: str | None) -> Companions:
    """Reads what there is; each is optional here. Raises :class:`ConfigError`."""
    if resolver is not None and not Path(resolver).is_file():
        raise ConfigError(f"Resolver file '{resolver}' does not exist, or is not a file")
    if enrichments is not None and not Path(enrichments).is_dir():
        raise ConfigError(f"Enrichments directory '{enrichments}' does not exist, or is not a directory")
    found = [*_from_folder(targets), *_from_config(config)]
    check_ids(str(target.data["id"]) for target in found if "id" in target.data)
    return Companions(
        resolver,
        enrichments,
        Targets(tuple(found)),
        Path(resolver).read_text("utf-8") if resolver else "",
        tuple(_json_texts(enrichments)) if enrichments else (),
    )


def _json_texts(folder: str) -> list[str]:
    return [path.read_text("utf-8") for path in sorted(Path(folder).glob("*.json"))]


def _from_folder(folder: str | None) -> list[Target]:
    if folder is None:
        return []
    if not Path(folder).is_dir():
        raise ConfigError(f"Targets directory '{folder}' does not exist, or is not a directory")
    paths = sorted(Path(folder).glob("*.json"))
    found = [documents.read(path, "a storage target", variables=False) for path in paths]
    for document in found:
        if not isinstance(document.value, dict) or not isinstance(document.value.get("data"), dict):
            raise ConfigError(
                f"{document.where} is not a storage target: it must be self-describing JSON, schema and data"
            )
    return [Target(escape(document.value), document.where) for document in found]


def _from_config(config: RunnerConfig) -> list[Target]:
    """The targets that releases up to r89 had in the configuration itself."""
    given = config["storage.targets"]
    where = config.locate("storage.targets")
    return [_modernized(entry, where) for entry in given or () if isinstance(entry, dict)]


def _modernized(entry: Mapping[str, Any], where: str) -> Target:
    kind = _LEGACY_KINDS.get(str(entry.get("type")), str(entry.get("type")))
    data: dict[str, Any] = {key: entry.get(key) for key in ("name", "host", "port")}
    if kind == "elastic_config":
        data |= {
            "index": entry.get("database"),
            "type": entry.get("table"),
            "nodesWanOnly": entry.get("es_nodes_wan_only"),
            "purpose": FAILED,
        }
    else:
        data |= {
            "database": entry.get("database"),
            "schema": str(entry.get("table") or "atomic.events").partition(".")[0],
            "username": entry.get("username"),
            "password": entry.get("password"),
            "sslMode": str(entry.get("ssl_mode") or "disable").upper().replace("-", "_"),
            "maxError": entry.get("maxerror"),
            "compRows": entry.get("comprows"),
            "purpose": ENRICHED,
        }
    return Target({"schema": f"{_VENDOR}/{kind}/jsonschema/1-0-0", "data": data}, where)
