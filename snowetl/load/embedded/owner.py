"""The user of the operating system that an embedded server runs as."""

from __future__ import annotations

import os
import pwd
import shutil
from dataclasses import dataclass
from pathlib import Path

from snowetl.errors import ConfigError

_SERVICE_USER = "nobody"
"""Whom the server runs as where snowetl runs as root, which PostgreSQL refuses to."""


def us() -> str:
    """The user who runs snowetl, as messages name them."""
    return name_of(os.geteuid())


def name_of(uid: int) -> str:
    """A user of the operating system, as messages name them."""
    try:
        return f"user {pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"user {uid}"


@dataclass(frozen=True, slots=True)
class Owner:
    """The user of the operating system that a server runs as."""

    name: str
    uid: int
    gid: int

    @property
    def is_us(self) -> bool:
        return self.uid == os.geteuid()

    def prefix(self) -> list[str]:
        """What runs a program as this user, able to enter the folders above the data as root is."""
        if self.is_us:
            return []
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            raise ConfigError(
                "PostgreSQL refuses to run as root, and setpriv (package util-linux), which runs it as another user, "
                "is not installed: install it, run snowetl as another user, or name a server: --database postgresql://…"
            )
        rights = "+dac_override"
        return [
            setpriv, f"--reuid={self.uid}", f"--regid={self.gid}", "--clear-groups", f"--inh-caps=-all,{rights}",
            f"--ambient-caps=-all,{rights}", "--no-new-privs", "--",
        ]  # fmt: skip


def owner_of(folder: Path) -> Owner:
    """Whom the server of a data folder runs as: the folder's owner where we are root, else ourselves."""
    uid = folder.stat().st_uid if folder.exists() else os.geteuid()
    if os.geteuid() != 0:
        uid = os.geteuid()
    elif uid == 0:
        return _service_user()
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise ConfigError(
            f"user {uid} has no name on this machine, which PostgreSQL needs: add it to /etc/passwd, or name a server: "
            "--database postgresql://…"
        ) from None
    return Owner(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _service_user() -> Owner:
    try:
        entry = pwd.getpwnam(_SERVICE_USER)
    except KeyError:
        raise ConfigError(
            f"PostgreSQL refuses to run as root, and this machine has no user {_SERVICE_USER}: run snowetl as another "
            "user, or name a server: --database postgresql://…"
        ) from None
    return Owner(entry.pw_name, entry.pw_uid, entry.pw_gid)
