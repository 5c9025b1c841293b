"""Which tests are ``unit`` (pure, quick: what ``make check`` runs), how many examples Hypothesis tries, a file server.

A test needs what its markers name. Some are set here: ``s3`` and ``postgres`` on each test whose module, or a fixture
of it, starts such a server, or that has such a name as a parameter; ``growth`` on each test that calls
``assert_linear``. What has no marker then, and is not in ``integration/``, is ``unit``.
"""

from __future__ import annotations

import inspect
import os
import signal
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import hypothesis
import pytest

from tests.aws_server import aws_server
from tests.iglu.server import Answer, Files, Server, serving

os.environ.setdefault("SNOWETL_ASSET_CACHE", "off")  # tests leave nothing in anybody's home
# A shell lets programs in the background ignore Ctrl-C, and what they start, too: tests press it.
signal.signal(signal.SIGINT, signal.default_int_handler)

_SERVERS = {
    "aws_server": "s3",
    "aws_url": "s3",
    "aws_endpoint": "s3",
    "embedded_postgres": "postgres",
    "postgres_url": "postgres",
}
_NOT_UNIT = {"spark", "postgres", "s3", "slow", "growth", "shared", "long"}
_INTEGRATION = Path(__file__).parent / "integration"

hypothesis.settings.register_profile("dev", max_examples=10, deadline=None)
hypothesis.settings.register_profile("ci", max_examples=100, deadline=None, print_blob=True)
hypothesis.settings.load_profile("ci")  # --hypothesis-profile=dev for fewer


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for file in _files(item):
            for marker in _servers(file):
                item.add_marker(marker)
        for marker in _parameters(item) & set(_SERVERS.values()):
            item.add_marker(marker)
        for name in set(getattr(item, "fixturenames", ())) & set(_SERVERS):
            item.add_marker(_SERVERS[name])
        if "assert_linear" in _names_called(item):
            item.add_marker("growth")
        markers = {marker.name for marker in item.iter_markers()}
        if not markers & _NOT_UNIT and _INTEGRATION not in item.path.parents:
            item.add_marker("unit")


def _files(item: pytest.Item) -> set[Path]:
    """The test's module and the modules of its fixtures."""
    info = getattr(item, "_fixtureinfo", None)
    fixtures = [one.func for found in info.name2fixturedefs.values() for one in found] if info else []
    own = {Path(inspect.getfile(fixture)) for fixture in fixtures if "site-packages" not in inspect.getfile(fixture)}
    return {item.path, *own}


def _parameters(item: pytest.Item) -> set[str]:
    """The texts among the values the test is parametrised with: ``s3`` of a fixture that is one of several storages."""
    callspec = getattr(item, "callspec", None)
    return {value for value in callspec.params.values() if isinstance(value, str)} if callspec else set()


def _names_called(item: pytest.Item) -> tuple[str, ...]:
    function = inspect.unwrap(item.function) if isinstance(item, pytest.Function) else None
    return function.__code__.co_names if inspect.isfunction(function) else ()


@cache
def _servers(file: Path) -> frozenset[str]:
    text = file.read_text("utf-8") if file.suffix == ".py" and file != Path(__file__) else ""
    return frozenset(marker for name, marker in _SERVERS.items() if name in text)


@pytest.fixture
def file_server() -> Iterator[Server]:
    """Files of enrichments over HTTP: one, one that moved, one behind a busy server, one that is never to be had."""
    busy, moved = Answer(503), Answer(302, headers=(("location", "/geo.mmdb"),))
    files = Files(moved=moved, busy=[busy, busy, Answer(body=b"late")], down=busy)
    files.put(**{"geo.mmdb": Answer(body=b"geo" * 1000)})
    with serving(files) as server:
        yield server


@pytest.fixture
def aws_url() -> Iterator[str]:
    """Where a stand-in for AWS listens that knows nothing yet."""
    with aws_server() as url:
        yield url


@pytest.fixture(scope="module")
def aws_endpoint() -> Iterator[str]:
    """The same for all tests of a module."""
    with aws_server() as url:
        yield url


@pytest.fixture(scope="module")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An embedded PostgreSQL for all tests of a module."""
    from snowetl.load.embedded import embedded_postgres

    with embedded_postgres(tmp_path_factory.mktemp("pg")) as url:
        yield url


@pytest.fixture
def database(postgres_url: str) -> str:
    """The same, with nothing loaded yet."""
    import psycopg

    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS atomic CASCADE")
    return postgres_url


@pytest.fixture(autouse=True, scope="module")
def clients_of_the_module() -> Iterator[None]:
    """Clients of storage know the endpoint they were made for: those of a module end with it."""
    yield
    from snowetl import storage

    storage._of_kind.cache_clear()
