"""One tree's side of a comparison of transforms: as ``passes.py``, but a process that transforms a folder.

Standard input: one JSON object a line, ``{"records": FOLDER}``, a folder of enriched runs. Standard output:
``{"cpu": SECONDS}`` for the whole step, from reading to staged and published parts.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--resolver", required=True)
    parser.add_argument("--transformation", required=True)
    parser.add_argument("--target", required=True)
    args = parser.parse_args()
    from snowetl import transform

    for line in sys.stdin:
        with tempfile.TemporaryDirectory(prefix="snowetl-bench-") as output:
            started = time.process_time()
            transform(
                input_folder=json.loads(line)["records"],
                output_folder=output,
                iglu_config=args.resolver,
                transformation=args.transformation,
                target=args.target,
                master="none",
            )
            print(json.dumps({"cpu": time.process_time() - started}), flush=True)


if __name__ == "__main__":
    main()
