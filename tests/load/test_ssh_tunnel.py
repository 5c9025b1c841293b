"""Databases behind another host. The program ssh is a stand-in that forwards the port as ``ssh -L`` does."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import psycopg
import pytest

from snowetl.errors import ConfigError, TargetError
from snowetl.load.ssh_tunnel import checked, tunnel
from snowetl.load.target import Target
from snowetl.load.warehouses.postgres.addresses import host_and_port, through

SSH = """#!{python}
import asyncio, os, sys
with open({told!r}, "w") as file:
    file.write(" ".join(sys.argv[1:]))
if {refuses!r}:
    sys.exit({refuses!r})
_, port, host, far = sys.argv[sys.argv.index("-L") + 1].split(":")

async def pipe(source, sink):
    while data := await source.read(65536):
        sink.write(data)
        await sink.drain()
    sink.close()

async def forward(reader, writer):
    there, back = await (asyncio.open_unix_connection({socket!r}) if {socket!r} else asyncio.open_connection(host, far))
    await asyncio.gather(pipe(reader, back), pipe(there, writer))

async def main():
    await asyncio.sleep(0.2)
    async with await asyncio.start_server(forward, "127.0.0.1", int(port)) as server:
        await server.serve_forever()

asyncio.run(main())
"""


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Puts the stand-in on the path; the file tells its arguments."""

    def install(refuses: str = "", socket: str = "") -> Path:
        told = tmp_path / "told"
        program = tmp_path / "bin/ssh"
        program.parent.mkdir()
        program.write_text(SSH.format(python=sys.executable, told=str(told), refuses=refuses, socket=socket))
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
        return told

    return install


def test_a_database_is_reached_through_the_tunnel(ssh, server: str) -> None:  # type: ignore[no-untyped-def]
    info = psycopg.conninfo.conninfo_to_dict(server)
    told = ssh(socket=f"{info['host']}/.s.PGSQL.5432")
    target = Target(
        database=f"postgresql://{info['user']}@warehouse.internal:5555/postgres", ssh_tunnel="jo@bastion:2222"
    )
    with target.open() as warehouse, warehouse.session() as session:
        assert session.number("SELECT 41 + 1") == 42
    assert told.read_text().endswith(":warehouse.internal:5555 -l jo -p 2222 bastion")
    assert "BatchMode=yes" in told.read_text() and "ExitOnForwardFailure=yes" in told.read_text()


def test_the_tunnel_ends_with_its_use(ssh) -> None:  # type: ignore[no-untyped-def]
    ssh()
    with tunnel("bastion", "db", 5432) as port:
        pass
    with pytest.raises(OSError, match="refused"):
        psycopg_socket(port)


def psycopg_socket(port: int) -> None:
    import socket

    socket.create_connection(("127.0.0.1", port), timeout=2).close()


@pytest.mark.parametrize(
    ("words", "transient"),
    [("jo@bastion: Permission denied (publickey).", False), ("ssh: connect to host bastion: Connection refused", True)],
)
def test_what_ssh_says_is_told(ssh, words: str, transient: bool) -> None:  # type: ignore[no-untyped-def]
    ssh(refuses=words)
    with pytest.raises(TargetError) as caught, tunnel("bastion", "db", 5432):
        pass
    assert words in str(caught.value) and caught.value.transient is transient


@pytest.mark.parametrize("text", ["", "a b", "-oProxyCommand=x", "host:port", "jo@", "jo@-h"])
def test_what_is_not_a_host_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="--ssh-tunnel"):
        checked(text)


def test_a_tunnel_leads_to_one_host() -> None:
    assert host_and_port("postgresql://me@db/x") == ("db", 5432)
    assert host_and_port("postgresql://me@db:6000/x") == ("db", 6000)
    for url in ("postgresql://me@a,b/x", "postgresql:///x", "postgresql://me@/x?host=/var/run"):
        with pytest.raises(ConfigError, match="leads to one host"):
            host_and_port(url)
    assert "hostaddr=127.0.0.1" in through("postgresql://me@db/x", 7000)
    assert "host=db" in through("postgresql://me@db/x", 7000)
    with pytest.raises(ConfigError, match="name it"):
        Target(ssh_tunnel="bastion").check()
    with pytest.raises(ConfigError, match="duckdb is not reached through a tunnel"):
        Target(warehouse="duckdb", database="duckdb:///x.duckdb", ssh_tunnel="bastion").check()
