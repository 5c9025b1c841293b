"""Clusters and playbooks of Dataflow Runner as our settings: what each step did is read from its arguments."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from snowetl.errors import ConfigError
from snowetl.interpolation import escape
from snowetl.orchestrator.imports import rdb_loader, targets
from snowetl.orchestrator.imports.completed import reports_folder, rows_for_warehouse
from snowetl.orchestrator.imports.dataflow_runner.files import RunnerFile
from snowetl.orchestrator.imports.dataflow_runner.template import Template
from snowetl.orchestrator.imports.emr_etl_runner.targets import DUPLICATES, Target, Targets
from snowetl.orchestrator.imports.found import NOTHING_TO_DO, Carried, Cluster, Found, Instances, Left, Script, Volume
from snowetl.orchestrator.imports.modern import modern

_RUN_FOLDER = re.compile(r"run=[^/]*/?$")
_HDFS = "hdfs://"


@dataclass
class _Gathered:
    """What the steps of a playbook give, as they are read."""

    template: Template
    settings: dict[str, Carried] = field(default_factory=dict)
    verbs: dict[str, dict[str, Carried]] = field(default_factory=dict)
    left: list[Left] = field(default_factory=list)

    def put(self, verb: str, key: str, value: Any, origin: str) -> None:
        if value is not None:
            self.verbs.setdefault(verb, {}).setdefault(key, Carried(value, origin))

    def document(self, encoded: str, key: str, where: str) -> None:
        """Carry a document in base64 under ``key``: the file it came from, or else its content."""
        origin = f"{where}: --{key}"
        path = self.template.file_of(encoded)
        content = self.content(encoded, origin)
        if path is not None:
            self.settings.setdefault(key, Carried(path, origin))
        elif content is not None:
            self.settings.setdefault(key, Carried(content, origin, f"{key}.json"))

    def content(self, encoded: str, origin: str) -> Any:
        try:
            return escape(json.loads(b64decode(encoded)))
        except ValueError:
            self.left.append(Left(origin, "it is not base64 of JSON", "Write it yourself"))
            return None


def found(files: Sequence[RunnerFile], template: Template) -> Found:
    """What clusters and playbooks say. ``template`` filled them in, and knows which files went into them."""
    gathered = _Gathered(template)
    cluster: Cluster | None = None
    for file in files:
        if file.is_playbook:
            for number, step in enumerate(file.data.get("steps") or (), 1):
                _step(step, f"{file.where}, step {number} ({step.get('name')})", gathered)
        elif file.data:
            cluster, changed = modern(cluster_of(file), file.where)
            gathered.left += changed
        _credentials(file, gathered)
    _complete(gathered.verbs)
    gathered.left += rows_for_warehouse(gathered.settings, gathered.verbs)
    source = " and ".join(file.where for file in files)
    return Found(source, gathered.settings, gathered.verbs, cluster, tuple(gathered.left))


def _complete(verbs: dict[str, dict[str, Carried]]) -> None:
    """Give a run that was read from its steps the folder that none of them named."""
    run = verbs.get("run", {})
    if "enriched-folder" in run:
        if "output-folder" in verbs.get("transform", {}):
            run.setdefault("transformed-folder", verbs.pop("transform")["output-folder"])
        rows = run.get("transformed-folder")
        run["output-folder"] = reports_folder(run["enriched-folder"].value, rows.value if rows else None)


def _credentials(file: RunnerFile, gathered: _Gathered) -> None:
    keys = file.data.get("credentials") or {}
    if {keys.get(name) for name in ("accessKeyId", "secretAccessKey")} - {None, "iam", "env", "default"}:
        gathered.left.append(
            Left(
                f"{file.where}: credentials",
                "keys of AWS are not written to files",
                "Let the machine have a role, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in its environment",
            )
        )


# --- clusters ---------------------------------------------------------------------------------------------------------


def cluster_of(file: RunnerFile) -> Cluster:
    """The cluster in a file. Raises :class:`ConfigError` that names a key that is missing."""
    try:
        return _cluster(escape(file.data))
    except KeyError as error:
        raise ConfigError(f"{file.where} is not a cluster: the key {error} is missing") from None
    except TypeError:  # null where keys are needed
        raise ConfigError(f"{file.where} is not a cluster: ec2, its instances or a volume are null") from None


def _cluster(data: Mapping[str, Any]) -> Cluster:
    ec2 = _needed(data, "ec2")
    instances, location = ec2["instances"], ec2.get("location") or {}
    roles = data.get("roles") or {}
    return Cluster(
        name=_needed(data, "name"),
        version=_needed(ec2, "amiVersion"),
        region=data.get("region"),
        primary=_instances(instances["master"]) or Instances(_needed(instances["master"], "type")),
        core=_instances(instances.get("core")),
        task=_instances(instances.get("task")),
        subnet=(location.get("vpc") or {}).get("subnetId"),
        zone=(location.get("classic") or {}).get("availabilityZone"),
        key_name=ec2.get("keyName") or None,
        service_role=roles.get("service"),
        instance_profile=roles.get("jobflow"),
        security_configuration=data.get("securityConfiguration") or None,
        log_uri=data.get("logUri"),
        applications=tuple(data.get("applications") or ("Hadoop", "Spark")),
        bootstrap=tuple(
            Script(
                each["name"],
                each["scriptBootstrapAction"]["path"],
                tuple(each["scriptBootstrapAction"].get("args") or ()),
            )
            for each in data.get("bootstrapActionConfigs") or ()
        ),
        configurations={each["classification"]: each["properties"] for each in data.get("configurations") or ()},
        tags={each["key"]: each["value"] for each in data.get("tags") or ()},
    )


def _instances(group: Mapping[str, Any] | None) -> Instances | None:
    if not group or group.get("count", 1) <= 0:
        return None
    ebs = group.get("ebsConfiguration") or {}
    volumes = [_volume(device) for device in ebs.get("ebsBlockDeviceConfigs") or ()]
    return Instances(
        _needed(group, "type"),
        group.get("count", 1),
        str(group["bid"]) if group.get("bid") else None,
        tuple(volumes),
        ebs.get("ebsOptimized"),
    )


def _volume(device: Mapping[str, Any]) -> Volume:
    disk = device["volumeSpecification"]
    iops = disk.get("iops") if disk["volumeType"] not in ("gp2", "gp3", "standard") else None
    return Volume(_needed(disk, "sizeInGB"), _needed(disk, "volumeType"), iops, device.get("volumesPerInstance", 1))


def _needed(data: Mapping[str, Any], key: str) -> Any:
    """The value of a key; null counts as missing."""
    if data.get(key) is None:
        raise KeyError(key)
    return data[key]


# --- steps ------------------------------------------------------------------------------------------------------------


def _step(step: Mapping[str, Any], where: str, gathered: _Gathered) -> None:
    """Read one step: the first of the kinds below that its jar or its arguments name."""
    arguments = [str(each) for each in step.get("arguments") or ()]
    text = " ".join([str(step.get("jar")), *arguments])
    for mark, read in _KINDS.items():
        if mark in text:
            read(_options(arguments), where, gathered)
            return
    gathered.left.append(
        Left(
            where,
            "it is not a step of Snowplow known here",
            "Keep it as a step of your own, before or after the run",
        )
    )


def _options(arguments: Sequence[str]) -> dict[str, str]:
    """``--name value`` and ``--name=value``, wherever they stand; underscores are dashes."""
    found: dict[str, str] = {}
    for one, following in zip(arguments, [*arguments, ""][1:], strict=True):
        if one.startswith("--"):
            name, equals, value = one[2:].partition("=")
            found[name.replace("_", "-")] = value if equals else following
    return found


def _enrich(options: dict[str, str], where: str, gathered: _Gathered) -> None:
    gathered.put("run", "input-format", options.get("input-format"), f"{where}: --input-format")
    _folder("run", "input-folder", options.get("input-folder"), where, gathered)
    _folder("run", "enriched-folder", options.get("output-folder"), where, gathered)
    _folder("run", "bad-folder", options.get("bad-folder") or options.get("bad-rows-folder"), where, gathered)
    for key in ("iglu-config", "enrichments"):
        if options.get(key):
            gathered.document(options[key], key, where)


def _folder(verb: str, key: str, address: str | None, where: str, gathered: _Gathered) -> None:
    """A folder on S3, without the run's own. What was on HDFS was copied there or from there by another step."""
    if address and not address.startswith(_HDFS):
        folder = escape(_RUN_FOLDER.sub("", address.removesuffix("*")))
        gathered.put(verb, key, [folder] if (verb, key) == ("run", "input-folder") else folder, where)


def _shred(options: dict[str, str], where: str, gathered: _Gathered) -> None:
    """A shredder up to R34 (folders as arguments), or a transformer with its HOCON."""
    if options.get("iglu-config"):
        gathered.document(options["iglu-config"], "iglu-config", where)
    duplicates = options.get("duplicate-storage-config")
    if duplicates:
        document = gathered.content(duplicates, f"{where}: --duplicate-storage-config")
        if isinstance(document, dict):
            target = Target(document | {"data": {**document["data"], "purpose": DUPLICATES}}, where)
            _targets(target, gathered)
    config = options.get("config")
    if config:
        _hocon(config, where, gathered)
        return
    _folder("transform", "input-folder", options.get("input-folder"), where, gathered)
    _folder("transform", "output-folder", options.get("output-folder"), where, gathered)


def _hocon(encoded: str, where: str, gathered: _Gathered) -> None:
    """The configuration of a transformer or a loader, in base64 or as a path."""
    path = gathered.template.file_of(encoded)
    try:
        text = b64decode(encoded, validate=True).decode() if path or not encoded.startswith("s3") else None
    except ValueError:
        text = None
    if text is None:
        gathered.left.append(
            Left(
                f"{where}: --config", "it is not base64", "Import that file too: snowetl import-config rdb-loader FILE"
            )
        )
        return
    config = rdb_loader.parse(text, path or where)
    inner = rdb_loader.found([(config, path or f"{where}: --config")], resolver="-")
    for key, carried in inner.settings.items():
        if key != "iglu-config":
            gathered.settings.setdefault(key, carried)
    for verb, settings in inner.verbs.items():
        for key, carried in settings.items():
            gathered.put(verb, key, carried.value, carried.origin)
    gathered.left += inner.left


def _targets(target: Target, gathered: _Gathered) -> None:
    carried, left = targets.carried(Targets((target,)), None)
    gathered.settings |= carried
    gathered.left += left


def _load(options: dict[str, str], where: str, gathered: _Gathered) -> None:
    """RDB Loader as a step (up to R34): its target, and the skips it was given."""
    if options.get("target"):
        document = gathered.content(options["target"], f"{where}: --target")
        if isinstance(document, dict):
            _targets(Target(document, where), gathered)
    elif options.get("config"):
        _hocon(options["config"], where, gathered)


def _copy(options: dict[str, str], where: str, gathered: _Gathered) -> None:
    """A copy by s3-dist-cp: staging and archives have no counterpart, but tell where logs come from."""
    source, to = options.get("src", ""), options.get("dest", "")
    if not source.startswith(_HDFS) and to.startswith(_HDFS):
        _folder("run", "input-folder", source, where, gathered)
    if not source.startswith(_HDFS) and not to.startswith(_HDFS):
        gathered.left.append(
            Left(
                where,
                f"it moves files from {source} to {to}, which no step here does",
                "Keep it as a step of your own, before or after the run; or point input-folder at the first",
            )
        )
        return
    if source.startswith(_HDFS) and "enriched" in source:
        _folder("run", "enriched-folder", to, where, gathered)
    if source.startswith(_HDFS) and "shredded" in source:
        _folder("run", "transformed-folder", to, where, gathered)
    gathered.left.append(
        Left(
            where,
            f"files are read and written where they lie ({source} to {to})",
            f"{NOTHING_TO_DO}: no copy is needed",
        )
    )


def _elasticsearch(_: dict[str, str], where: str, gathered: _Gathered) -> None:
    gathered.left.append(
        Left(where, "bad rows do not go to Elasticsearch", "PostgreSQL gets them as a table; elsewhere they are files")
    )


def _cleanup(_: dict[str, str], where: str, gathered: _Gathered) -> None:
    gathered.left.append(Left(where, "nothing is left on HDFS", NOTHING_TO_DO))


_KINDS: dict[str, Callable[[dict[str, str], str, _Gathered], None]] = {
    "s3-dist-cp": _copy,
    "s3distcp": _copy,
    "EnrichJob": _enrich,
    "EtlJob": _enrich,
    "spark-enrich": _enrich,
    "ShredJob": _shred,
    "shredder.batch": _shred,
    "transformer.batch": _shred,
    "transformer-batch": _shred,
    "rdb-shredder": _shred,
    "rdb-loader": _load,
    "ElasticsearchJob": _elasticsearch,
    "hadoop-fs-rmr": _cleanup,
    "hdfs dfs -expunge": _cleanup,
}
"""What gives a step away in its jar or arguments, in the order of looking."""
