"""One tree's side of a comparison: a process that enriches records and answers with its processor time.

Run as a file with ``PYTHONPATH`` set to the tree that is measured; it uses nothing of that tree but its public library,
so that any revision can be measured. Standard input: one JSON object a line, ``{"records": FILE}``. Standard output:
``{"cpu": SECONDS, "events": N, "bad_rows": N}`` for each.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
import time
from typing import Any

ETL_TSTAMP = 1772668800000


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--resolver", required=True)
    parser.add_argument("--enrichments")
    args = parser.parse_args()
    from snowetl import EnrichConfig, Enricher

    config = EnrichConfig.load(
        resolver=args.resolver, enrichments=args.enrichments, input_format="thrift", etl_tstamp=ETL_TSTAMP
    )
    enricher = Enricher(config)
    for line in sys.stdin:
        print(json.dumps(_pass(enricher, _records(json.loads(line)["records"]))), flush=True)


def _records(path: str) -> list[bytes]:
    with open(path, encoding="ascii") as file:  # noqa: PTH123
        return [base64.b64decode(line) for line in file]


def _pass(enricher: Any, records: list[bytes]) -> dict[str, float]:
    events = bad_rows = 0
    started = time.process_time()
    for record in records:
        for result in enricher.process(record):
            if hasattr(result, "to_tsv"):
                result.to_tsv()
                events += 1
            else:
                result.to_json()
                bad_rows += 1
    return {"cpu": time.process_time() - started, "events": events, "bad_rows": bad_rows}


if __name__ == "__main__":
    main()
