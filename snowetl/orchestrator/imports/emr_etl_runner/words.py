"""The steps of the old runner as people read them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from snowetl.orchestrator.imports.emr_etl_runner.steps import Job, Step, action_on_failure

_SECRET = {"--target", "--config", "--duplicate-storage-config", "--resolver", "--iglu-config", "--enrichments"}
"""Arguments that hold a whole document in base64, passwords included."""


def lines(steps: Sequence[Step], job: Job) -> Iterator[str]:
    """Each step with its jar and arguments; documents in base64 are not shown."""
    yield f"run {job.run_id}, after a failed step: {action_on_failure(job)}"
    for number, step in enumerate(steps, 1):
        yield ""
        yield f"{number}. {step.name}"
        yield f"   {step.jar}"
        for line in _wrapped(step.arguments):
            yield f"     {line}"


def _wrapped(arguments: Sequence[str]) -> Iterator[str]:
    """An option and its value a line."""
    line: list[str] = []
    hidden = False
    for argument in arguments:
        if line and (argument.startswith("--") or len(line) == 2):
            yield " ".join(line)
            line = []
        line.append("(base64)" if hidden else argument)
        hidden = argument in _SECRET
    if line:
        yield " ".join(line)
