"""The daemon that Spark's Python workers come from, on this machine."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

pytest.importorskip("pyspark")

from snowetl.workers.spark_daemon import hidden, leave_zips_out
from snowetl.workers.spark_session import open_session

_INSTALLED = Path(sys.modules["pyspark"].__file__ or "").parent


def _zips(package: Path) -> list[str]:
    return [str(package / "python" / "lib" / name) for name in ("pyspark.zip", "py4j-0.10.9.9-src.zip")]


@pytest.mark.unit
def test_zip_files_of_the_installed_pyspark_are_left_out() -> None:
    path = ["", *_zips(_INSTALLED), "/elsewhere/files.zip", *sys.path]
    leave_zips_out(path)
    assert path == ["", "/elsewhere/files.zip", *sys.path]


@pytest.mark.unit
def test_zip_files_stay_where_no_package_holds_them(tmp_path: Path) -> None:
    """Spark's own folder, on a cluster, is not a package: its zip files are all there is of pyspark."""
    path = [*_zips(tmp_path / "spark"), *sys.path]
    before = list(path)
    leave_zips_out(path)
    assert path == before


@pytest.mark.unit
def test_zip_files_of_another_pyspark_stay(tmp_path: Path) -> None:
    """The workers' pyspark has to be that of the JVM."""
    other = tmp_path / "pyspark"
    (other / "python" / "lib").mkdir(parents=True)
    (other / "__init__.py").touch()
    path = [*_zips(other), *sys.path]
    before = list(path)
    leave_zips_out(path)
    assert path == before


@pytest.mark.unit
def test_a_hidden_module_is_there_again_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with hidden("colorsys"), pytest.raises(ImportError):
        importlib.import_module("colorsys")
    module = importlib.import_module("colorsys")
    with hidden("colorsys"):
        assert importlib.import_module("colorsys") is module
    assert sys.modules["colorsys"] is module


@pytest.mark.slow
def test_workers_import_the_installed_pyspark_without_numpy() -> None:
    session, ours = open_session("daemon", "local[1]")
    try:
        [(origin, has_numpy)] = session.sparkContext.parallelize([0], 1).map(_origin_of_pyspark).collect()
    finally:
        if ours:
            session.stop()
    assert Path(origin) == _INSTALLED / "__init__.py"
    assert not has_numpy


def _origin_of_pyspark(_: int) -> tuple[str, bool]:
    import pyspark

    return str(pyspark.__file__), "numpy" in sys.modules
