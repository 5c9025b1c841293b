"""``python -m tests.matrix [--python 3.13] [--spark 4.1]``: one run, enrich to load, with each Spark and each Python.

Environments are made by pip below the user's cache, once. All runs must give the same rows, and the counts of
``fixtures/logs/expected.json``. A Python that this machine lacks is left out, and named.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.databases import ADMIN, ADMIN_PASSWORD, postgres_server

ROOT = Path(__file__).parents[2]
PYTHONS = ("3.11", "3.12", "3.13")
SPARKS = {"3.5": "3.5.8", "4.0": "4.0.5", "4.1": "4.1.1"}
"""Those of EMR 7, emr-spark-8.0 and emr-spark-8.1 LTS."""
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "snowetl" / "matrix"
_RUN = "2026-03-05-00-00-03"
_LOGS = "webhooks"


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m tests.matrix", description=__doc__)
    arguments.add_argument("--python", action="append", choices=PYTHONS, help="only this Python")
    arguments.add_argument("--spark", action="append", choices=list(SPARKS), help="only this Spark")
    wanted = arguments.parse_args()
    lines, rows, failed = [], set(), False
    for version in wanted.python or PYTHONS:
        interpreter = _interpreter(version)
        if interpreter is None:
            lines.append(f"Python {version}: not on this machine, not tested")
            continue
        python = _environment(version, interpreter)
        for spark in wanted.spark or SPARKS:
            started = time.monotonic()
            with postgres_server() as port:
                database = f"postgresql://{ADMIN}:{ADMIN_PASSWORD}@127.0.0.1:{port}/postgres"
                fault, digest = _try(python, _spark(spark), database)
            rows.add(digest)
            failed |= bool(fault)
            lines.append(
                f"Python {version}, Spark {SPARKS[spark]}: {fault or 'ok'} ({time.monotonic() - started:.0f} s)"
            )
            print(lines[-1], flush=True)
    if len(rows - {""}) > 1:
        lines.append("the rows differ")
        failed = True
    print("\n".join(lines))
    return int(failed or not rows)


def _interpreter(version: str) -> str | None:
    """A Python of that version: of the path, of pyenv, or of uv."""
    return next((each for each in _candidates(version) if _is(each, version)), None)


def _candidates(version: str) -> Iterator[str]:
    yield sys.executable
    if found := shutil.which(f"python{version}"):
        yield found
    yield from map(str, sorted(Path.home().glob(f".pyenv/versions/{version}*/bin/python")))
    if uv := shutil.which("uv"):
        yield subprocess.run([uv, "python", "find", version], capture_output=True, text=True).stdout.strip()


def _is(python: str, version: str) -> bool:
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        return subprocess.run([python, "-c", code], capture_output=True, text=True).stdout.strip() == version
    except OSError:
        return False


def _environment(version: str, interpreter: str) -> str:
    """The Python of an environment that has all snowetl needs, but for Spark; made anew when setup.py changes."""
    requirements = hashlib.sha256((ROOT / "setup.py").read_bytes()).hexdigest()
    folder = _CACHE / f"python-{version}"
    ready = folder / "ready"
    if not ready.exists() or ready.read_text("utf-8") != requirements:
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([interpreter, "-m", "venv", str(folder)], check=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        plain = os.environ | {"SNOWETL_COMPILE": "0"}  # runs read this checkout, and nothing compiled
        subprocess.run([*pip, f"{ROOT}[cluster]"], check=True, env=plain)
        ready.write_text(requirements, "utf-8")
    return str(folder / "bin" / "python")


def _spark(minor: str) -> Path:
    """A folder for PYTHONPATH that has PySpark and its own py4j."""
    folder = _CACHE / f"spark-{minor}"
    if not (folder / "pyspark").exists():
        part = folder.with_name(f".{folder.name}-{os.getpid()}")
        pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--target", str(part)]
        subprocess.run([*pip, f"pyspark=={SPARKS[minor]}"], check=True)
        part.rename(folder)
    return folder


def _try(python: str, spark: Path, database: str) -> tuple[str, str]:
    """What is wrong, and the digest of all rows: two empty texts never come together."""
    with tempfile.TemporaryDirectory() as name:
        out = Path(name)
        command = [
            python,
            "-m",
            "snowetl",
            "run",
            "--input-folder",
            f"fixtures/logs/{_LOGS}",
            "--input-format",
            "thrift",
        ]
        command += ["--enrichments", "fixtures/enrichments", "--iglu-config", "fixtures/resolver.json"]
        command += [
            *("--output-folder", str(out), "--database", database),
            "--run-id",
            _RUN,
            "--split-size",
            "20k",
            "--master",
            "local-cluster[2,1,1024]",
        ]
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("SPARK_", "PYSPARK_"))}
        # the workers of a local cluster keep their files below SPARK_HOME
        home = out / "spark-home"
        home.mkdir()
        for path in (spark / "pyspark").iterdir():
            if path.name != "work":
                (home / path.name).symlink_to(path)
        clean |= {"PYTHONPATH": f"{ROOT}{os.pathsep}{spark}", "PYSPARK_PYTHON": python, "SPARK_HOME": str(home)}
        done = subprocess.run(command, cwd=ROOT, env=clean, capture_output=True, text=True)
        if done.returncode:
            return f"exit code {done.returncode}: {done.stderr.strip()[-2000:]}", ""
        report = json.loads((out / "runs" / f"run={_RUN}" / "report.json").read_text("utf-8"))
        return _differences(report), _digest(out / "transformed")


def _differences(report: dict[str, Any]) -> str:
    expected = json.loads((ROOT / "fixtures" / "logs" / "expected.json").read_text("utf-8"))[_LOGS]["events"]
    enriched, _, loaded = report["steps"]
    [events] = [table["rows"] for table in loaded["tables"] if table["table"] == "atomic.events"]
    if report["differences"]:
        return "; ".join(report["differences"])
    if (enriched["events"], events) != (expected, expected):
        return f"{enriched['events']} events and {events} rows, expected {expected}"
    return ""


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("part-*")):
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())
    return digest.hexdigest()


if __name__ == "__main__":
    sys.exit(main())
