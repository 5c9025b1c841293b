"""``snowetl psql --serve``: programs of this machine read the embedded warehouse, by a password."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from snowetl.cli.main import main
from snowetl.errors import ConfigError
from snowetl.load.embedded import READER, embedded_postgres, served


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def address(port: int, password: str = "s3cret", user: str = READER) -> str:
    return f"postgresql://{user}:{password}@127.0.0.1:{port}/postgres"


def test_it_is_read_by_a_password_and_only_read(tmp_path: Path) -> None:
    port = free_port()
    with embedded_postgres(tmp_path) as url, psycopg.connect(url) as connection:
        connection.execute("CREATE SCHEMA atomic; CREATE TABLE atomic.events AS SELECT 1 AS n")
    with served(tmp_path, port, "s3cret"):
        with psycopg.connect(address(port)) as reader:
            assert reader.execute("SELECT n FROM atomic.events").fetchone() == (1,)
            reader.execute("SET default_transaction_read_only = off; COMMIT")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute("INSERT INTO atomic.events VALUES (2)")
        for wrong in (address(port, "guess"), address(port, "s3cret", "postgres")):
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(wrong)
        with embedded_postgres(tmp_path) as url, psycopg.connect(url) as loader:  # loads go on meanwhile
            loader.execute("INSERT INTO atomic.events VALUES (2)")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(address(port))
    with embedded_postgres(tmp_path) as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM atomic.events").fetchone() == (2,)
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)


def test_a_server_that_is_at_work_is_not_made_to_listen(tmp_path: Path) -> None:
    with (
        embedded_postgres(tmp_path),
        pytest.raises(ConfigError, match="try again when that is done"),
        served(tmp_path, free_port(), "s3cret"),
    ):
        pass


@pytest.mark.slow
def test_the_verb_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    with embedded_postgres(tmp_path):
        pass
    port = free_port()
    command = [sys.executable, "-m", "snowetl", "psql", "--data-folder", str(tmp_path), "--serve", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as verb:
        assert verb.stdout is not None
        said = verb.stdout.readline().split()
        assert said[0] == f"jdbc:postgresql://127.0.0.1:{port}/postgres"
        with psycopg.connect(address(port, said[-1])) as reader:
            assert reader.execute("SELECT 1").fetchone() == (1,)
        verb.send_signal(signal.SIGTERM)
        assert verb.wait(60) == 0


def test_options_of_psql_are_not_for_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "PG_VERSION").touch()
    assert main(["psql", "--data-folder", str(tmp_path), "--serve", "-x"]) == 2
    assert "--serve opens no psql: leave -x out" in capsys.readouterr().err
