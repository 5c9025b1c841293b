"""``python -m bench.compiled [FOLDER]``: a copy of this tree with its hot modules compiled (``build/compiled``).

The checkout itself stays Python: a library beside a source that is edited would go on answering for it. The copy is
compiled again only if something of ``snowetl`` or of how it is built has changed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from snowetl.errors import SnowetlError

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "build" / "compiled"
_STAMP = "compiled.sha256"
_LIBRARY = "*.so"


def compiled_copy(folder: Path = FOLDER) -> Path:
    """Bring the copy in ``folder`` up to date, and return it. Raises ``SnowetlError`` where it cannot be compiled."""
    files = _files()
    _mirror(files, folder)
    stamp, digest = folder / _STAMP, _digest(files)
    if not stamp.exists() or stamp.read_text("ascii") != digest:
        compile_in_place(folder)
        stamp.write_text(digest, "ascii")
    return folder


def compile_in_place(tree: Path) -> None:
    """Compile the hot modules of a tree, where they are. Raises ``SnowetlError``."""
    for library in tree.rglob(_LIBRARY):
        library.unlink()
    command = [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"]
    environment = os.environ | {"SNOWETL_COMPILE": "1", "PYTHONPATH": ""}
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SnowetlError(f"{tree} cannot be compiled:\n{done.stdout}{done.stderr}")


def _files() -> list[str]:
    """What git knows of this tree, or would add."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return sorted(name for name in listed.split("\0") if name and (ROOT / name).is_file())


def _mirror(files: list[str], folder: Path) -> None:
    """Copy what has changed and remove what is gone, so that Python's caches of the rest stay valid."""
    for name in files:
        source, target = ROOT / name, folder / name
        if not target.exists() or _state(target) != _state(source):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    kept = {folder / name for name in files}
    for path in (folder / "snowetl", folder / "tests"):
        for stale in path.rglob("*.py"):
            if stale not in kept:
                stale.unlink()


def _state(path: Path) -> tuple[int, int]:
    return path.stat().st_mtime_ns, path.stat().st_size


def _digest(files: list[str]) -> str:
    """Of all that the libraries are made from: mypyc reads what the hot modules import, too."""
    digest = hashlib.sha256(f"{sys.version} {version('mypy')}".encode())
    for name in files:
        if name in ("setup.py", "pyproject.toml") or (name.startswith("snowetl/") and name.endswith(".py")):
            digest.update(f"\n{name}\n".encode())
            digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def main() -> int:
    folder = Path(sys.argv[1]).absolute() if len(sys.argv) > 1 else FOLDER
    try:
        print(compiled_copy(folder))
    except SnowetlError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
