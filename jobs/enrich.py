"""``spark-submit jobs/enrich.py …``: the enrich job. Its options are those of ``snowetl enrich``."""

import sys

from snowetl.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["enrich", *sys.argv[1:]]))
