"""Logs to enrich, a resolver, and ways to run the command: as this process, and as one that can be killed."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
RUN = "2026-01-02-03-04-05"
RESOLVER: dict[str, Any] = {
    "schema": "iglu:com.snowplowanalytics.iglu/resolver-config/jsonschema/1-0-1",
    "data": {
        "cacheSize": 500,
        "repositories": [
            {
                "name": "Snowetl",
                "priority": 0,
                "vendorPrefixes": ["com.snowplowanalytics"],
                "connection": {"embedded": {"path": "/snowetl/iglu"}},
            }
        ],
    },
}
HEADER = "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status\n"


def anon_ip(octets: int) -> dict[str, Any]:
    """The configuration of the enrichment that masks so many octets of IP addresses."""
    return {
        "schema": "iglu:com.snowplowanalytics.snowplow/anon_ip/jsonschema/1-0-0",
        "data": {
            "vendor": "com.snowplowanalytics.snowplow",
            "name": "anon_ip",
            "enabled": True,
            "parameters": {"anonOctets": octets},
        },
    }


def cloudfront_line(number: int) -> str:
    """A page view; every 50th line is not a CloudFront line at all, every 40th is not for the pixel."""
    if number % 50 == 49:
        return f"this is line {number} and it is not a log line"
    stem = "/robots.txt" if number % 40 == 39 else "/i"
    query = f"e=pv&p=web&tv=js-3.5.0&aid=shop&url=https%3A%2F%2Fshop.example.com%2Fitem%2F{number}&page=Item+{number}"
    second = number % 60
    return "\t".join(
        [
            "2026-01-01", f"12:{number // 60 % 60:02d}:{second:02d}", "FRA2", "480", f"192.0.2.{number % 250}", "GET",
            "d1.cloudfront.net", stem, "200", "https://shop.example.com/", "Mozilla/5.0%20(X11;%20Linux)", query,
        ]
    )  # fmt: skip


def write_logs(folder: Path, files: int = 3, lines: int = 200) -> Path:
    """``files`` gzip logs with a header and ``lines`` lines each."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in range(files):
        text = HEADER + "".join(cloudfront_line(file * lines + line) + "\n" for line in range(lines))
        (folder / f"E1.2026-01-01-{file:02d}.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
    return folder


def write_json(path: Path, document: object) -> Path:
    path.write_text(json.dumps(document))
    return path


def options(folder: Path, *extra: str, output: str = "out") -> list[str]:
    """Arguments of an enrich job over ``folder/raw`` into ``folder/<output>/{good,bad}``; ``extra`` may have others."""
    resolver = folder / "resolver.json"
    if not resolver.exists():
        write_json(resolver, RESOLVER)
    usual = {
        "--input-folder": str(folder / "raw"),
        "--input-format": "cloudfront",
        "--output-folder": str(folder / output / "good"),
        "--bad-folder": str(folder / output / "bad"),
        "--iglu-config": str(resolver),
        "--run-id": RUN,
    }
    kept = (part for option in usual.items() if option[0] not in extra for part in option)
    return ["enrich", *kept, *extra]


def environment(**more: str) -> dict[str, str]:
    return (
        os.environ
        | {
            "PYTHONPATH": os.pathsep.join([os.environ.get("PYTHONPATH", ""), str(ROOT)]),
            "PYSPARK_PYTHON": sys.executable,
        }
        | more
    )


def start(arguments: list[str], cwd: Path | None = None, **env: str) -> subprocess.Popen[str]:
    """``snowetl`` as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "snowetl", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(**env),
        cwd=cwd,
    )


def run(
    arguments: list[str], timeout: float = 600, cwd: Path | None = None, **env: str
) -> subprocess.CompletedProcess[str]:
    process = start(arguments, cwd, **env)
    try:
        out, err = process.communicate(timeout=timeout)
    except BaseException:
        process.kill()
        raise
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def files(folder: Path) -> dict[str, bytes]:
    """All files below ``folder`` by relative path, hidden ones too; not plans and reports, which hold times."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in ("_plan.json", "_work.jsonl.gz", "_report.json", "_report.html")
    }


def report(folder: Path, output: str = "out") -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / output / "good" / f"run={RUN}" / "_report.json").read_text())
    return document


def output_lines(folder: Path) -> list[str]:
    """All lines of the gzip parts below ``folder``, in part order."""
    parts = sorted(folder.rglob("part-*.gz"))
    return [line for part in parts for line in gzip.decompress(part.read_bytes()).decode().splitlines()]
