"""Hot modules are compiled by mypyc where that can be done: what their source must keep to, and what is built."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from bench.compiled import compiled_copy
from snowetl.errors import SnowetlError
from snowetl.version import compiled, description

ROOT = Path(__file__).parent.parent
TABLE = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["snowetl"]["compiled"]
SOURCES = ("setup.py", "pyproject.toml", "README.md", "LICENSE", "NOTICE", "snowetl")
OLDEST_GLIBC = (2, 34)
"""Of the systems a compiled wheel is meant for: Amazon Linux 2023, which EMR 7 runs on."""


@pytest.mark.parametrize("name", TABLE)
def test_a_function_names_exceptions_of_different_types_differently(name: str) -> None:
    """mypyc gives a variable one type: the second ``except … as error`` of another type would fail at run time."""
    for function in ast.walk(ast.parse((ROOT / name).read_text("utf-8"))):
        if isinstance(function, ast.FunctionDef):
            caught: dict[str, set[str]] = {}
            for handler in ast.walk(function):
                if isinstance(handler, ast.ExceptHandler) and handler.name and handler.type:
                    caught.setdefault(handler.name, set()).add(ast.unparse(handler.type))
            assert all(len(types) == 1 for types in caught.values()), f"{name}: {function.name}"


def test_the_build_is_told() -> None:
    library = any(ROOT.glob("snowetl__mypyc.*"))
    assert compiled() == library
    build = "compiled" if library else "pure Python"
    version = ".".join(map(str, sys.version_info[:3]))
    assert description().endswith(f" ({build}, CPython {version})")


def _build(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Build a wheel of a copy of the sources in ``folder/out``."""
    folder.mkdir()
    for name in SOURCES:
        subprocess.run(["cp", "-r", str(ROOT / name), str(folder)], check=True)
    pip = [sys.executable, "-m", "pip", "wheel", "-v", "--no-deps", "--no-build-isolation", "--no-index"]
    command = [*pip, "--wheel-dir", str(folder / "out"), str(folder)]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True)


def _wheel(folder: Path, **environment: str) -> tuple[Path, str]:
    """A wheel built from a copy of the sources, and what was said."""
    done = _build(folder, **environment)
    assert done.returncode == 0, done.stdout + done.stderr
    [wheel] = (folder / "out").glob("*.whl")
    return wheel, done.stdout + done.stderr


def _libraries(wheel: Path) -> list[str]:
    return [name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".so")]


@pytest.mark.long
def test_what_cannot_be_compiled_is_installed_as_python(tmp_path: Path) -> None:
    """Without a compiler, with one that fails, and where nobody wants it."""
    wheel, said = _wheel(tmp_path / "fails", SNOWETL_COMPILE="", CC="false")
    assert not _libraries(wheel)
    assert "snowetl is installed as plain Python: it could not be compiled" in said
    for folder, environment in (
        ("none", {"SNOWETL_COMPILE": "", "CC": "no-such-cc"}),
        ("left", {"SNOWETL_COMPILE": "0"}),
    ):
        wheel, _ = _wheel(tmp_path / folder, **environment)
        assert wheel.name.endswith("-py3-none-any.whl") and not _libraries(wheel)


@pytest.mark.slow
def test_compiling_that_is_asked_for_says_what_it_lacks(tmp_path: Path) -> None:
    done = _build(tmp_path / "none", SNOWETL_COMPILE="1", CC="no-such-cc")
    assert done.returncode != 0
    assert "SNOWETL_COMPILE=1, but snowetl cannot be compiled here: there is no C compiler 'no-such-cc'" in done.stderr


@pytest.mark.long
def test_a_wheel_is_compiled_where_a_compiler_is_at_hand(tmp_path: Path) -> None:
    wheel, _ = _wheel(tmp_path / "source", SNOWETL_COMPILE="1")
    assert len(_libraries(wheel)) == len(TABLE) + 1
    with zipfile.ZipFile(wheel) as held:
        held.extractall(tmp_path / "site")
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "site")}
    command = [sys.executable, "-m", "snowetl", "--version"]
    said = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert "(compiled, " in said.stdout
    [library] = (tmp_path / "site").glob("snowetl__mypyc.*")
    wanted = {(int(major), int(minor)) for major, minor in re.findall(rb"GLIBC_(\d+)\.(\d+)", library.read_bytes())}
    assert max(wanted) <= OLDEST_GLIBC


@pytest.mark.long
def test_the_copy_is_compiled_again_only_if_something_changed(tmp_path: Path) -> None:
    try:
        folder = compiled_copy(tmp_path / "copy")
    except SnowetlError as error:
        pytest.skip(str(error))
    [library] = folder.glob("snowetl__mypyc.*.so")
    built = library.stat().st_mtime_ns
    compiled_copy(folder)
    assert library.stat().st_mtime_ns == built
