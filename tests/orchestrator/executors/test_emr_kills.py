"""The orchestrator is killed at random moments, while AWS fails now and then: the run ends as if undisturbed."""

from __future__ import annotations

import random
import subprocess
import sys
import time

import psycopg
import pytest

from tests.integration.support import ROOT, environment
from tests.orchestrator.executors.aws import Aws
from tests.orchestrator.executors.support import RUN, arguments, objects, on_cluster, on_serverless

pytestmark = [pytest.mark.slow, pytest.mark.long]
SEEDS = range(10)
SECONDS = 16.0
"""About as long as an undisturbed run takes here."""
FAULTS = ("throttled", "500", "reset", "empty", "500 when done", "reset when done", "empty when done")
_RESUMES = 20


def process(arguments: list[str], database: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "snowetl", *arguments],
        cwd=ROOT,
        env=environment(SNOWETL_DATABASE=database),
        stderr=subprocess.PIPE,
    )


def content(database: str) -> dict[str, tuple[int, str]]:
    """Rows of each table and a digest of them, without the times of loading."""
    found = {}
    with psycopg.connect(database) as connection:
        tables = connection.execute(
            "SELECT table_name, string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position) "
            "FROM information_schema.columns WHERE table_schema = 'atomic' AND table_name <> 'manifest' "
            "AND column_name NOT IN ('load_tstamp') GROUP BY table_name"
        ).fetchall()
        for table, columns in tables:
            digest = "SELECT count(*), md5(string_agg(t::text, '' ORDER BY t::text))"
            found[table] = connection.execute(f"{digest} FROM (SELECT {columns} FROM atomic.{table}) t").fetchone()
    return found


def disturbed(aws: Aws, database: str, place: tuple[str, ...], seed: int) -> None:
    """A run that is killed twice, by the seed, and resumed until it is done."""
    dice = random.Random(seed)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS atomic CASCADE")
    aws.fault = lambda operation, number: (
        random.Random(f"{seed} {operation} {number}").choice(FAULTS)
        if random.Random(f"{seed}{operation}{number}").random() < 0.05
        else None
    )
    running = process(arguments(database, *place), database)
    for span in (SECONDS, SECONDS / 2):
        time.sleep(dice.uniform(0.5, span))
        running.kill()
        running.communicate()
        begun = any(key.endswith("plan.json") for key in objects(aws, f"out/runs/run={RUN}/"))
        running = process(["resume", "-o", "s3://lake/out", RUN] if begun else arguments(database, *place), database)
    told = b""
    for _ in range(_RESUMES):
        _, told = running.communicate(timeout=300)
        if running.returncode == 0:
            print(f"seed {seed}: done", flush=True)
            return
        running = process(["resume", "-o", "s3://lake/out", RUN], database)
    raise AssertionError(told.decode())


def test_killed_at_random_moments_and_resumed(aws: Aws, database: str) -> None:
    assert process(arguments(database, *on_cluster()), database).wait() == 0
    expected = content(database)
    for seed in SEEDS:
        aws.begin_again("raw/", "snowetl/")
        disturbed(aws, database, on_cluster(), seed)
        assert content(database) == expected, f"seed {seed}"
        assert set(aws.tokens().values()) == {1}, f"seed {seed}: submitted twice"
        assert aws.clusters_left == [], f"seed {seed}: a cluster is left"
        assert aws.refused == []


def test_killed_on_serverless(aws: Aws, database: str) -> None:
    assert process(arguments(database, *on_serverless(aws)), database).wait() == 0
    expected = content(database)
    for seed in range(3):
        aws.begin_again("raw/", "snowetl/")
        disturbed(aws, database, on_serverless(aws), 100 + seed)
        assert content(database) == expected, f"seed {seed}"
        assert set(aws.tokens().values()) == {1}, f"seed {seed}: submitted twice"
