"""Run by a Python that has Airflow: loads a DAG and prints its tasks as JSON, templates filled in for one hour.

``python airflow_tasks.py dag.py``
"""

import importlib
import json
import runpy
import sys
from datetime import UTC, datetime
from types import SimpleNamespace

DAG = importlib.import_module("airflow").DAG  # not ours to require: it has an environment of its own
CONTEXT = {"data_interval_start": datetime(2026, 3, 5, 2, tzinfo=UTC), "dag_run": None}
BY_HAND = {"dag_run": SimpleNamespace(start_date=CONTEXT["data_interval_start"])}


def main() -> None:
    [dag] = {id(value): value for value in runpy.run_path(sys.argv[1]).values() if isinstance(value, DAG)}.values()
    environment = dag.get_template_env()
    tasks = []
    for task in dag.topological_sort():
        scheduled, by_hand = (_filled(task, context, environment) for context in (CONTEXT, BY_HAND))
        assert scheduled == by_hand
        tasks.append(
            {
                "id": task.task_id,
                "operator": type(task).__name__,
                "module": type(task).__module__,
                "deferrable": task.deferrable,
                "upstream": sorted(task.upstream_task_ids),
                "retries": task.retries,
                "fields": scheduled,
            }
        )
    schedule = str(dag.timetable.summary if hasattr(dag.timetable, "summary") else dag.timetable)
    print(json.dumps({"id": dag.dag_id, "schedule": schedule, "tasks": tasks}, default=str))


def _filled(task, context, environment):
    names = [name for name in task.template_fields if hasattr(task, name)]
    return {name: task.render_template(getattr(task, name), {"task": task, **context}, environment) for name in names}


main()
