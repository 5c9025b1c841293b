"""Errors of ours on their way through Spark, and what is said about all others."""

from __future__ import annotations

import pytest

from snowetl.errors import RegistryUnavailable, SnowetlError, StorageError
from snowetl.workers.spark_errors import job_error, wrap_error

JAVA = """An error occurred while calling z:org.apache.spark.api.python.PythonRDD.collectAndServe.
: org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 in stage 0.0 failed 1 times, most recent \
failure: Lost task 0.0 in stage 0.0 (TID 0) (localhost executor driver): {reason}
\tat org.apache.spark.api.python.BasePythonRunner$ReaderIterator.handlePythonException(PythonRunner.scala:572)
"""
TRACE = """org.apache.spark.api.python.PythonException: Traceback (most recent call last):
  File "worker.py", line 1231, in main
    process()
{last}
"""


@pytest.mark.parametrize("error", [RegistryUnavailable("Iglu:\n does 'not' \"answer\" ü"), StorageError("full")])
def test_our_errors_arrive_as_they_were(error: SnowetlError) -> None:
    text = JAVA.format(reason=TRACE.format(last=f"RuntimeError: {wrap_error(error)}"))
    arrived = job_error(text)
    assert type(arrived) is type(error)
    assert str(arrived) == str(error)


def test_other_errors_of_tasks_are_named() -> None:
    arrived = job_error(JAVA.format(reason=TRACE.format(last="ModuleNotFoundError: No module named 'snowetl'")))
    assert str(arrived).startswith("the Spark job failed: Task 0 in stage 0.0 failed 1 times")
    assert str(arrived).endswith("(ModuleNotFoundError: No module named 'snowetl')")
    assert "\n" not in str(arrived)


def test_a_lost_executor_is_named() -> None:
    reason = (
        "ExecutorLostFailure (executor 1 exited caused by one of the running tasks) Reason: Command exited with 137"
    )
    assert "Command exited with 137" in str(job_error(JAVA.format(reason=reason)))


def test_a_message_of_any_shape() -> None:
    assert str(job_error("something else\nand more")) == "the Spark job failed: something else"
    assert str(job_error("")) == "the Spark job failed: "
