"""The wheel of the snowetl that runs here: built from its checkout, or put together again from an installed one."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from snowetl.errors import SnowetlError, UsageError
from snowetl.version import __version__

_SOURCES = ("setup.py", "pyproject.toml", "README.md", "LICENSE", "NOTICE", "snowetl")
_NAME = f"snowetl-{__version__}-py3-none-any.whl"
_NOT_CARRIED = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"}
"""What says how a package was installed, not what it is."""
_OLDEST_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def build_wheel(folder: Path, compiled: bool = True) -> Path:
    """Write the wheel into ``folder``, which is made: ``compiled`` for this interpreter if that can be done, else pure
    Python. Raises ``SnowetlError``.
    """
    folder.mkdir()
    package = Path(__file__).parents[1]
    if all((package.parent / name).exists() for name in _SOURCES):
        return _from_checkout(package.parent, folder, compiled)
    return _from_installed(package.parent, folder, compiled)


def _from_checkout(checkout: Path, folder: Path, compiled: bool) -> Path:
    """Built from a copy, so that nothing is left in the checkout."""
    source = folder / "source"
    source.mkdir()
    for name in _SOURCES:
        if (checkout / name).is_dir():
            shutil.copytree(checkout / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
        else:
            shutil.copy(checkout / name, source)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps"]
    result = subprocess.run(
        [*command, "--wheel-dir", str(folder), str(source)],
        env=os.environ if compiled else os.environ | {"SNOWETL_COMPILE": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise SnowetlError(f"the wheel of {checkout} cannot be built: {result.stderr.strip().rpartition(chr(10))[2]}")
    [wheel] = folder.glob("snowetl-*.whl")
    return wheel


def _from_installed(site: Path, folder: Path, compiled: bool) -> Path:
    try:
        files = distribution("snowetl").files or []
    except PackageNotFoundError:
        raise UsageError(f"snowetl in {site} is not an installed package. Run: pip install snowetl") from None
    wheel = folder / _NAME
    record = f"snowetl-{__version__}.dist-info/RECORD"
    rows = []
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in sorted(files, key=str):
            if file.parts[0] == ".." or file.suffix == ".pyc" or file.name in _NOT_CARRIED:
                continue
            if file.suffix == ".so" and not compiled:
                continue
            content = Path(str(file.locate())).read_bytes()
            packed.writestr(zipfile.ZipInfo(file.as_posix(), _OLDEST_ZIP_TIME), content)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            rows.append(f"{file.as_posix()},sha256={digest},{len(content)}")
        packed.writestr(zipfile.ZipInfo(record, _OLDEST_ZIP_TIME), "\n".join([*rows, f"{record},,", ""]))
    return wheel
