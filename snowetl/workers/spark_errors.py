"""How an error of ours crosses the JVM: from a Spark worker to the driver, as what it is."""

from __future__ import annotations

import base64
import re

from snowetl import errors
from snowetl.errors import SnowetlError

_WRAPPED = re.compile(r"snowetl-error:(\w+):([A-Za-z0-9+/=]*)")
_PYTHON_ERROR = re.compile(r"^(?:[A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit)\b.*)$", re.MULTILINE)
_STAGE_FAILURE = re.compile(r"Job aborted.*?[:.] (.*)")
_KINDS: dict[str, type[SnowetlError]] = {
    name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, SnowetlError)
}


def wrap_error(error: SnowetlError) -> str:
    """A text for the exception a worker raises; :func:`job_error` finds it in whatever Spark makes of it."""
    return f"snowetl-error:{type(error).__name__}:{base64.b64encode(str(error).encode()).decode()}"


def job_error(text: str) -> SnowetlError:
    """The error a failed Spark job is about: ours, if a task raised one; else what Spark says, in a line."""
    wrapped = _WRAPPED.search(text)
    if wrapped:
        return _KINDS.get(wrapped[1], SnowetlError)(base64.b64decode(wrapped[2]).decode())
    stage = _STAGE_FAILURE.search(text)
    reason = stage[1] if stage else text.strip().split("\n", 1)[0]
    python = _PYTHON_ERROR.findall(text)
    return SnowetlError(f"the Spark job failed: {reason}" + (f" ({python[-1].strip()})" if python else ""))
