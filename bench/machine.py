"""What the figures were measured with: build of snowetl, interpreter and how that was built, processors, load."""

from __future__ import annotations

import os
import platform
import shlex
import sysconfig

from snowetl.version import description

_SPEED_FLAGS = ("--enable-optimizations", "--with-lto")


def interpreter() -> str:
    """Python and its build, for example ``CPython 3.11.7, plain build (no --enable-optimizations, no --with-lto)``."""
    flags = {flag.partition("=")[0] for flag in shlex.split(sysconfig.get_config_var("CONFIG_ARGS") or "")}
    present = [flag for flag in _SPEED_FLAGS if flag in flags]
    missing = [f"no {flag}" for flag in _SPEED_FLAGS if flag not in flags]
    kind = "optimised build" if not missing else "plain build" if not present else "partly optimised build"
    return (
        f"{platform.python_implementation()} {platform.python_version()}, {kind} ({', '.join([*present, *missing])}), "
        f"{platform.machine()}, {os.cpu_count()} processors"
    )


def build() -> str:
    """The build of snowetl that is measured, and :func:`interpreter`."""
    return f"{description()}\n{interpreter()}"


def busy() -> str | None:
    """A warning when the machine has other work to do."""
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load <= cores:
        return None
    return f"This machine has other work to do (load {load:.1f} on {cores} cores): the clock's figures are too low."
