"""Storage targets of EmrEtlRunner, and the playbooks that came after it, as our settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from snowetl.orchestrator.imports import warehouse
from snowetl.orchestrator.imports.emr_etl_runner.targets import DUPLICATES, ENRICHED, FAILED, Target, Targets
from snowetl.orchestrator.imports.found import NOTHING_TO_DO, Carried, Left
from snowetl.orchestrator.imports.warehouse import Connection

KINDS = {"redshift_config": "redshift", "postgresql_config": "postgres"}
"""Kinds of targets that are warehouses, and what they are called here."""


def carried(
    targets: Targets, region: str | None, jsonpaths: str | None = None
) -> tuple[dict[str, Carried], list[Left]]:
    """The settings of the first warehouse and of the storage of duplicates, and what could not be carried."""
    settings: dict[str, Carried] = {}
    left: list[Left] = []
    warehouses = [target for target in targets.of(ENRICHED) if target.kind in KINDS]
    if warehouses:
        first, *more = warehouses
        settings, notes = warehouse.settings(_connection(first, region))
        left += [*notes, *_notes(first, jsonpaths), *map(_another, more)]
    for target in targets.all:
        if target.purpose == ENRICHED and target.kind not in KINDS:
            left.append(Left(f"{target.where}: {target.kind}", "it is not a warehouse known here", _BY_HAND))
    for target in targets.of(FAILED):
        left.append(
            Left(
                f"{target.where}: {target.name}",
                "bad rows do not go to Elasticsearch",
                "PostgreSQL gets them as a table (load-bad-rows); elsewhere they lie as JSON lines in bad-folder",
            )
        )
    for duplicates in targets.of(DUPLICATES)[:1]:
        document, notes = _without_keys(duplicates)
        settings["duplicate-storage"] = Carried(document, duplicates.where, "duplicate-storage.json")
        left += notes
    for other in targets.of(DUPLICATES)[1:]:
        left.append(Left(other.where, "one storage of duplicates is used, the first", NOTHING_TO_DO))
    return settings, left


_BY_HAND = "Load the transformed runs there with what loads them today"


def _connection(target: Target, region: str | None) -> Connection:
    data = target.data
    kind = KINDS[target.kind]
    jdbc = data.get("jdbc")
    jdbc_ssl = jdbc.get("ssl") if isinstance(jdbc, Mapping) else None
    redshift = kind == "redshift"
    ssl_mode = data.get("sslMode")
    return Connection(
        kind=kind,
        where=target.where,
        host=data.get("host"),
        port=data.get("port"),
        database=data.get("database"),
        username=data.get("username"),
        password=data.get("password"),
        schema=data.get("schema"),
        ssl=str(ssl_mode) != "DISABLE" if jdbc_ssl is None else bool(jdbc_ssl),
        ssl_mode=None if redshift else ssl_mode,
        role_arn=data.get("roleArn") if redshift else None,
        region=region if redshift else None,
        max_error=data.get("maxError") if redshift else None,
        ssh_tunnel=data.get("sshTunnel"),
    )


def _notes(target: Target, jsonpaths: str | None) -> Iterator[Left]:
    data, where = target.data, target.where
    if target.kind == "redshift_config" and not data.get("roleArn"):
        yield Left(
            f"{where}: roleArn",
            "COPY takes no keys of AWS here, and there is no role",
            "Give the cluster a role that may read the buckets, and write it as role-arn",
        )
    if data.get("blacklistTabular") or jsonpaths:
        yield Left(
            f"{where}: blacklistTabular" if data.get("blacklistTabular") else str(jsonpaths),
            "all entities are loaded as TSV, by the names of their columns",
            "JSONPath files are not needed. Tables of these entities go on working where their columns have the names "
            "of igluctl; `snowetl load --dry-run` shows what would be altered",
        )
    if target.manifest_table:
        yield Left(
            f"{where}: processingManifest",
            "the manifest is a table of the warehouse, written in the transaction of the load",
            f"{NOTHING_TO_DO}; the table in DynamoDB is not read",
        )
    if data.get("compRows"):
        yield Left(f"{where}: compRows", "RDB Loader read it, and never used it", NOTHING_TO_DO)


def _another(target: Target) -> Left:
    return Left(
        f"{target.where}: {target.name}",
        "a run loads one warehouse",
        "Load the same transformed runs there too, with `snowetl load` and a configuration of its own. Rows are made "
        "for their warehouse: Redshift's can be loaded into PostgreSQL, not the other way round",
    )


def _without_keys(target: Target) -> tuple[dict[str, Any], list[Left]]:
    """The storage of duplicates, which is asked with the credentials of the machine."""
    if not target.data.get("auth"):
        return target.document, []
    document = target.document | {"data": target.data | {"auth": None}}
    return document, [
        Left(
            f"{target.where}: auth",
            "keys of AWS are not written to files",
            "Let the machine have a role, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in its environment",
        )
    ]
