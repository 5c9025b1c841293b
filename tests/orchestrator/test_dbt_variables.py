"""What dbt is told of tables in PostgreSQL that Snowplow's packages would not find, or not understand."""

from __future__ import annotations

import psycopg
import pytest
from psycopg.types.json import Jsonb

from snowetl.ddl.names import distinct_table_name, table_name
from snowetl.ddl.tables import Held
from snowetl.errors import ConfigError
from snowetl.load.warehouse import Tables
from snowetl.load.warehouses.postgres import PostgresWarehouse
from snowetl.model.schema import SchemaKey
from snowetl.orchestrator.after import dbt_variables

ACTION = SchemaKey.parse("iglu:com.snowplowanalytics.snowplow.ecommerce/snowplow_ecommerce_action/jsonschema/1-0-0")
ACTION_TABLE, CONSENT_TABLE = "snowplow__sde_ecommerce_action", "snowplow__consent_preferences"
CONSENT = "com_snowplowanalytics_snowplow_consent_preferences_1"
CONSENT_URI = "iglu:com.snowplowanalytics.snowplow/consent_preferences/jsonschema/1-0-0"


@pytest.mark.parametrize("limit", [63, 127])
def test_a_table_by_its_usual_name_is_found_by_the_package(limit: int) -> None:
    """Longer than PostgreSQL allows: the server cuts what the package asks for as it cut the table's name."""
    table = table_name(ACTION, limit)
    assert dbt_variables.for_packages(Tables(), "atomic", limit) == {}
    assert dbt_variables.for_packages(Tables({table: ACTION.uri}, {table: {}}), "atomic", limit) == {}


def test_a_table_of_an_earlier_release_is_told_to_the_package() -> None:
    hashed = distinct_table_name(ACTION, 63)
    there = Tables(comments={hashed: ACTION.uri}, columns={hashed: {}})
    assert dbt_variables.for_packages(there, "atomic", 63) == {ACTION_TABLE: hashed}


@pytest.mark.parametrize(("type_", "told"), [("jsonb", True), ("json", True), ("character varying(65535)", False)])
def test_consent_is_told_where_its_arrays_are_json(type_: str, told: bool) -> None:
    there = Tables({CONSENT: CONSENT_URI}, {CONSENT: {"consent_scopes": Held(type_, False)}})
    assert (CONSENT_TABLE in dbt_variables.for_packages(there, "atomic", 127)) == told


@pytest.mark.parametrize(
    ("scopes", "read"),
    [
        (["necessary", "marketing"], "necessary, marketing"),
        (["one"], "one"),
        ([], ""),
        (["a, b", 'c"d', "e\\f"], "a,  b, c\\d, e\\\\f"),
        (None, None),
    ],
)
def test_the_package_reads_arrays_of_json_as_those_of_redshift(database: str, scopes: object, read: object) -> None:
    """By the SQL of its model: quotes and brackets go, and a blank comes behind each comma."""
    types = {"root_id": "uuid", "root_tstamp": "timestamp", "gdpr_applies": "boolean"}
    types |= dict.fromkeys(("event_type", "basis_for_processing", "consent_url", "consent_version"), "text")
    types |= dict.fromkeys(("consent_scopes", "domains_applied"), "jsonb")
    columns = ", ".join(f"{name} {type_}" for name, type_ in types.items())
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA atomic; CREATE TABLE atomic.{CONSENT} ({columns})")
        connection.execute(f"COMMENT ON TABLE atomic.{CONSENT} IS '{CONSENT_URI}'")
        value = None if scopes is None else Jsonb(scopes)
        connection.execute(f"INSERT INTO atomic.{CONSENT} (consent_scopes) VALUES (%s)", [value])
        with PostgresWarehouse(database).session() as session:
            source = dbt_variables.for_packages(session.tables(), "atomic", 63)[CONSENT_TABLE]
        query = f"SELECT replace(translate(consent_scopes, '\"[]', ''), ',', ', ') FROM {source} WHERE root_id IS NULL"
        assert connection.execute(query).fetchall() == [(read,)]


def test_a_project_that_sets_a_variable_itself_is_not_told_another(capsys: pytest.CaptureFixture[str]) -> None:
    wanted = {ACTION_TABLE: "one", CONSENT_TABLE: "other"}
    assert dbt_variables.left_to(f"vars: {{{ACTION_TABLE}: mine}}", wanted, print) == {CONSENT_TABLE: "other"}
    assert capsys.readouterr().out == f"dbt: {CONSENT_TABLE} is other\n"


@pytest.mark.parametrize(
    ("words", "rest", "found"),
    [
        (["run", "--select", "web+"], ["run", "--select", "web+"], {}),
        (["build", "--vars", "{a: 1, b: x}", "--full-refresh"], ["build", "--full-refresh"], {"a": 1, "b": "x"}),
        (["--vars={a: 1}", "--vars", "a: 2"], [], {"a": 2}),
    ],
)
def test_variables_that_a_user_gives_are_kept(words: list[str], rest: list[str], found: dict[str, object]) -> None:
    assert dbt_variables.split(words) == (rest, found)


@pytest.mark.parametrize(("text", "fault"), [("{", "is not YAML"), ("word", "is not a mapping"), ("", "not a mapping")])
def test_variables_that_are_none_are_refused(text: str, fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        dbt_variables.split(["build", "--vars", text])
