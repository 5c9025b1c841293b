"""Storage targets: self-describing JSON files, or (until r89) a list in the configuration."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from snowetl.orchestrator.imports.emr_etl_runner import assets
from snowetl.orchestrator.imports.emr_etl_runner.errors import RunnerConfigError

ENRICHED, FAILED, DUPLICATES = "ENRICHED_EVENTS", "FAILED_EVENTS", "DUPLICATE_TRACKING"
_KEY = re.compile(r"iglu:[^/]+/([a-z_]+)/jsonschema/(\d+)-\d+-\d+")
_TSV_SINCE = "0.16.0-rc1"
"""The first shredder that wrote TSV."""


@dataclass(frozen=True)
class Target:
    """One storage target: ``kind`` is ``redshift_config`` and so on, ``document`` the whole self-describing JSON."""

    document: dict[str, Any]
    where: str = ""

    @property
    def kind(self) -> str:
        match = _KEY.match(str(self.document.get("schema")))
        return match[1] if match else ""

    @property
    def model(self) -> int:
        match = _KEY.match(str(self.document.get("schema")))
        return int(match[2]) if match else 0

    @property
    def data(self) -> dict[str, Any]:
        data = self.document.get("data")
        return data if isinstance(data, dict) else {}

    @property
    def name(self) -> str:
        return str(self.data.get("name"))

    @property
    def purpose(self) -> str:
        return str(self.data.get("purpose"))

    @property
    def base64(self) -> str:
        return assets.base64(json.dumps(self.document, separators=(",", ":"), ensure_ascii=False))

    @property
    def manifest_table(self) -> str | None:
        """The DynamoDB table of the processing manifest, that early loaders could use."""
        manifest = self.data.get("processingManifest")
        table = manifest.get("amazonDynamoDb") if isinstance(manifest, dict) else None
        return str(table["tableName"]) if isinstance(table, dict) and "tableName" in table else None


@dataclass(frozen=True)
class Targets:
    """All targets, in the order of their files."""

    all: tuple[Target, ...] = ()

    def of(self, purpose: str) -> list[Target]:
        return [target for target in self.all if target.purpose == purpose]

    @property
    def tabular(self) -> Target | None:
        """The first Redshift target that can choose TSV: model 4 and later."""
        return next((each for each in self.all if each.kind == "redshift_config" and each.model >= 4), None)

    @property
    def tabular_blacklist(self) -> list[str] | None:
        """Schemas that stay JSON while all others are TSV; ``None``: all are JSON."""
        found = self.tabular.data.get("blacklistTabular") if self.tabular else None
        return found if isinstance(found, list) else None


def check_ids(ids: Iterable[str]) -> None:
    """Raises :class:`RunnerConfigError` for ids that several targets have."""
    seen: set[str] = set()
    twice: dict[str, None] = {}
    for id_ in ids:
        if id_ in seen:
            twice[id_] = None
        seen.add(id_)
    if twice:
        raise RunnerConfigError(f"Duplicate storage target ids: {json.dumps(list(twice))}")


def writes_tsv(shredder: str) -> bool:
    return assets.order(shredder) >= assets.order(_TSV_SINCE)


def copies_json(shredder: str, targets: Targets) -> bool:
    """Whether a run copied shredded JSON: old shredders always did, later ones what the list keeps as JSON."""
    blacklist = targets.tabular_blacklist
    return not writes_tsv(shredder) or blacklist is None or len(blacklist) > 0


def copies_tsv(shredder: str, targets: Targets) -> bool:
    return writes_tsv(shredder) and targets.tabular_blacklist is not None


def elasticsearch_arguments(target: Target) -> Sequence[str]:
    """Where the Elasticsearch job wrote bad rows."""
    data = target.data
    return [
        *("--host", str(data.get("host"))),
        *("--port", str(data.get("port"))),
        *("--index", str(data.get("index"))),
        *("--type", str(data.get("type"))),
        *("--es_nodes_wan_only", "true" if data.get("nodesWanOnly") else "false"),
    ]
