import boto3
import psycopg
import pytest

from snowetl.load.embedded import embedded_postgres
from tests.aws_server import aws_server
from tests.load.places import loads_shredded_rows, places, start
from tests.load.places.on_s3 import BUCKET


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    with embedded_postgres(tmp_path_factory.mktemp("pg")) as url:
        with psycopg.connect(url, autocommit=True) as admin:
            admin.execute("ALTER SYSTEM SET fsync = off")  # of the files of a hundred databases, at the end
            admin.execute("SELECT pg_reload_conf()")
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


@pytest.fixture(scope="session")
def databricks(tmp_path_factory):
    """The folder of a stand-in for Databricks, and its port."""
    from tests.load.databricks_standin import databricks_server

    with databricks_server(tmp_path_factory.mktemp("databricks")) as server:
        yield server


@pytest.fixture(params=places())
def place(request):
    """Every warehouse in turn, empty."""
    return start(request.param, request)


@pytest.fixture(params=places(loads_shredded_rows))
def shredded(request):
    """Those that have a table for each entity, in turn."""
    return start(request.param, request)


@pytest.fixture(params=places(slow=True))
def everywhere(request):
    """The same, wherever its tables may lie."""
    return start(request.param, request)


@pytest.fixture
def database(server, request):
    """An empty database of its own, and a connection to look into it."""
    name = f"test_{abs(hash(request.node.nodeid))}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name}")
        admin.execute(f"CREATE DATABASE {name}")
    url = server.replace("/postgres?", f"/{name}?")
    yield url
