"""What is Redshift's own: its statements parse as Redshift's, credentials, errors. On the stand-in and a real S3."""

import boto3
import pytest
import sqlglot

from snowetl.errors import ConfigError, TargetError
from snowetl.load.warehouses.redshift import CopyCredentials, RedshiftWarehouse, connection_keywords
from tests.load import warehouses
from tests.load.redshift_standin import StandIn
from tests.load.runs import CLICK, click_line, event_line, make_run, schema
from tests.load.warehouses import ROLE


@pytest.fixture
def redshift(database, aws):
    StandIn.statements.clear()
    return warehouses.redshift(database, aws)


def test_widening_runs_before_the_transaction_and_columns_are_added_inside(redshift, tmp_path):
    redshift.load(make_run(tmp_path, [event_line(1)], [click_line(1, "x", "5")]))
    later = CLICK | {"1-0-1": schema(url={"type": "string", "maxLength": 20}, n={"type": "integer"},
                                     t={"type": "string"}, required=["url"])}  # fmt: skip
    run = make_run(tmp_path, [event_line(2)], [click_line(2, "y" * 20, "\\N", "t", version="1-0-1")],
                   types=("1-0-1",), run="run=2026-02-01-00-00-00")  # fmt: skip
    StandIn.statements.clear()
    redshift.load(run, click=later)
    told = StandIn.statements
    widen = next(i for i, text in enumerate(told) if "TYPE VARCHAR(20)" in text)
    add = next(i for i, text in enumerate(told) if "ADD COLUMN" in text)
    assert widen < add < next(i for i, text in enumerate(told) if text.startswith("COPY"))
    assert redshift.query("SELECT url, t FROM atomic.com_acme_click_1 ORDER BY root_id") == [
        ("x", None),
        ("y" * 20, "t"),
    ]


def test_every_statement_parses_as_redshift(redshift, tmp_path):
    redshift.load(make_run(tmp_path, [event_line(1)], [click_line(1, "x", "5")]))
    for statement in StandIn.statements:
        assert sqlglot.parse_one(statement, read="redshift", error_level=sqlglot.ErrorLevel.RAISE)
    copies = [text for text in StandIn.statements if text.startswith("COPY")]
    assert copies[0].endswith(
        "MAXERROR 10 TIMEFORMAT 'auto' DELIMITER '\t' EMPTYASNULL FILLRECORD TRUNCATECOLUMNS ACCEPTINVCHARS GZIP"
    )
    assert copies[0].startswith('COPY atomic.events ("app_id","platform",')
    assert copies[1].startswith('COPY atomic.com_acme_click_1 ("schema_vendor",')
    assert "/name=click/format=tsv/model=1/' CREDENTIALS" in copies[1]


def test_temporary_credentials_are_lent(aws):
    credentials = CopyCredentials(assume_role_arn="arn:aws:iam::123456789012:role/copy")
    assert credentials.text().startswith("aws_access_key_id=")
    assert ";token=" in credentials.text()


def test_configuration_faults_are_named():
    with pytest.raises(ConfigError, match="--role-arn.*--assume-role-arn.*neither"):
        CopyCredentials()
    with pytest.raises(ConfigError, match="not a schema name"):
        RedshiftWarehouse({}, ROLE, "eu-west-1", schema="a; DROP")


def test_a_cluster_that_does_not_answer_is_named():
    connection = {"host": "127.0.0.1", "port": 1, "database": "dev", "user": "u", "password": "secret"}
    with (
        pytest.raises(TargetError, match="cannot connect to redshift://127.0.0.1/dev") as caught,
        RedshiftWarehouse(connection, ROLE, "eu-west-1").session(),
    ):
        pass
    assert "secret" not in str(caught.value)


def test_the_password_may_be_kept_elsewhere(aws):
    boto3.client("secretsmanager").create_secret(Name="dwh", SecretString='{"password": "s3cret"}')
    boto3.client("ssm").put_parameter(Name="/dwh", Value="par", Type="SecureString")
    keywords = connection_keywords("redshift://jo@cluster.example:5440/dev?secret=dwh")
    assert keywords == {
        "host": "cluster.example", "port": 5440, "database": "dev", "user": "jo", "password": "s3cret", "ssl": True,
    }  # fmt: skip
    assert connection_keywords("redshift://jo@h/dev?parameter=/dwh")["password"] == "par"
    assert connection_keywords("redshift://jo:p%40ss@h/dev")["password"] == "p@ss"
    with pytest.raises(ConfigError, match="no password"):
        connection_keywords("redshift://jo@h/dev")
