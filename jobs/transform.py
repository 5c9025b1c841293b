"""``spark-submit jobs/transform.py …``: the transform job. Its options are those of ``snowetl transform``."""

import sys

from snowetl.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["transform", *sys.argv[1:]]))
