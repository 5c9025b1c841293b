"""``python -m tests.crash --runs N [--step …] [--warehouse …] [--master …] [--storage …] [--how …] [--faults SHARE]
[--seed SEED]``

Ends verbs of snowetl at random moments and runs them again; the exit code is 1 where anything differs from a run that
nobody disturbed. Options that may be given several times multiply; ``--runs`` is for each combination.
"""

from __future__ import annotations

import argparse
import itertools
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.crash.matrix import HOWS, STORAGES, Case, matrix
from tests.crash.stage import STEPS, WAREHOUSES

FAULTS = 0.05


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="crashes of each combination (default 5)")
    parser.add_argument("--step", action="append", choices=STEPS, help="default: all")
    parser.add_argument("--master", action="append", help="none, or a Spark master such as local[2]; default: none")
    parser.add_argument("--storage", action="append", choices=STORAGES, help="default: both")
    parser.add_argument("--warehouse", action="append", choices=WAREHOUSES, help="default: postgres")
    parser.add_argument("--how", action="append", choices=HOWS, help="default: all")
    parser.add_argument("--faults", type=float, default=FAULTS, help=f"share of requests to S3 that fail ({FAULTS})")
    parser.add_argument("--seed", type=int, help="of the first run; those after it count on; default: by chance")
    parser.add_argument("--moment", help="as a failure prints it, to repeat that one")
    parser.add_argument("--folder", type=Path, help="where to work; default: a temporary folder")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended on the way out
    seed = random.randrange(1_000_000) if args.seed is None else args.seed
    folder = (args.folder or Path(tempfile.mkdtemp(prefix="crash-"))).resolve()
    failed = done = 0
    for storage, warehouse in itertools.product(args.storage or STORAGES, args.warehouse or ["postgres"]):
        with matrix(folder / storage / warehouse, storage, args.faults, warehouse) as crashes:
            for master, step, how in itertools.product(args.master or ["none"], args.step or STEPS, args.how or HOWS):
                started, bad = time.monotonic(), 0
                for number in range(seed, seed + args.runs):
                    print(f"  {storage} {warehouse} {master} {step} {how} {number}", file=sys.stderr, flush=True)
                    outcome = crashes.run(case := Case(step, master, storage, how, number, args.moment, warehouse))
                    if outcome.faults:
                        bad += 1
                        moment = outcome.moments[0].partition(" ")[0]
                        print(f"FAILED {case.command(moment)} --faults {args.faults}")
                        print("    " + "\n    ".join([*outcome.moments, *outcome.lost[:8], *outcome.faults[:20]]))
                seconds = time.monotonic() - started
                print(
                    f"{storage} {warehouse} {master} {step} {how}: {args.runs} runs, {bad} failed, {seconds:.0f} s",
                    flush=True,
                )
                failed, done = failed + bad, done + args.runs
            if crashes.stage.proxy:
                print(f"faults of S3: {dict(crashes.stage.proxy.faults)}")
    print(f"{done} runs, {failed} failed (seeds from {seed} on)")
    if args.folder is None:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
