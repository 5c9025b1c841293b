"""The first files of a pipeline: a commented snowetl.yml, a resolver, a folder of enrichments."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from snowetl.errors import OutputExists
from snowetl.load.warehouses import warehouse_class
from snowetl.orchestrator.verb_settings import InitSettings

SETTINGS, RESOLVER, ENRICHMENTS = "snowetl.yml", "resolver.json", "enrichments"
_VENDOR = "com.snowplowanalytics.snowplow"
_RESOLVER = {
    "schema": "iglu:com.snowplowanalytics.iglu/resolver-config/jsonschema/1-0-3",
    "data": {
        "cacheSize": 500,
        "cacheTtl": 600,
        "repositories": [
            {
                "name": "Schemas that snowetl brings",
                "priority": 0,
                "vendorPrefixes": ["com.snowplowanalytics"],
                "connection": {"embedded": {"path": "/snowetl/iglu"}},
            },
            {
                "name": "Iglu Central",
                "priority": 1,
                "vendorPrefixes": [],
                "connection": {"http": {"uri": "http://iglucentral.com"}},
            },
        ],
    },
}
_PARAMETERS: Mapping[str, tuple[str, bool, dict[str, Any]]] = {
    "campaign_attribution": (
        "1-0-1",
        True,
        {
            "mapping": "static",
            "fields": {
                "mktMedium": ["utm_medium"],
                "mktSource": ["utm_source"],
                "mktTerm": ["utm_term"],
                "mktContent": ["utm_content"],
                "mktCampaign": ["utm_campaign"],
            },
        },
    ),
    "event_fingerprint_config": (
        "1-0-1",
        True,
        {"excludeParameters": ["cv", "eid", "nuid", "stm"], "hashAlgorithm": "MD5"},
    ),
    "ua_parser_config": ("1-0-1", True, {}),
    "anon_ip": ("1-0-1", False, {"anonOctets": 1, "anonSegments": 1}),
}
"""Version, whether it is on, parameters: those that need no files of anybody."""


def files(settings: InitSettings) -> dict[str, str]:
    """The text of each file, by its path in the folder."""
    made = {SETTINGS: _settings(settings), RESOLVER: _json(_RESOLVER)}
    for name, (version, enabled, parameters) in _PARAMETERS.items():
        data = {"vendor": _VENDOR, "name": name, "enabled": enabled, "parameters": parameters}
        document = {"schema": f"iglu:{_VENDOR}/{name}/jsonschema/{version}", "data": data}
        made[f"{ENRICHMENTS}/{name}.json"] = _json(document)
    return made


def write(settings: InitSettings) -> list[Path]:
    """Write the files, and name them. Raises ``OutputExists`` before any is written, where one is there already."""
    folder = Path(settings.folder)
    texts = {folder / name: text for name, text in files(settings).items()}
    there = [str(path) for path in texts if path.exists()]
    if there and not settings.force:
        raise OutputExists(
            f"{', '.join(there)}: there already. Give another folder, or --force to replace what is there"
        )
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return list(texts)


def _json(document: Any) -> str:
    return json.dumps(document, indent=2) + "\n"


def _settings(settings: InitSettings) -> str:
    return f"""\
# A pipeline of snowetl: every option of `snowetl run` can be a key here (docs/run.md lists them).
# `snowetl validate --config {SETTINGS}` checks this file and all that it names, `snowetl doctor` asks whether a run
# finds all it needs, `snowetl run --config {SETTINGS}` takes what is new. ${{NAME}} stands for an environment variable.

run:
  # Raw logs: a folder, s3:// or hdfs://, and how they are written (docs/input-formats.md).
  input-folder: {_text(settings.input_folder)}
  input-format: {_text(settings.input_format)}
  # Leave files for the next run that were written less than this ago: their writer may not be done.
  settle: 10m

  # enriched/, bad/, transformed/ and runs/ go below this.
  output-folder: {_text(settings.output_folder)}

  # Where schemas are looked up: add your own registry to {RESOLVER}.
  iglu-config: {RESOLVER}
  # One JSON file each (docs/configuration.md); "enabled" turns one on or off.
  enrichments: {ENRICHMENTS}

{_warehouse(settings)}
  # Stop before the load where more than this share of a run is bad rows.
  # max-bad: 20%

  # Where Spark runs; none: this machine, without Spark.
  master: none

  # Who is told of runs (docs/operations.md).
  # notify:
  #   - arn:aws:sns:eu-west-1:123456789012:alarms
  #   - prometheus:/var/lib/node_exporter/snowetl.prom
"""


def _warehouse(settings: InitSettings) -> str:
    kind = warehouse_class(settings.warehouse).capabilities
    lines = [f"  warehouse: {_text(settings.warehouse)}"]
    if kind.transformation == "shred":
        lines += [
            "  # Versions of a schema that change the type of a property have tables of their own.",
            "  recovery-tables: true",
        ]
    if ("database",) in kind.required:
        lines += [
            f"  # Better in the environment, as SNOWETL_DATABASE: {kind.database_example}",
            "  database: ${SNOWETL_DATABASE}",
        ]
    elif kind.embedded:
        lines.append("  # Without a database, an embedded one in warehouse/ below the output folder.")
        lines.append("  # database: ${SNOWETL_DATABASE}")
    if ("role_arn", "assume_role_arn") in kind.required:
        lines.append("  # The role of the cluster that may read the run's files.")
        lines.append("  role-arn: arn:aws:iam::123456789012:role/redshift-copy")
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    """A YAML scalar: JSON text is one."""
    return json.dumps(value, ensure_ascii=False)
