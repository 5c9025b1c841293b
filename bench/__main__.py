"""``python -m bench``: everything in one run on the same records. ``python -m bench library``: the library on your
records. ``python -m bench job``: the job on Spark beside the library. ``python -m bench enrichments``: what each
enrichment costs. ``python -m bench deduplication``: what it adds to a transform. ``python -m bench compare``: this tree
beside another revision. ``python -m bench scale``: what a run of many objects costs the driver."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bench import machine, shared, stages
from bench.compare import STEPS, Baseline, trees
from bench.library import Result, measure, measure_once, read_records
from bench.traffic import records
from snowetl.errors import SnowetlError

FIXTURES = Path("fixtures")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--records", type=int, default=20_000, help="records of the 1x input (default 20000)")
    parser.add_argument("--times", type=int, default=10, help="how much larger the large input is (default 10)")
    verbs = parser.add_subparsers(dest="verb", metavar="library | enrichments | deduplication | compare | scale")
    library = verbs.add_parser("library", help="measure Enricher.process + TSV on records of a file")
    library.add_argument("--records", dest="file", type=Path, required=True, help="lines of JSON, .gz too")
    library.add_argument("--enrichments", type=Path, required=True, help="folder of enrichment configurations")
    library.add_argument("--resolver", type=Path, help="Iglu resolver configuration")
    library.add_argument("--registry", type=Path, action="append", help="static registry folder, instead of --resolver")
    library.add_argument("--assets", type=Path, help="what @ASSETS@ in the enrichment configurations stands for")
    library.add_argument("--passes", type=int, default=5, help="measured passes, after one to warm up (default 5)")
    library.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
    each = verbs.add_parser("enrichments", help="measure what each enrichment adds to the cost of an event")
    each.add_argument("--count", type=int, default=1000, help="records of a pass (default 1000)")
    twice = verbs.add_parser("deduplication", help="measure what deduplication adds to a transform")
    twice.add_argument("--count", type=int, default=5000, help="events of a batch (default 5000)")
    verbs.add_parser("job", help="measure the job on Spark beside the library on the same records")
    other = verbs.add_parser("compare", help="measure this tree beside another revision, in alternating passes")
    other.add_argument("revision", nargs="?", help="what git calls it; default: that of bench/baseline.json")
    other.add_argument("--count", type=int, help="records of a pass (default 1000; of a transform 8000)")
    other.add_argument("--pairs", type=int, default=7, help="pairs of passes for the control, twice for the ratio")
    other.add_argument("--pure", action="store_true", help="measure pure Python, not the compiled build")
    other.add_argument("--step", choices=sorted(STEPS), default="enrich", help="what is measured (default enrich)")
    other.add_argument("--store", action="store_true", help="write the ratios to bench/baseline.json")
    many = verbs.add_parser("scale", help="measure the driver of a run of many objects: processor time and memory")
    many.add_argument("--objects", type=int, nargs="+", help="how many (default 1000 10000 100000)")
    args = parser.parse_args()
    try:
        if args.verb == "library":
            return _library(args, library)
        if args.verb == "enrichments":
            return _enrichments(args.count)
        if args.verb == "deduplication":
            return _deduplicated(args.count)
        if args.verb == "scale":
            return _scale(args.objects)
        if args.verb == "job":
            return _job(args.records, args.times)
        return _compare(args) if args.verb == "compare" else _everything(args)
    except SnowetlError as error:
        print(f"bench: {error}", file=sys.stderr)
        return error.exit_code


def _library(args: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    if (args.resolver is None) == (args.registry is None):
        parser.error("give either --resolver FILE or --registry DIR (once or more)")
    with tempfile.TemporaryDirectory(prefix="snowetl-bench-") as folder:
        profile = shared.filled_profile(args.enrichments, args.assets, Path(folder, "enrichments"))
        resolver = str(args.resolver) if args.resolver else shared.resolver(args.registry)
        result = measure(read_records(args.file), resolver, profile, args.passes)
    if args.json:
        print(json.dumps(result.to_json()))
        return 0
    print(f"records      {result.records:>10,}")
    print(f"events       {result.events:>10,}")
    print(f"bad rows     {result.bad_rows:>10,}")
    print(f"best pass    {result.best:>10.3f} s")
    print(f"median pass  {result.median:>10.3f} s")
    print(f"events/s     {result.events_per_second:>10,}")
    return 0


def _enrichments(count: int) -> int:
    from bench import enrichments  # databases and servers only here

    print(machine.build())
    enrichments.show(count)
    return 0


def _deduplicated(count: int) -> int:
    from bench.warehouse import enriched_lines  # psycopg and the server only here

    print(machine.build())
    resolver = str(FIXTURES / "resolver.json")
    _show_deduplication(enriched_lines(count, resolver, str(FIXTURES / "enrichments")), resolver)
    return 0


def _scale(objects: Sequence[int] | None) -> int:
    from bench import scale

    print(machine.build())
    scale.show(scale.measure(objects or scale.SIZES))
    return 0


def _compare(args: argparse.Namespace) -> int:
    """Print the ratios. 1 if this tree is slower than the stored ratios say."""
    baseline = Baseline.read()
    revision = args.revision or baseline.revision
    measured = []
    step = STEPS[args.step]
    with trees(revision, compiled=not args.pure) as both:
        print(machine.interpreter())
        print(f"events per second of processor time ÷ those of {revision} ({both.builds()}), median of pairs")
        print(f"  {step.cases:<24}{'ratio':>9}{'control':>9}", flush=True)
        for one in step.measure(both, args.count or step.records, args.pairs):
            measured.append(one)
            print(f"  {one.name:<24}{one.ratio:>9.2f}{one.control:>9.2f}", flush=True)
    if args.store:
        kept = baseline.ratios if revision == baseline.revision else {}
        Baseline(revision, {**kept, **{one.name: round(one.ratio, 2) for one in measured}}).write()
        return 0
    losses = baseline.losses(measured) if revision == baseline.revision else []
    for loss in losses:
        print(f"slower than stored: {loss}", file=sys.stderr)
    return 1 if losses else 0


def _everything(args: argparse.Namespace) -> int:
    resolver, standard = str(FIXTURES / "resolver.json"), str(FIXTURES / "enrichments")
    _job(args.records, args.times)
    print("\nstages of the library, standard profile", flush=True)
    stages.show(500, resolver, standard)
    _show_warehouse(args.records, resolver, standard)
    print()
    _enrichments(1000)
    if warning := machine.busy():
        print(f"\n{warning}")
    return 0


def _job(few: int, times: int) -> int:
    """The library, what reading and writing cost, and the job on Spark beside the library on the same records.

    Three kinds of records: *warm* ones the library has seen before, which no job has; the same records *once* (some
    thousand visitors and pages); *unseen* ones, each from a new visitor on a new page. The clock of a job is that of
    its tasks; processor time is all of the Python workers', their start included.
    """
    from bench.job import run_job, run_splits, write_input  # psutil only here

    resolver, standard = FIXTURES / "resolver.json", FIXTURES / "enrichments"
    traffic: list[tuple[str, bytes | str]] = [("thrift", record) for record in records(few)]
    many, large = few * times, f"{times}x"
    print(machine.build())
    print(f"library, one thread: best of 5 warm passes over {few:,} records; {many:,} records once", flush=True)
    plain = _show("warm, no enrichments", measure(traffic, str(resolver), None))
    full = _show("warm", measure(traffic, str(resolver), str(standard)))
    once = _show("once", measure_once(records(many), str(resolver), str(standard)))
    fresh = _show("unseen", measure_once(records(many, unseen=True), str(resolver), str(standard)))
    with tempfile.TemporaryDirectory(prefix="snowetl-bench-") as folder:
        small, big, unseen = Path(folder, "small"), Path(folder, "large"), Path(folder, "unseen")
        write_input(small, few)
        write_input(big, many)
        write_input(unseen, many, unseen=True)
        bare, split = run_splits(small, str(resolver), str(standard))
        print("\nenrich_split, the work of a task, in this process")
        print(f"  {'enricher left out':<24}{bare.events / bare.seconds:>9,.0f} events/s   (reading and writing alone)")
        print(f"  {'warm':<24}{split.events / split.seconds:>9,.0f} events/s", flush=True)
        print("\njob on Spark, local[1]: time in tasks (with the start of Spark)", flush=True)
        jobs = {}
        for name, source, profile in (
            ("1x, no enrichments", small, None),
            ("1x", small, standard),
            (large, big, standard),
            (f"{large}, unseen", unseen, standard),
        ):
            job = jobs[name] = run_job(source, profile, resolver, cores=1)
            rate, wall_rate = job.events / job.busy, job.events / job.wall
            print(f"  {name:<24}{rate:>9,.0f} events/s  ({wall_rate:,.0f})   {_memory(job.peak_memory)}", flush=True)
    first, second, third, fourth = jobs.values()
    print("\nratios of events per second                 by the clock   by processor time")
    for name, clock, processor in (
        ("job, 1x, no enrichments / library, warm", first.clock_rate / plain.clock_rate, first.rate / plain.rate),
        ("job, 1x / library, warm", second.clock_rate / full.clock_rate, second.rate / full.rate),
        (f"job, {large} / library, warm", third.clock_rate / full.clock_rate, third.rate / full.rate),
        (f"job, {large} / library, once", third.clock_rate / once.clock_rate, third.rate / once.rate),
        (f"job, {large} / library, both unseen", fourth.clock_rate / fresh.clock_rate, fourth.rate / fresh.rate),
        ("library, standard / no enrichments", full.clock_rate / plain.clock_rate, full.rate / plain.rate),
        ("enrich_split / library, both warm", split.clock_rate / full.clock_rate, split.rate / full.rate),
        (f"job, {large} / reading and writing", third.clock_rate / bare.clock_rate, third.rate / bare.rate),
    ):
        print(f"  {name:<41}{clock:>8.2f}{processor:>18.2f}")
    print(f"\nmemory, {large} / 1x")
    for role in ("driver", "JVM", "worker"):
        growth = third.peak_memory.get(role, 0) / max(second.peak_memory.get(role, 0), 1)
        print(f"  {role:<41}{growth:>8.2f}")
    return 0


def _show_warehouse(count: int, resolver: str, standard: str) -> None:
    from bench.warehouse import enriched_lines, load_rates, transform_rates  # psycopg and the server only here

    lines = enriched_lines(count, resolver, standard)
    print(f"\ntransform, one thread, {len(lines):,} enriched lines, best of 4 passes, by processor time", flush=True)
    for kind, rate in transform_rates(lines, resolver).items():
        print(f"  {kind:<24}{rate:>9,.0f} events/s")
    _show_deduplication(lines, resolver)
    with tempfile.TemporaryDirectory(prefix="snowetl-bench-") as folder:
        loads = load_rates(lines, resolver, Path(folder))
    print(f"\nload into embedded PostgreSQL: {loads[0].rows:,} rows, {len(loads)} pairs with psql in turn, medians")
    for name, seconds in (("psql \\copy", "psql"), ("load, copies alone", "copied"), ("load, whole", "whole")):
        rate = median(load.rows / getattr(load, seconds) for load in loads)
        print(f"  {name:<24}{rate:>9,.0f} rows/s {median(load.psql / getattr(load, seconds) for load in loads):>10.2f}")
    for name, other in (("psql, text", "psql_client"), ("psql and gzip", "packed_client")):
        client = median(load.client / getattr(load, other) for load in loads)
        print(f"  {f'client / {name}':<24}{client:>27.2f}   (processor time; the load reads gzip)")
    _show_wide(lines, resolver)


def _show_deduplication(lines: Sequence[str], resolver: str) -> None:
    from bench import deduplication  # boto3 and the servers only here

    with tempfile.TemporaryDirectory(prefix="snowetl-bench-") as folder:
        found = deduplication.costs(lines, resolver, Path(folder))
    print("\ndeduplication, processor time of the client beside that of the transform")
    for kind, seconds in found.items():
        print(f"  {kind:<30}{seconds:>9.1f} s a million events", flush=True)


def _show_wide(lines: Sequence[str], resolver: str) -> None:
    from bench.wide import wide_loads

    with tempfile.TemporaryDirectory(prefix="snowetl-bench-") as folder:
        found = wide_loads(lines, resolver, Path(folder))
    print(f"\nload of {len(lines):,} wide rows, processor time, pairs with the plain tool in turn, medians")
    for name, loads in found.items():
        seconds = median(load.load for load in loads)
        ratio = median(load.plain / load.load for load in loads)
        million = 1e6 * seconds / loads[0].rows
        print(f"  {name:<24}{loads[0].rows / seconds:>9,.0f} rows/s {million:>8.1f} s a million {ratio:>8.2f}")


def _show(name: str, result: Result) -> Result:
    made = f"({result.events:,} events, {result.bad_rows:,} bad rows)"
    print(f"  {name:<24}{result.events_per_second:>9,} events/s   {made}")
    return result


def _memory(peaks: dict[str, int]) -> str:
    return "peak " + ", ".join(f"{role} {peaks.get(role, 0) / 2**20:,.0f} MiB" for role in ("driver", "JVM", "worker"))


if __name__ == "__main__":
    sys.exit(main())
