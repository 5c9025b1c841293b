"""``spark-submit jobs/run.py …``: enrich, transform and load as one run. Its options are those of ``snowetl run``."""

import sys

from snowetl.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["run", *sys.argv[1:]]))
