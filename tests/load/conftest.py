import boto3
import psycopg
import pytest

from snowetl.load.embedded import embedded_postgres
from tests.aws_server import aws_server
from tests.load import warehouses
from tests.load.warehouses import BUCKET


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    with embedded_postgres(tmp_path_factory.mktemp("pg")) as url:
        yield url


@pytest.fixture(scope="module")
def s3():
    """Options of clients of an S3 endpoint with an empty bucket."""
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "eu-west-1"}
    with aws_server() as url:
        options = {"endpoint_url": url, **keys}
        boto3.client("s3", **options).create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        yield options


@pytest.fixture
def aws(s3, monkeypatch):
    """The S3 endpoint as the one of AWS."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3["endpoint_url"])
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    return s3


@pytest.fixture(params=["postgres", "redshift"])
def place(request, database, tmp_path):
    """Every warehouse in turn, empty."""
    if request.param == "postgres":
        return warehouses.postgres(database, tmp_path)
    return warehouses.redshift(database, request.getfixturevalue("aws"))


@pytest.fixture
def database(server, request):
    """An empty database of its own, and a connection to look into it."""
    name = f"test_{abs(hash(request.node.nodeid))}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name}")
        admin.execute(f"CREATE DATABASE {name}")
    url = server.replace("/postgres?", f"/{name}?")
    yield url
