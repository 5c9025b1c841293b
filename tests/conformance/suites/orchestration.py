"""``orchestration.jsonl``: what EmrEtlRunner and Dataflow Runner did, by the functions of imports and exports."""

from __future__ import annotations

import tempfile
from base64 import b64decode
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from snowetl.enrich.config import EnrichConfig
from snowetl.errors import ConfigError, OutputExists
from snowetl.iglu.config import ResolverConfig
from snowetl.jvm import jsontext
from snowetl.orchestrator.imports.dataflow_runner import files, requests, write
from snowetl.orchestrator.imports.dataflow_runner.template import Template, variables
from snowetl.orchestrator.imports.emr_etl_runner import (
    assets,
    cluster,
    config,
    inventory,
    job_flow,
    options,
    playbook,
    steps,
    targets,
)
from snowetl.orchestrator.imports.emr_etl_runner.errors import EXITS, NAMES, RunnerError, exit_of
from snowetl.orchestrator.imports.emr_etl_runner.flags import Flags, flags, loader_skips
from snowetl.orchestrator.imports.emr_etl_runner.inventory import Inventory
from snowetl.orchestrator.imports.emr_etl_runner.job_flow import ClusterBusy, ClusterNotUnique, ClusterState, StepState
from snowetl.orchestrator.imports.emr_etl_runner.options import RunOptions
from snowetl.orchestrator.imports.found import Instances, Script
from snowetl.runs.lease import Lease
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


# --- names, addresses, patterns ---------------------------------------------------------------------------------------


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


# --- storage targets --------------------------------------------------------------------------------------------------


def _targets(documents: list[Any]) -> targets.Targets:
    return targets.Targets(tuple(targets.Target(document) for document in documents if document))


def _extract_tabular_blacklist(case: list[Any]) -> Any:
    return _targets(case).tabular_blacklist


def _should_copy_shredded_jsons(case: dict[str, Any]) -> Any:
    return targets.copies_json(case["shredder"], _targets(case["targets"]))


def _should_copy_shredded_tsvs(case: dict[str, Any]) -> Any:
    return targets.copies_tsv(case["shredder"], _targets(case["targets"]))


# --- the steps of a run -----------------------------------------------------------------------------------------------


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


# --- configuration ----------------------------------------------------------------------------------------------------


def _cli_error(case: dict[str, Any]) -> Any:
    try:
        if case["call"] == "load_config":
            config.config_text(case["path"], case["usage"])
        else:
            targets.check_ids(case["target_ids"])
    except (ConfigError, RunnerError) as error:
        return {"error": "ConfigError", "message": str(error)}
    return {"error": None}


def _add_trailing_slashes(case: Any) -> Any:
    return config.with_slashes(case)


def _lint_resolver(case: str) -> Any:
    try:
        ResolverConfig.load(case)
    except ConfigError as error:
        return {"error": str(error)}
    return {"error": None}


def _lint_enrichments(case: list[str]) -> Any:
    found = []
    for text in case:
        try:
            EnrichConfig.load(enrichments=text, resolver=ResolverConfig.default(), input_format="thrift")
        except ConfigError as error:
            found.append(str(error))
    return found


def _cluster_settings(case: dict[str, Any]) -> Any:
    tree: dict[str, Any] = {"aws": {"emr": {"ami_version": "5.29.0", "jobflow": {}}, "s3": {"buckets": {}}}}
    for path, value in case.items():
        config._put(tree, path, value)
    found = cluster.cluster(config.RunnerConfig("case", tree))
    return {
        "region": found.region,
        "name": found.name,
        "ec2_key_name": found.key_name,
        "job_flow_role": found.instance_profile,
        "service_role": found.service_role,
        "additional_info": found.additional_info,
        "security_configuration": found.security_configuration,
        "log_uri": found.log_uri,
        "ami_version": found.ami_version,
        "release_label": found.release_label,
        "placement": found.zone,
        "ec2_subnet_id": found.subnet,
        "master": {"type": found.primary.type, "count": found.primary.count},
        "core": _instances(found.core),
        "task": _instances(found.task),
    }


def _instances(group: Instances | None) -> Any:
    if group is None:
        return None
    [volume] = group.volumes or [None]
    ebs = volume and {
        "volume_type": volume.type,
        "size_in_gb": volume.size_gb,
        "iops": volume.iops,
        "ebs_optimized": group.ebs_optimized,
    }
    market = {"market": "SPOT", "bid_price": group.bid} if group.bid else {}
    return {"type": group.type, "count": group.count, "ebs": ebs, **market}


# --- the generators of Dataflow Runner's files ------------------------------------------------------------------------


def _runner_config(tree: dict[str, Any]) -> config.RunnerConfig:
    return config.RunnerConfig("case", tree)


def _run_of(case: dict[str, Any]) -> playbook.Run:
    run_id, tstamp = case.get("run_id", "2020-01-02-03-04-05"), case.get("etl_tstamp", "1577934245000")
    return playbook.Run(run_id, tstamp, case.get("resolver", ""), tuple(case.get("enrichments", ())))


def _generate_emr_config(case: dict[str, Any]) -> Any:
    return playbook.cluster_file(_runner_config(case["config"]), case["schemaver"])


def _generate_tags(case: dict[str, Any]) -> Any:
    return write.tags(case)


def _generate_location(case: dict[str, Any]) -> Any:
    return write.location(case["ec2_subnet_id"], case["placement"])


def _generate_configurations(case: str) -> Any:
    return playbook.configurations(case)


def _generate_ebs(case: dict[str, Any] | None) -> Any:
    return playbook.ebs_configuration(case)


def _generate_ami_action(case: dict[str, Any]) -> Any:
    return write.script(cluster.bootstrap_script(case["ami_version"], case["region"], case["spark_enrich"]))


def _generate_bootstrap_actions(case: dict[str, Any]) -> Any:
    own = tuple(
        Script(each["name"], each["scriptBootstrapAction"]["path"], tuple(each["scriptBootstrapAction"]["args"]))
        for each in case["actions"]
    )
    scripts = cluster.bootstrap(
        own, case["collector_format"], case["ami_version"], case["region"], case["spark_enrich"]
    )
    return [write.script(each) for each in scripts]


def _generate_playbook(case: dict[str, Any]) -> Any:
    parts = playbook.Parts.of(case["debug"], case["resume_from"])
    return playbook.playbook_data(_runner_config(case["config"]), parts, _run_of(case))


def _playbook_steps(case: dict[str, Any]) -> Any:
    return list(playbook.playbook_steps(_runner_config(case["config"]), playbook.Parts(**case["flags"]), _run_of(case)))


def _playbook_staging_steps(case: dict[str, Any]) -> Any:
    return list(playbook.staging_steps(case["in_"], case["processing"], case["s3_endpoint"], case["collector_format"]))


def _playbook_es_steps(case: dict[str, Any]) -> Any:
    given = _runner_config(case["config"])
    return list(
        playbook.elasticsearch_steps(given, case["run_id"], case["jar"], enrich=case["enrich"], shred=case["shred"])
    )


def _playbook_shred_steps(case: dict[str, Any]) -> Any:
    return list(playbook.shred_steps(_runner_config(case["config"]), _run_of(case), case["s3_endpoint"], case["jar"]))


def _playbook_enrich_steps(case: dict[str, Any]) -> Any:
    given = _runner_config(case["config"])
    return list(playbook.enrich_steps(given, _run_of(case), case["s3_endpoint"], case["jar"], case["dest"]))


def _playbook_scalding_step(case: dict[str, Any]) -> Any:
    return playbook.scalding(case["name"], case["jar"], case["main_class"], case["folders"], case["extra"])


def _playbook_s3distcp_step(case: dict[str, Any]) -> Any:
    step = playbook.copy("", case["src"], case["dest"], case["s3_endpoint"], case["extra"], legacy=case["legacy"])
    return step | {"name": case["name"]}


def _playbook_hbase_step(case: str) -> Any:
    return playbook.hbase(case)


def _playbook_rmr_step(case: dict[str, Any]) -> Any:
    return playbook.remove(case["region"], case["location"], case["bucket"])


def _playbook_script_step(case: dict[str, Any]) -> Any:
    return playbook.script(case["region"], case["name"], case["script"], case["args"])


def _playbook_debugging_step(case: str) -> Any:
    return playbook.debugging(case)


# --- the states of EMR ------------------------------------------------------------------------------------------------


def _steps_of(found: list[dict[str, Any]]) -> list[StepState]:
    def time(value: float | None) -> datetime | None:
        return None if value is None else datetime.fromtimestamp(value, UTC)

    return [
        StepState(step["name"], step["state"], time(step.get("started_at")), time(step.get("ended_at")))
        for step in found
    ]


def _job_result(case: dict[str, Any]) -> Any:
    found = job_flow.outcome(_steps_of(case["steps"]), case["last_state_change_reason"])
    return {
        "done": found.done,
        "success": found.success,
        "bootstrap_failure": found.bootstrap_failure,
        "rdb_loader_failure": found.load_failed,
        "rdb_loader_cancellation": found.load_cancelled,
    }


def _failure_details(case: dict[str, Any]) -> Any:
    given = case["cluster"]
    created, ready, ended = (datetime.fromtimestamp(given[f"{name}_at"], UTC) for name in ("created", "ready", "ended"))
    cluster_ = ClusterState(case["jobflow_id"], given["state"], given["reason_code"], "", created, ready, ended)
    lines = job_flow.failure_text(cluster_, _steps_of(case["steps"])).splitlines()
    return {
        "line1": lines[0],
        "line2_prefix": lines[1][: len("JOB ID: TERMINATED [ALL_STEPS_COMPLETED] ~ 00:36:29 [")],
        "line3_prefix": lines[2][: len(" - 1. Elasticity Custom Jar Step: COMPLETED ~ elapsed time n/a [ - ")],
    }


def _persistent_retry(case: dict[str, Any]) -> Any:
    return None  # a failed run goes on where it stopped; steps are not sent again blindly


def _persistent_discovery(case: dict[str, Any]) -> Any:
    errors = {ClusterBusy: "EmrClusterStateError", ClusterNotUnique: "EmrDiscoveryError"}
    try:
        found = job_flow.discover(case["name"], [ClusterState(each["id"], each["state"]) for each in case["clusters"]])
    except tuple(errors) as error:
        return {"error": errors[type(error)], "message": str(error), "exit_code": error.exit_code}
    return {"jobflow_id": found}


def _monitoring_timestamp(case: str) -> Any:
    return job_flow.iso(datetime.fromisoformat(case))


def _dfr_up(case: dict[str, Any]) -> Any:
    return None  # clusters are started by the executor, or by the run itself


def _dfr_step_state(case: dict[str, Any]) -> Any:
    start, end = (datetime.fromisoformat(case[name]) for name in ("start", "end"))
    line = job_flow.step_text(StepState(case["name"], case["state"], start, end, id=case["id"]))
    return {"state": case["state"], "logs": [] if line is None else [line]}


def _dfr_run(case: dict[str, Any]) -> Any:
    return {"error": job_flow.failed_text([StepState("step", state) for state in case["step_states"]])}


def _dfr_log_uri(case: str) -> Any:
    try:
        bucket, prefix = job_flow.log_folder(case)
    except ConfigError as error:
        return {"error": str(error)}
    return {"bucket": bucket, "prefix": prefix}


def _dfr_step_log_prefix(case: dict[str, Any]) -> Any:
    return job_flow.step_log_prefix(case["log_uri"], case["jobflow_id"], case["step_id"])


# --- Dataflow Runner --------------------------------------------------------------------------------------------------


def _or_error(call: Callable[[], Any]) -> Any:
    """What ``call`` gives, or the text of the error that stops it."""
    try:
        return call()
    except ConfigError as error:
        return {"error": str(error)}


def _file(case: dict[str, Any]) -> files.RunnerFile:
    return files.RunnerFile("case", case["data"])


def _groups(case: dict[str, Any]) -> Any:
    return requests.instance_groups(_file(case).data["ec2"]["instances"])


def _dfr_instance_groups(case: dict[str, Any]) -> Any:
    return _groups(case)


def _dfr_instance_group_count(case: dict[str, Any]) -> Any:
    return len(_groups(case))


def _dfr_release(case: dict[str, Any]) -> Any:
    return _or_error(lambda: requests.release(_file(case).data["ec2"]["amiVersion"]))


def _dfr_location(case: dict[str, Any]) -> Any:
    return _or_error(lambda: requests.location(case))


def _dfr_tags(case: Any) -> Any:
    return requests.tags(case)


def _dfr_bootstrap_actions(case: Any) -> Any:
    return requests.bootstrap_actions(case)


def _dfr_configurations(case: Any) -> Any:
    return requests.configurations(case)


def _dfr_applications(case: Any) -> Any:
    return requests.applications(case)


def _dfr_credentials(case: dict[str, str]) -> Any:
    return _or_error(lambda: files.check_credentials(case)) or {"error": None}


def _dfr_add_steps_input(case: dict[str, Any]) -> Any:
    return _or_error(lambda: requests.add_steps(_file(case), "jobflow-id"))


def _dfr_template(case: dict[str, Any]) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "abc")
        path.write_text("abc")
        text = case["text"].replace("<file containing abc>", str(path))
        template = Template(case["vars"], case["env"])
        return _or_error(lambda: {"text": template.fill(text, case["name"])})


def _parsed(case: str) -> Any:
    return _or_error(lambda: files.parse(case) and None) or {"error": None}


def _dfr_parse_cluster(case: str) -> Any:
    return _parsed(case)


def _dfr_parse_playbook(case: str) -> Any:
    return _parsed(case)


def _dfr_parse_file(case: str) -> Any:
    return _or_error(lambda: files.read(case, Template()))


def _dfr_lock_flags(case: dict[str, Any]) -> Any:
    call = partial(
        files.check_lock_options,
        case.get("lock"),
        case.get("softLock"),
        case.get("consul"),
        bool(case.get("async")),
    )
    return _or_error(call) or {"error": None}


def _dfr_vars(case: str) -> Any:
    return _or_error(lambda: {"vars": variables(case)})


def _dfr_lock(case: dict[str, Any]) -> Any:
    """The lock of a run here is a lease beside its output: the second that takes it is refused."""
    if case["backend"] == "consul" and not case.get("exists"):
        return _or_error(lambda: files.check_consul(case.get("address", ""), case["key"])) or {"error": None}
    with tempfile.TemporaryDirectory() as folder, Lease(f"{folder}/lease.json"):
        try:
            with Lease(f"{folder}/lease.json"):
                return {"error": None}
        except OutputExists as error:
            return {"error": str(error), "exit_code": EXITS["LockHeldError"].code}


def _dfr_unlock(case: dict[str, Any]) -> Any:
    return {"error": None}  # to give back what is not held is fine here


def _legacy_staging_rename(case: dict[str, Any]) -> Any:
    return case["basename"]  # raw files keep their names here
