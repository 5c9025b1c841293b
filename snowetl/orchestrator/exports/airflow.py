"""``snowetl_dag.py``: an Airflow DAG of stock operators of apache-airflow-providers-amazon, all deferrable."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pprint import pformat
from typing import Any

from snowetl.orchestrator.executors import emr_requests as requests
from snowetl.orchestrator.executors.emr_requests import Serverless, SparkJob
from snowetl.orchestrator.exports.step import RUN_ID, ExistingCluster, Place, TransientCluster

_START = "(data_interval_start | default(dag_run.start_date, true)).strftime('%Y-%m-%d-%H-%M-%S')"
"""A run is named after its hour: a task that is tried again goes on with the same run. One that a person starts may
have no interval, and is named after its start."""

_TEMPLATE = re.compile(r"\{[{%#]|\.json$")
"""What Airflow would take for a template, or for the name of a file that holds one."""

_HEAD = '''"""snowetl on Amazon EMR, made by `snowetl export airflow`. Packages: apache-airflow-providers-amazon.

A run is named after the start of its interval: a task that is tried again goes on with the same run, and what is loaded
is not loaded twice. A task that is killed cancels its job on EMR Serverless; a cluster ends with its steps.
"""

from datetime import datetime, timedelta

from airflow import DAG
{imports}

{constants}

with DAG(
    dag_id={dag_id},
    schedule={schedule},
    start_date=datetime({year}, {month}, {day}),
    catchup=False,
    max_active_runs=1,
    default_args={{"retries": 2, "retry_delay": timedelta(minutes=5)}},
    doc_md=__doc__,
) as dag:
{tasks}
'''

_SERVERLESS = """    {name} = EmrServerlessStartJobOperator(
        task_id={task_id},
        name={title},
        application_id=APPLICATION,
        execution_role_arn=ROLE,
        job_driver={driver},
        configuration_overrides={overrides},
        config={{"executionTimeoutMinutes": {timeout}}},
        waiter_delay=60,
        waiter_max_attempts={timeout},
        cancel_on_kill=True,
        deferrable=True,
    )"""

_TRANSIENT = """    EmrCreateJobFlowOperator(
        task_id="run",
        emr_conn_id=None,
        job_flow_overrides=CLUSTER,
        wait_policy=WaitPolicy.WAIT_FOR_STEPS_COMPLETION,
        waiter_delay=60,
        waiter_max_attempts={timeout},
        deferrable=True,
    )"""

_EXISTING = """    EmrAddStepsOperator(
        task_id="run",
        job_flow_id=CLUSTER_ID,
        steps=STEPS,
        wait_for_completion=True,
        waiter_delay=30,
        waiter_max_attempts={timeout},
        deferrable=True,
    )"""

_OPERATORS = "from airflow.providers.amazon.aws.operators.emr import "
_WAIT_POLICY = "from airflow.providers.amazon.aws.utils.waiter import WaitPolicy"
_MINUTES = 720


def files(
    steps: Sequence[SparkJob],
    place: Place,
    schedule: str,
    start: tuple[int, int, int],
    dag_id: str = "snowetl",
) -> dict[str, str]:
    """The DAG, by the name of its file. ``schedule`` is cron's, in UTC; ``start`` is year, month and day.

    No client token is given: the operator does not fill one in for each run, and one token for all would start one job
    for ever.
    """
    imports, constants, tasks = _parts(steps, place)
    year, month, day = start
    text = _HEAD.format(
        imports=imports,
        constants=constants,
        tasks=tasks,
        dag_id=_python(dag_id),
        schedule=_python(schedule),
        year=year,
        month=month,
        day=day,
    )
    return {f"{dag_id}_dag.py": text}


def _parts(steps: Sequence[SparkJob], place: Place) -> tuple[str, str, str]:
    """Imports, constants and tasks."""
    match place:
        case TransientCluster(cluster, environment):
            planned = requests.steps(steps, environment, "TERMINATE_CLUSTER")
            request = requests.run_job_flow(cluster, planned, RUN_ID)
            imports = f"{_OPERATORS}EmrCreateJobFlowOperator\n{_WAIT_POLICY}"
            return imports, f"CLUSTER = {_python(_templates(request))}", _TRANSIENT.format(timeout=_MINUTES)
        case ExistingCluster(cluster_id, _, environment):
            planned = requests.steps(steps, environment, "CANCEL_AND_WAIT")
            constants = f"CLUSTER_ID = {_python(cluster_id)}\nSTEPS = {_python(_templates(planned))}"
            return f"{_OPERATORS}EmrAddStepsOperator", constants, _EXISTING.format(timeout=2 * _MINUTES)
        case Serverless():
            constants = f"APPLICATION = {_python(place.application_id)}\nROLE = {_python(place.role_arn)}"
            names = [f"step_{number}" for number in range(1, len(steps) + 1)]
            tasks = [_serverless(step, place, number) for number, step in enumerate(steps, 1)]
            order = [f"    {' >> '.join(names)}"] if len(names) > 1 else []
            return f"{_OPERATORS}EmrServerlessStartJobOperator", constants, "\n".join([*tasks, *order])


def _serverless(step: SparkJob, place: Serverless, number: int) -> str:
    return _SERVERLESS.format(
        name=f"step_{number}",
        task_id=_python(f"step_{number}"),
        title=_python(_template(step.name)),
        driver=_python(_templates(requests.job_driver(step)), 8),
        overrides=_python(requests.configuration_overrides(place) or None, 8),
        timeout=place.timeout_minutes,
    )


def _templates(value: Any) -> Any:
    """``value`` with each text as a template of Airflow that gives it."""
    if isinstance(value, dict):
        return {key: _templates(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_templates(inner) for inner in value]
    return _template(value) if isinstance(value, str) else value


def _template(text: str) -> str:
    if not _TEMPLATE.search(text):
        return text.replace(RUN_ID, f"{{{{ {_START} }}}}")
    parts = [part for piece in text.split(RUN_ID) for part in (repr(piece), _START)][:-1]
    return f"{{{{ {' ~ '.join(parts)} }}}}"


def _python(value: Any, indent: int = 0) -> str:
    """``value`` as Python source; ``indent`` is that of its later lines."""
    text = value if isinstance(value, str) else None
    source = repr(text) if text is not None else pformat(value, width=110 - indent, sort_dicts=False)
    return source.replace("\n", "\n" + " " * indent)
