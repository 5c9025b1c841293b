"""``python -m tests.properties [framing] [values] [--minutes M] [--seed N]``

The two property tests that carry the promise that nothing is lost or changed, for long: round after round, each with
another seed, until the minutes of each are over. *framing*: any list of records in any framing and container, cut
anywhere, gives each record or a named damage. *values*: what a valid event holds is what SQL returns from the loaded
table, for generated schemas and for those of ``../shared/iglu-central`` where that is (Postgres for real, Redshift by
its stand-in). A finding ends it with exit code 1 and the command that repeats it.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import time

SEED = "SNOWETL_VALUES_SEED"
TESTS = {
    "framing": [
        f"tests/storage/test_{name}.py"
        for name in ("every_framing", "framing", "splits", "structs", "lines", "elephantbird")
    ],
    "values": [
        "tests/transform/test_values.py",
        "tests/transform/test_redshift_values.py",
        "tests/load/test_wide_values.py",
        "tests/load/test_wide_json_values.py",
    ],
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.properties", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*TESTS, []], help="default: both")
    parser.add_argument("--minutes", type=float, default=10.0, help="for each (default 10)")
    parser.add_argument("--seed", type=int, help="of the first round; those after it count on; default: by chance")
    args = parser.parse_args()
    first = random.randrange(1_000_000) if args.seed is None else args.seed
    for name in args.names or TESTS:
        began, seed = time.monotonic(), first
        while seed == first or time.monotonic() - began < args.minutes * 60:
            command = [sys.executable, "-m", "pytest", "-x", f"--hypothesis-seed={seed}", *TESTS[name]]
            round_ = subprocess.run(
                command, env=os.environ | {SEED: str(seed)}, capture_output=True, text=True, check=False
            )
            if round_.returncode:
                print(round_.stdout[-20_000:])
                print(f"{name}: a finding. To repeat it: python -m tests.properties {name} --minutes 0 --seed {seed}")
                return 1
            print(f"{name} {seed}: {round_.stdout.strip().splitlines()[-1]}", flush=True)
            seed += 1
        print(f"{name}: {seed - first} rounds, no finding, {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
