"""A verb as the job of ``spark-submit``: what the files in ``jobs/`` call."""

from __future__ import annotations

import sys
from typing import NoReturn

from snowetl.cli.main import main


def job(verb: str) -> NoReturn:
    """Run ``snowetl VERB`` with the options of this process, and end with its exit code.

    Spark is started first, also for what needs none: in cluster mode YARN takes a driver that has no Spark context
    after a hundred seconds, or at its end, for one that failed.
    """
    from snowetl.workers.spark_session import submitted_session

    with submitted_session(f"snowetl {verb}"):
        code = main([verb, *sys.argv[1:]])
    sys.exit(code)
