"""Tables over folders of runs, in the words of Athena, Glue and Redshift Spectrum."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import botocore.session
import pytest
import sqlglot
from botocore.validate import ParamValidator
from sqlglot import exp

from snowetl.ddl import external
from snowetl.ddl.external import ENGINES, JSON, LINES, PARQUET, ExternalTable
from snowetl.ddl.parquet import Array, DecimalType, Field, Struct
from snowetl.model.fields import FIELDS, NAMES

PLACE = "s3://bucket/enriched"
RUNS = {"2026-03-05-00-00-00": f"{PLACE}/run=2026-03-05-00-00-00", "it's": f"{PLACE}/run=it's"}
NESTED = [
    Field("at", "timestamp", True),
    Field("price", DecimalType(9, 2), True),
    Field("contexts_x_1", Array(Struct((Field("id", "string", True), Field("n", "long", True))), True), True),
]


def table(columns: Any, form: Any, **more: Any) -> ExternalTable:
    return ExternalTable("snow", "events", columns, form, PLACE, **more)


TABLES = {
    "enriched": table(external.enriched_columns(), LINES, partitions=RUNS),
    "bad": table(external.bad_row_columns(), JSON),
    "wide": table(NESTED, PARQUET, partitions=RUNS),
    "json": table(external.json_columns(NESTED), JSON),
}
DIALECTS = [("athena", "athena"), ("athena", "hive"), ("spectrum", "redshift")]


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize(("engine", "dialect"), DIALECTS)
def test_statements_are_sql_with_the_columns_of_the_table(name: str, engine: str, dialect: str) -> None:
    create, *others = ENGINES[engine].words(TABLES[name])
    found = sqlglot.parse_one(create, dialect=dialect)
    assert isinstance(found, exp.Create)
    assert found.args["properties"].find(exp.ExternalProperty)
    columns = [column.name for column in found.this.expressions if isinstance(column, exp.ColumnDef)]
    assert columns == [column.name for column in TABLES[name].columns]
    assert found.find(exp.LocationProperty).this.name == f"{PLACE}/"
    for statement in others:
        if statement.startswith("MSCK"):
            assert not TABLES[name].partitions
        else:
            assert isinstance(sqlglot.parse_one(statement, dialect=dialect), exp.Alter)
    added = [statement for statement in others if "PARTITION (" in statement]
    assert len(added) == len(TABLES[name].partitions)


def test_enriched_columns_are_those_of_the_lines_with_types_that_read_them() -> None:
    columns = external.enriched_columns()
    assert tuple(column.name for column in columns) == NAMES
    kinds = {field.type: column.type for field, column in zip(FIELDS, columns, strict=True) if field.name != "se_value"}
    assert kinds == {
        "str": "string", "ts": "timestamp", "int": "integer", "txn": "integer", "float": "double",
        "dec": DecimalType(18, 2), "bool": "integer", "json": "string",
    }  # fmt: skip


def test_text_types_of_each_engine() -> None:
    [athena, *_], [spectrum, *_] = external.athena(TABLES["wide"]), external.spectrum(TABLES["wide"])
    assert "`contexts_x_1` array<struct<id:string,n:bigint>>" in athena
    assert '"contexts_x_1" array<struct<id:varchar(65535),n:bigint>>' in spectrum
    assert '"price" decimal(9,2)' in spectrum and "STORED AS PARQUET" in spectrum
    assert "'field.delim'='\\t'" in external.athena(TABLES["enriched"])[0]
    assert "`at` string" in external.athena(TABLES["json"])[0], "ISO text is not what a reader of JSON takes for a time"


def test_every_run_is_a_partition_with_its_folder() -> None:
    _, first, second = external.spectrum(TABLES["enriched"])
    assert first == (
        'ALTER TABLE "snow"."events" ADD IF NOT EXISTS PARTITION ("run"=\'2026-03-05-00-00-00\') '
        f"LOCATION '{PLACE}/run=2026-03-05-00-00-00/'"
    )
    assert second.count("it\\'s") == 2


@pytest.mark.parametrize("name", TABLES)
def test_requests_fit_the_model_of_glue(name: str) -> None:
    create, *partitions = map(json.loads, external.glue(TABLES[name]))
    model = botocore.session.get_session().get_service_model("glue")
    validator = ParamValidator()
    assert not validator.validate(create, model.operation_model("CreateTable").input_shape).has_errors()
    for request in partitions:
        shape = model.operation_model("BatchCreatePartition").input_shape
        assert not validator.validate(request, shape).has_errors()
    assert len(partitions) == bool(TABLES[name].partitions)


def test_many_partitions_are_several_requests() -> None:
    many = {f"r{number}": f"{PLACE}/run=r{number}" for number in range(250)}
    requests = [json.loads(text) for text in external.glue(table(NESTED, PARQUET, partitions=many))[1:]]
    assert [len(request["PartitionInputList"]) for request in requests] == [100, 100, 50]


@pytest.fixture
def glue(aws_url: str) -> Iterator[Any]:
    yield boto3.client(
        "glue", endpoint_url=aws_url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )


def test_glue_takes_the_requests(glue: Any) -> None:
    glue.create_database(DatabaseInput={"Name": "snow"})
    create, partitions = map(json.loads, external.glue(TABLES["enriched"]))
    glue.create_table(**create)
    assert not glue.batch_create_partition(**partitions).get("Errors")
    found = glue.get_table(DatabaseName="snow", Name="events")["Table"]
    assert [column["Name"] for column in found["StorageDescriptor"]["Columns"]] == list(NAMES)
    runs = glue.get_partitions(DatabaseName="snow", TableName="events")["Partitions"]
    assert [run["Values"] for run in runs] == [[run] for run in RUNS]
