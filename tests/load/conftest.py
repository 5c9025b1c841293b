import psycopg
import pytest

from snowetl.load.embedded import embedded_postgres


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    with embedded_postgres(tmp_path_factory.mktemp("pg")) as url:
        yield url


@pytest.fixture
def database(server, request):
    """An empty database of its own, and a connection to look into it."""
    name = f"test_{abs(hash(request.node.nodeid))}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name}")
        admin.execute(f"CREATE DATABASE {name}")
    url = server.replace("/postgres?", f"/{name}?")
    yield url
