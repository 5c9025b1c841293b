"""``orchestration.jsonl``: what EmrEtlRunner and Dataflow Runner did, by the functions that imports, previews and exports use."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import asdict
from pathlib import Path
from typing import Any

from snowetl.jvm import jsontext
from snowetl.orchestrator.imports.emr_etl_runner import assets, inventory, options, steps, targets
from snowetl.orchestrator.imports.emr_etl_runner.errors import EXITS, NAMES, RunnerError, exit_of
from snowetl.orchestrator.imports.emr_etl_runner.flags import Flags, flags, loader_skips
from snowetl.orchestrator.imports.emr_etl_runner.inventory import Inventory
from snowetl.orchestrator.imports.emr_etl_runner.options import RunOptions
from tests.conformance.runner import Mismatch, Unsupported

FILES = "orchestration.jsonl"


def run(case: dict[str, Any], vectors: Path) -> list[Mismatch] | Unsupported:
    if case["kind"] == "meta":
        return []
    kind = globals().get(f"_{case['kind']}")
    if kind is None:
        return Unsupported(f"kind {case['kind']}")
    got = kind(case["input"])
    return list(_differences(case["kind"], case["expected"], got))


def _differences(path: str, expected: Any, got: Any) -> list[Mismatch]:
    """``{"$any": "string"}`` is any text, ``{"$b64json": X}`` the base64 of compact JSON."""
    if isinstance(expected, dict) and "$any" in expected:
        return [] if isinstance(got, str) else [Mismatch(path, "a text", got)]
    if isinstance(expected, dict) and "$b64json" in expected:
        compact = jsontext.dumps(expected["$b64json"])
        return [] if isinstance(got, str) and b64decode(got).decode() == compact else [Mismatch(path, compact, got)]
    if isinstance(expected, dict) and isinstance(got, dict):
        return [one for key in expected for one in _differences(f"{path}.{key}", expected[key], got.get(key))]
    if isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        pairs = enumerate(zip(expected, got, strict=True))
        return [one for index, (left, right) in pairs for one in _differences(f"{path}.{index}", left, right)]
    same = expected == got and type(expected) is type(got)
    return [] if same else [Mismatch(path, expected, got)]


def _failed(error: RunnerError) -> dict[str, Any]:
    return {"error": NAMES[type(error)], "message": str(error), "exit_code": exit_of(error).code}


# --- options and steps ------------------------------------------------------------------------------------------------


def _options(case: dict[str, Any]) -> RunOptions:
    return RunOptions(
        tuple(case["skip"]),
        case["resume_from"],
        tuple(case.get("include", ())),
        stream=bool(case.get("enriched_stream")) or case.get("mode") == "stream",
    )


def _step_flags(case: dict[str, Any]) -> Any:
    on = flags(_options(case))
    modes = {name: getattr(on, name) for name in ("archive_enriched_mode", "archive_shredded_mode")}
    return asdict(on) | modes


def _rdb_loader_flags(case: dict[str, Any]) -> Any:
    return {"skip": loader_skips(Flags(**case["steps"])), "include": case["include"]}


def _cli_validate(case: dict[str, Any]) -> Any:
    try:
        options.check(_options(case), case["collector_format"], case["ami_version"])
    except RunnerError as error:
        return _failed(error)
    return {"error": None}


def _parse_duration(case: str) -> Any:
    return options.duration(case)


def _exit_code(case: str) -> Any:
    code, prefix = EXITS[case]
    return {"exit_code": code, "message_prefix": prefix}


# --- names, addresses, patterns ----------------------------------------------------------------------------------------


def _build_enrichments_b64(case: list[str]) -> Any:
    return assets.enrichments_base64(case)


def _hosted_assets_bucket(case: dict[str, str]) -> Any:
    return assets.hosted_assets(case["configured"], case["region"], case["standard"])


def _commons_codec_version(case: str | None) -> Any:
    try:
        return assets.commons_codec(case)
    except ValueError as error:
        return {"error": "ArgumentError", "message": str(error)}


def _is_ua_ndjson(case: str) -> Any:
    return assets.is_urban_airship(case)


def _is_cloudfront_log(case: str) -> Any:
    return assets.is_cloudfront_log(case)


def _s3_endpoint(case: str) -> Any:
    return assets.s3_endpoint(case)


def _assets(case: dict[str, Any]) -> Any:
    order = ("bucket", "spark_enrich", "rdb_shredder", "hadoop_elasticsearch", "rdb_loader")
    return assets.jars(*(case[name] for name in order))._asdict()


def _partition_by_run(case: dict[str, Any]) -> Any:
    return assets.run_folder(case["folder"], case["run_id"]) if case["retain"] else None


def _output_codec(case: str | None) -> Any:
    return assets.codec_arguments(case)


def _glob_path(case: str) -> Any:
    return assets.all_files(case)


_FILTERS = {
    "default": inventory.is_file,
    "length==3": lambda key: len(key) == 3,
    "all": lambda key: True,
}


def _s3_is_empty(case: dict[str, Any]) -> Any:
    return inventory.is_empty(case["keys"], _FILTERS[case["filter"]])


def _s3_last_object_name(case: dict[str, Any]) -> Any:
    return inventory.last_name(case["keys"], _FILTERS[case["filter"]])


def _s3_parse(case: str) -> Any:
    return list(inventory.split_address(case))


def _latest_run_id(case: dict[str, Any]) -> Any:
    try:
        return inventory.latest_run(case["path"], case["keys"])
    except RunnerError as error:
        return _failed(error)


def _s3distcp_group_key(case: dict[str, Any]) -> Any:
    key = inventory.group_key(case["pattern"], case["path"])
    return {"matched": key is not None, "group_key": key}


def _src_pattern_match(case: dict[str, Any]) -> Any:
    return inventory.matches(case["pattern"], case["key"])


# --- storage targets ---------------------------------------------------------------------------------------------------


def _targets(documents: list[Any]) -> targets.Targets:
    return targets.Targets(tuple(targets.Target(document) for document in documents if document))


def _extract_tabular_blacklist(case: list[Any]) -> Any:
    return _targets(case).tabular_blacklist


def _should_copy_shredded_jsons(case: dict[str, Any]) -> Any:
    return targets.copies_json(case["shredder"], _targets(case["targets"]))


def _should_copy_shredded_tsvs(case: dict[str, Any]) -> Any:
    return targets.copies_tsv(case["shredder"], _targets(case["targets"]))


# --- the steps of a run ------------------------------------------------------------------------------------------------


def _job_steps(case: dict[str, Any]) -> Any:
    folders = case["buckets"]
    job = steps.Job(
        run_id=case["run_id"],
        etl_timestamp=case["etl_tstamp"],
        resolver=case["resolver"],
        enrichments=tuple(case["enrichments"]),
        buckets=steps.Buckets(raw_in=tuple(case["raw_in"]), enriched_stream=case["enriched_stream"], **folders),
        versions=steps.Versions(case["spark_enrich"], case["shredder"], case["loader"]),
        s3_region=case["region"],
        emr_region=case["region"],
        collector_format=case["collector_format"],
        output_compression=case["output_compression"],
        options=_options(case),
        targets=_targets(
            [*case["enriched_events_targets"], case["duplicate_tracking_target"], *case["failed_events_targets"]]
        ),
        encrypted=case["encrypted"],
        consolidates=case["consolidate_shredded_output"],
        debug=case["debug"],
        persistent=case["persistent"],
        persistent_cluster_found=case["persistent_cluster_found"],
    )
    found = Inventory(
        raw_in_with_files=tuple(case["raw_in_with_matching_keys"]),
        raw_processing_is_empty=case["raw_processing_is_empty"],
        enriched_good=tuple(case["enriched_good_keys"]),
        shredded_good=tuple(case["shredded_good_keys"]),
        stream_is_empty=case.get("stream_empty", False),
    )
    try:
        planned = steps.plan(job, found)
    except RunnerError as error:
        return _failed(error)
    action = steps.action_on_failure(job)
    return {
        "steps": [
            {
                "name": step.name,
                "jar": step.jar,
                "args": list(step.arguments),
                "action_on_failure": action,
                "retry_on_fail": step.retried,
            }
            for step in planned
        ]
    }
