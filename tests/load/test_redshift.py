"""The Redshift loader: its statements parse as Redshift's, and the whole flow runs against a stand-in and real S3."""

from pathlib import Path

import boto3
import pytest
import sqlglot
from moto.server import ThreadedMotoServer

from snowetl.errors import ConfigError
from snowetl.load.engine import Loader
from snowetl.load.plan import LoadError
from snowetl.load.redshift import CopyCredentials, RedshiftWarehouse, connection_keywords
from snowetl.load.retries import Retries
from snowetl.load.run import read_run
from tests.load.redshift_standin import StandIn
from tests.load.runs import CLICK, Registry, click_line, event_line, make_run, query, schema

ROLE = CopyCredentials(role_arn="arn:aws:iam::123456789012:role/copy")

BUCKET = "copied-from"  # all S3 endpoints of a process share their buckets


@pytest.fixture(scope="module")
def s3():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "eu-west-1"}
    options = {"endpoint_url": f"http://{host}:{port}", **keys}
    boto3.client("s3", **options).create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    yield options
    server.stop()


@pytest.fixture
def bucket(s3, monkeypatch):
    """Uploads a run folder; gives its url."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3["endpoint_url"])
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    client = boto3.client("s3", **s3)

    def upload(folder: str, prefix: str) -> str:
        for path in sorted(Path(folder).rglob("*")):
            if path.is_file():
                key = f"{prefix}/{Path(folder).name}/{path.relative_to(folder)}"
                client.put_object(Bucket=BUCKET, Key=key, Body=path.read_bytes())
        return f"s3://{BUCKET}/{prefix}/{Path(folder).name}"

    return upload


def loader(database, s3, models=None, retries=0, **options):
    def connect(**_):
        return StandIn(database, s3, **options)

    warehouse = RedshiftWarehouse({"host": "cluster", "database": "dev"}, ROLE, "eu-west-1", connect=connect)
    StandIn.statements.clear()
    return Loader(warehouse, Registry(**(models or {"click": CLICK})), retries=Retries(retries, backoff=0.01))


def test_a_run_lands_once(database, s3, bucket, tmp_path):
    lines = [click_line(1, "x", "5"), click_line(2, "y", "\\N")]
    run = read_run(bucket(make_run(tmp_path, [event_line(1), event_line(2)], lines), "once"))
    report = loader(database, s3).load(run)
    assert [(table.table, table.rows) for table in report.tables] == [
        ("atomic.events", 2),
        ("atomic.com_acme_click_1", 2),
    ]
    assert query(database, "SELECT url, n FROM atomic.com_acme_click_1 ORDER BY root_id") == [("x", 5), ("y", None)]
    assert loader(database, s3).load(run).outcome == "already loaded"
    assert query(database, "SELECT count(*) FROM atomic.events") == [(2,)]


def test_widening_runs_before_the_transaction_and_columns_are_added_inside(database, s3, bucket, tmp_path):
    loader(database, s3).load(read_run(bucket(make_run(tmp_path, [event_line(1)], [click_line(1, "x", "5")]), "w1")))
    later = CLICK | {"1-0-1": schema(url={"type": "string", "maxLength": 20}, n={"type": "integer"},
                                     t={"type": "string"}, required=["url"])}  # fmt: skip
    run = make_run(tmp_path, [event_line(2)], [click_line(2, "y" * 20, "\\N", "t", version="1-0-1")],
                   types=("1-0-1",), run="run=2026-02-01-00-00-00")  # fmt: skip
    loader(database, s3, {"click": later}).load(read_run(bucket(run, "w2")))
    told = StandIn.statements
    widen = next(i for i, text in enumerate(told) if "TYPE VARCHAR(20)" in text)
    add = next(i for i, text in enumerate(told) if "ADD COLUMN" in text)
    assert widen < add < next(i for i, text in enumerate(told) if text.startswith("COPY"))
    assert query(database, "SELECT url, t FROM atomic.com_acme_click_1 ORDER BY root_id") == [
        ("x", None),
        ("y" * 20, "t"),
    ]


def test_a_failing_copy_leaves_nothing_and_is_tried_again(database, s3, bucket, tmp_path):
    run = read_run(bucket(make_run(tmp_path, [event_line(1)], [click_line(1, "x", "5")]), "fail"))
    with pytest.raises(LoadError, match="the cluster went away"):
        loader(database, s3, fail_on="COPY atomic.com_acme", retries=2).load(run)
    assert sum(text.startswith("COPY atomic.events") for text in StandIn.statements) == 3
    assert query(database, "SELECT count(*) FROM atomic.events") == [(0,)]
    assert loader(database, s3).load(run).outcome == "loaded"


def test_every_statement_parses_as_redshift(database, s3, bucket, tmp_path):
    loader(database, s3).load(read_run(bucket(make_run(tmp_path, [event_line(1)], [click_line(1, "x", "5")]), "sql")))
    for statement in StandIn.statements:
        assert sqlglot.parse_one(statement, read="redshift", error_level=sqlglot.ErrorLevel.RAISE)
    copies = [text for text in StandIn.statements if text.startswith("COPY")]
    assert copies[0].endswith(
        "MAXERROR 10 TIMEFORMAT 'auto' DELIMITER '\t' EMPTYASNULL FILLRECORD TRUNCATECOLUMNS ACCEPTINVCHARS GZIP"
    )
    assert "/name=click/format=tsv/model=1/' DELIMITER '\t'" in copies[1]


def test_temporary_credentials_are_lent(bucket, monkeypatch):
    credentials = CopyCredentials(assume_role_arn="arn:aws:iam::123456789012:role/copy")
    assert credentials.text().startswith("aws_access_key_id=")
    assert ";token=" in credentials.text()


def test_configuration_faults_are_named():
    with pytest.raises(ConfigError, match="roleArn"):
        CopyCredentials()
    with pytest.raises(ConfigError, match="no schema name"):
        RedshiftWarehouse({}, ROLE, "eu-west-1", schema="a; DROP")


def test_a_cluster_that_does_not_answer_is_named():
    connection = {"host": "127.0.0.1", "port": 1, "database": "dev", "user": "u", "password": "secret"}
    with (
        pytest.raises(LoadError, match="cannot connect to redshift://127.0.0.1/dev") as caught,
        RedshiftWarehouse(connection, ROLE, "eu-west-1").session(),
    ):
        pass
    assert "secret" not in str(caught.value)


def test_the_password_may_be_kept_elsewhere(bucket):
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
