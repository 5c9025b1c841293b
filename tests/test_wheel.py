"""What a release brings, the source distribution and the wheel made of it: the whole package and nothing else, which
works where only its own dependencies are. Of the compiled build: ``tests/test_compiled.py``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

BESIDE_THE_PACKAGE = ("setup.py", "pyproject.toml", "README.md", "LICENSE", "NOTICE")

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
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with both, built from a copy, so that nothing is left in the checkout."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    for name in (*BESIDE_THE_PACKAGE, "MANIFEST.in", "snowetl"):
        subprocess.run(["cp", "-r", str(ROOT / name), str(source)], check=True)
    (source / "tests").mkdir()  # setuptools would take them along
    shutil.copy(__file__, source / "tests")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(source)]
    environment = os.environ | {"SNOWETL_COMPILE": "0"}
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return out


@pytest.fixture(scope="module")
def wheel(release: Path) -> Path:
    [built] = release.glob("snowetl-*.whl")
    return built


def test_the_source_distribution_holds_the_package_and_how_it_is_built(release: Path) -> None:
    [built] = release.glob("snowetl-*.tar.gz")
    with tarfile.open(built) as opened:
        names = {name.partition("/")[2] for name in opened.getnames() if opened.getmember(name).isfile()}
    made = {"PKG-INFO", "setup.cfg"}
    beside = {name for name in names if not name.startswith(("snowetl/", "snowetl.egg-info/"))}
    assert beside == {*BESIDE_THE_PACKAGE, "MANIFEST.in", *made}
    assert {name for name in names if name.startswith("snowetl/")} == _package()


def test_wheel_holds_the_whole_package(wheel: Path) -> None:
    held = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("snowetl/")}
    assert held == _package()


def _package() -> set[str]:
    return {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "snowetl").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


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
