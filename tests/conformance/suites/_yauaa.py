"""The library Yauaa for all suites: one JVM, kept to the end; or why there is none."""

from __future__ import annotations

import atexit
import contextlib
import functools

from snowetl.enrich.enrichments import yauaa_library
from snowetl.errors import ConfigError

_KEPT = contextlib.ExitStack()
atexit.register(_KEPT.close)


@functools.cache
def yauaa_is_missing() -> str:
    """Why the library cannot be asked here; empty where it can."""
    try:
        yauaa_library.check()
    except (ConfigError, ImportError) as error:
        return f"yauaa: {error}"
    _KEPT.enter_context(yauaa_library.library())
    return ""
