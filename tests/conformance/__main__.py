"""``python -m tests.conformance --vectors DIR … [--suite NAME …] [--json] [--show N]``; exit 1 on any failing case."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tests.conformance.runner import Tally, load_deviations, run_file, suite_files

_SHOWN_CHARS = 600


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument(
        "--vectors", type=Path, nargs="+", required=True, help="folders of vector files, such as ../shared/vectors"
    )
    parser.add_argument("--suite", action="append", default=[], help="only this suite (oracle: all oracle/*)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--show", type=int, default=20, help="failing cases printed per suite (default 20)")
    args = parser.parse_args()
    deviations = load_deviations()
    tallies = []
    for vectors in args.vectors:
        if vectors.is_dir():
            tallies += [
                run_file(name, module, path, vectors, deviations)
                for name, module, path in suite_files(vectors, args.suite)
            ]
        else:
            print(f"skipped: no vectors at {vectors} (they are not part of the project)", file=sys.stderr)
    if not tallies:
        return 0
    if args.json:
        print(json.dumps([_as_json(tally) for tally in tallies], ensure_ascii=False, default=str))
    else:
        _print(tallies, args.show)
    return 1 if any(tally.failing for tally in tallies) else 0


def _as_json(tally: Tally) -> dict[str, object]:
    failures = [{"id": case, "mismatches": [m._asdict() for m in mismatches]} for case, mismatches in tally.failures]
    counts = {name: getattr(tally, name) for name in ("cases", "equal", "deviating", "failing", "unsupported")}
    return {"suite": tally.suite, **counts, "failures": failures, "unsupported_why": tally.unsupported_why}


def _print(tallies: list[Tally], show: int) -> None:
    for tally in tallies:
        for case, mismatches in tally.failures[:show]:
            for mismatch in mismatches[:6]:
                print(f"{tally.suite} {case} {mismatch.field}")
                print(f"    expected {_clip(mismatch.expected)}")
                print(f"    got      {_clip(mismatch.got)}")
        for reason, count in sorted(tally.unsupported_why.items()):
            print(f"{tally.suite}: {count} not supported yet: {reason}")
    print(f"{'suite':<28}{'cases':>8}{'equal':>8}{'deviating':>11}{'failing':>9}{'unsupported':>13}")
    for tally in tallies:
        print(
            f"{tally.suite:<28}{tally.cases:>8}{tally.equal:>8}{tally.deviating:>11}"
            f"{tally.failing:>9}{tally.unsupported:>13}"
        )
    passed = sum(tally.equal + tally.deviating for tally in tallies)
    skipped = sum(tally.unsupported for tally in tallies)
    print(f"{passed} passed, {sum(t.failing for t in tallies)} failed, {skipped} skipped")


def _clip(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "…"


if __name__ == "__main__":
    sys.exit(main())
