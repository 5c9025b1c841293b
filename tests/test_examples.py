"""The examples run, or are what their service takes."""

from __future__ import annotations

import ast
import gzip
import json
import re
import runpy
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import boto3
import pytest

from snowetl.model.event import EnrichedEvent

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"


def test_the_page_lists_every_example() -> None:
    page = (EXAMPLES / "README.md").read_text("utf-8")
    names = {path.name for path in EXAMPLES.iterdir() if path.is_file()} - {"README.md"}
    assert set(re.findall(r"\]\(([^)]+)\)", page)) == names


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch, aws_url: str) -> Any:
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("SNOWETL_S3_ENDPOINT", aws_url),
    ):
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", endpoint_url=aws_url)
    client.create_bucket(Bucket="examples")
    return client


def test_lambda_handler(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    log = sorted((ROOT / "fixtures" / "logs" / "cloudfront").iterdir())[0]
    bucket.put_object(Bucket="examples", Key=f"raw/a b/{log.name}", Body=log.read_bytes())
    for name, value in (
        ("GOOD", "s3://examples/good"),
        ("BAD", "s3://examples/bad/"),
        ("RESOLVER", "fixtures/resolver.json"),
        ("ENRICHMENTS", "fixtures/enrichments"),
        ("INPUT_FORMAT", "cloudfront"),
    ):
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(ROOT)
    handler = runpy.run_path(str(EXAMPLES / "lambda_handler.py"))["handler"]
    notified = {"s3": {"bucket": {"name": "examples"}, "object": {"key": f"raw/a+b/{log.name}"}}}
    [(url, counts)] = handler({"Records": [notified]}, None).items()
    assert url == f"s3://examples/raw/a b/{log.name}"
    assert counts["events"] > 10
    good = bucket.get_object(Bucket="examples", Key=f"good/{log.name}.txt.gz")["Body"].read()
    lines = gzip.decompress(good).decode().splitlines()
    assert len(lines) == counts["events"]
    assert all(EnrichedEvent.from_tsv(line)["etl_tstamp"] for line in lines)


def test_notebook(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    names = runpy.run_path(str(EXAMPLES / "notebook.py"))
    assert len(names["events"]) > 100
    assert names["bad_rows"]
    assert names["pages"]
    assert re.search(r"^\d+ events, \d+ bad rows$", capsys.readouterr().out, re.MULTILINE)


def _options(verb: str) -> set[str]:
    command = import_module(f"snowetl.cli.{verb}").command
    return {option for parameter in command.params for option in parameter.opts}


def test_airflow_dag_names_options_that_exist() -> None:
    """The operators' arguments, as the file makes them."""
    tree = ast.parse((EXAMPLES / "airflow_dag.py").read_text("utf-8"))
    constants = [node for node in tree.body if isinstance(node, ast.Assign)]
    names: dict[str, Any] = {}
    exec(compile(ast.Module(constants, []), "airflow_dag.py", "exec"), names)
    for verb, arguments in (
        ("enrich", names["ENRICH"]),
        ("transform", names["TRANSFORM"]),
        ("load", shlex.split(re.sub(r"{{.*?}}", "run", names["LOAD"]))[2:]),
    ):
        given = {argument for argument in arguments if argument.startswith("--")}
        assert given <= _options(verb), verb


@pytest.mark.slow
def test_airflow_dag_is_a_dag(tmp_path: Path) -> None:
    """Parsed by Airflow itself, where it is installed (it is not a dependency of this project)."""
    code = (
        "import runpy, sys; names = runpy.run_path(sys.argv[1])\n"
        "load = names['load']; print(sorted(load.dag.task_ids), sorted(load.upstream_task_ids))"
    )
    probe = subprocess.run([sys.executable, "-c", "import airflow"], capture_output=True)
    if probe.returncode != 0:
        pytest.skip("apache-airflow is not installed")
    command = [sys.executable, "-c", code, str(EXAMPLES / "airflow_dag.py")]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "['enrich', 'load', 'transform'] ['transform']" in result.stdout


def test_step_functions() -> None:
    machine = json.loads((EXAMPLES / "step_functions.json").read_text("utf-8"))
    states = machine["States"]
    way = [machine["StartAt"]]
    while "Next" in states[way[-1]]:
        way.append(states[way[-1]]["Next"])
    assert way == ["Enrich", "Transform", "Load"] == list(states)
    assert states["Load"]["End"]
    for name in way:
        text = json.dumps(states[name])
        assert set(re.findall(r"'(--[a-z-]+)'", text)) <= _options(name.lower())
        for call in re.findall(r'States\.\w+\(.*?\)"', text):
            assert call.count("(") == call.count(")")
            assert call.count("'") % 2 == 0


@pytest.mark.parametrize("name", ["sessions", "page_views", "users"])
def test_models_say_the_same_in_plain_sql_and_in_dbt(name: str) -> None:
    """Each form is there to be copied on its own; a change of one is a change of both."""
    [plain] = (EXAMPLES / "models").glob(f"*-{name.replace('_', '-')}.sql")
    of_dbt = (EXAMPLES / "dbt" / "models" / f"{name}.sql").read_text("utf-8")
    macro = (EXAMPLES / "dbt" / "macros" / "web_pages.sql").read_text("utf-8")
    [web_pages] = re.findall(r"{% macro default__web_pages\(\) %}\n(.*?)\n{% endmacro %}", macro, re.DOTALL)
    of_dbt = of_dbt.replace("{{ web_pages() }}", web_pages)
    for template, sql in (
        ("{{ var('snowplow__atomic_schema') }}", "{{.schema}}"),
        ("{{ ref('sessions') }}", "derived.sessions"),
        ("{{ var('heartbeat_seconds') }}", "10"),
    ):
        of_dbt = of_dbt.replace(template, sql)
    assert _query(plain.read_text("utf-8").partition(f"TABLE derived.{name} AS\n")[2]) == _query(of_dbt)


def _query(sql: str) -> str:
    """The words of a query: without comments, spacing, letters' case, a semicolon at the end."""
    return " ".join(re.sub(r"--.*", "", sql).lower().split()).removesuffix(";")
