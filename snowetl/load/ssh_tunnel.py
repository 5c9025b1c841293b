"""A way to a database through another host: ``ssh -L``, as a child process for as long as it is needed.

OpenSSH's own client does it, so keys, agents, jump hosts and known hosts are those of ``~/.ssh/config``.
"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from snowetl.errors import ConfigError, TargetError

_HOST = re.compile(r"(?:(?P<user>[\w.+-]+)@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[\w.-]+)(?::(?P<port>\d{1,5}))?")
_SECONDS = 30
_LASTING = ("permission denied", "host key verification failed", "could not resolve hostname", "bad configuration")
"""Words (lower case) of ssh that a second try does not cure."""


def checked(text: str) -> list[str]:
    """``[USER@]HOST[:PORT]`` as arguments of ssh. Raises ``ConfigError``, also where there is no ssh."""
    found = _HOST.fullmatch(text)
    if found is None or found["host"].startswith("-"):
        raise ConfigError(f"--ssh-tunnel {text!r} is not [USER@]HOST[:PORT]")
    if shutil.which("ssh") is None:
        raise ConfigError("--ssh-tunnel needs the program ssh (OpenSSH), which is not installed")
    user = [] if found["user"] is None else ["-l", found["user"]]
    port = [] if found["port"] is None else ["-p", found["port"]]
    return [*user, *port, found["host"].strip("[]")]


@contextmanager
def tunnel(through: str, host: str, port: int) -> Iterator[int]:
    """The port of 127.0.0.1 that leads to ``host:port`` through the host ``through``, until the block ends.

    Raises ``ConfigError`` and, with ssh's words, ``TargetError``.
    """
    destination = checked(through)
    local = _free_port()
    shown = f"[{host}]" if ":" in host else host
    options = ["BatchMode=yes", "ExitOnForwardFailure=yes", "ServerAliveInterval=15", "ServerAliveCountMax=4"]
    command = ["ssh", "-N", "-T", *(part for option in options for part in ("-o", option))]
    command += ["-L", f"127.0.0.1:{local}:{shown}:{port}", *destination]
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        try:
            _wait(child, local, said, through)
            yield local
        finally:
            child.terminate()
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _wait(child: subprocess.Popen[bytes], port: int, said: IO[bytes], through: str) -> None:
    """Until the tunnel takes connections."""
    deadline = time.monotonic() + _SECONDS
    while True:
        ended = child.poll() is not None
        if not ended:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                pass
        if ended or time.monotonic() > deadline:
            said.seek(0)
            words = said.read().decode("utf-8", "replace").strip() or f"no answer in {_SECONDS} s"
            lasting = any(text in words.lower() for text in _LASTING)
            raise TargetError(f"--ssh-tunnel {through}: {words}", transient=not lasting)
        time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
