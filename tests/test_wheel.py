"""The wheel builds, holds everything the package reads, and works where only its own dependencies are."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.slow


PROBE = """
import snowetl
from snowetl import EnrichConfig, Enricher

assert "site" in snowetl.__file__
resolver = {
    "schema": "iglu:com.snowplowanalytics.iglu/resolver-config/jsonschema/1-0-1",
    "data": {"cacheSize": 9, "repositories": []},
}
config = EnrichConfig.load(
    resolver=resolver, enrichments=None, input_format="cloudfront", etl_tstamp=0, processor=("test", "1.0.0")
)
print(*[row.type for row in Enricher(config).process("no log line")])
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that no build folder is left behind."""
    source = tmp_path_factory.mktemp("source")
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE", "NOTICE", "snowetl"):
        subprocess.run(["cp", "-r", str(ROOT / name), str(source)], check=True)
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    environment = os.environ | {"SNOWETL_COMPILE": "0"}
    result = subprocess.run(
        [*command, "--wheel-dir", str(out), str(source)], env=environment, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr
    [built] = out.glob("snowetl-*.whl")
    return built


def test_wheel_holds_the_whole_package(wheel: Path) -> None:
    held = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("snowetl/")}
    present = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "snowetl").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert held == present


def test_wheel_brings_licence_and_notice(wheel: Path) -> None:
    names = {Path(name).name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" in name}
    assert {"LICENSE", "NOTICE", "entry_points.txt"} <= names


def test_package_from_the_wheel_works(wheel: Path, tmp_path: Path) -> None:
    """Away from the repository: the library, with a record that needs no registry."""
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "site")}
    run = subprocess.run([sys.executable, "-c", PROBE], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "collector_payload_format_violation" in run.stdout
