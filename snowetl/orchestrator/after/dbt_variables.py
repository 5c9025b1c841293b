"""Variables of dbt for a project that reads our tables: the run's own, and what Snowplow's packages need told.

The packages name tables as Redshift has them, and read arrays as its texts. On PostgreSQL arrays are JSON, in tables of
Snowplow's Postgres Loader as in ours, and a table may have another name than the server cuts of a long one: the
warehouse is asked, and the packages are told where it differs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from snowetl import bounded_yaml
from snowetl.ddl.names import qualified, table_name
from snowetl.errors import ConfigError
from snowetl.load.layouts.shredded import entity_table
from snowetl.load.warehouse import Tables
from snowetl.model.schema import SchemaKey

_ECOMMERCE_ACTION = SchemaKey.parse(
    "iglu:com.snowplowanalytics.snowplow.ecommerce/snowplow_ecommerce_action/jsonschema/1-0-0"
)
_CONSENT = SchemaKey.parse("iglu:com.snowplowanalytics.snowplow/consent_preferences/jsonschema/1-0-0")
_COMPACT = """replace({0}::text, '", "', '","') as {0}"""
"""An array of texts as Redshift holds it: JSON without blanks, in a text."""
_CONSENT_COLUMNS = (
    "root_id", "root_tstamp", "event_type", "basis_for_processing", "consent_url", "consent_version",
    _COMPACT.format("consent_scopes"), _COMPACT.format("domains_applied"), "gdpr_applies",
)  # fmt: skip
"""What snowplow_web 0.15.2 reads of the table; the two arrays as text."""


def for_packages(tables: Tables, schema: str, limit: int) -> dict[str, str]:
    """Variables of Snowplow's packages whose defaults do not fit the tables of a warehouse.

    ``limit`` is its longest name of a table, in bytes.
    """
    found = {}
    action = entity_table(_ECOMMERCE_ACTION, tables, limit)
    if action != table_name(_ECOMMERCE_ACTION, limit):
        found["snowplow__sde_ecommerce_action"] = action
    consent = entity_table(_CONSENT, tables, limit)
    scopes = tables.columns.get(consent, {}).get("consent_scopes")
    if scopes is not None and scopes.type.startswith("json"):
        found["snowplow__consent_preferences"] = consent_as_text(schema, consent)
    return found


def consent_as_text(schema: str, table: str) -> str:
    """What stands for the table of consent preferences behind ``FROM``: its arrays are texts, as the package reads
    them."""
    return f"(select {', '.join(_CONSENT_COLUMNS)} from {qualified(schema, table)}) as consent_preferences"


def split(words: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
    """Arguments of dbt without ``--vars``, and what these say: dbt itself would take the last ``--vars`` alone.

    Raises :class:`ConfigError` where that is not a mapping.
    """
    import yaml

    rest: list[str] = []
    found: dict[str, Any] = {}
    remaining = iter(words)
    for word in remaining:
        option, equals, text = word.partition("=")
        if option != "--vars":
            rest.append(word)
            continue
        text = text if equals else next(remaining, "")
        try:
            given = bounded_yaml.load(text)
        except (yaml.YAMLError, ValueError) as error:
            raise ConfigError(f"--dbt-args: --vars {text!r} is not YAML: {error}") from None
        if not isinstance(given, Mapping):
            raise ConfigError(f"--dbt-args: --vars {text!r} is not a mapping such as '{{name: value}}'")
        found |= given
    return rest, found


def left_to(project: str, wanted: Mapping[str, Any], say: Callable[[str], None]) -> dict[str, Any]:
    """Those of ``wanted`` that a project, whose ``dbt_project.yml`` reads ``project``, does not set itself."""
    told = {name: value for name, value in wanted.items() if name not in project}
    for name, value in told.items():
        say(f"dbt: {name} is {value}")
    return told
