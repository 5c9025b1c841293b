"""Writes what was found: ``snowetl.yml``, and the cluster beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from snowetl.documents import Document
from snowetl.orchestrator.imports import modern
from snowetl.orchestrator.imports.found import Carried, Cluster, Found, Instances, Scaling, Script, Volume
from snowetl.problems import Problems, did_you_mean

_WIDTH = 110


def documents_beside(found: Found) -> dict[str, str]:
    """The files that ``snowetl.yml`` names and the import makes, by name."""
    several = [found.settings, *found.verbs.values()]
    carried = [each for settings in several for each in settings.values() if each.file is not None]
    return {str(each.file): json.dumps(each.value, indent=2, ensure_ascii=False) + "\n" for each in carried}


def snowetl_yml(found: Found, folder: str = ".") -> str:
    """The text of ``snowetl.yml``, which will lie in ``folder``.

    Each key tells where its value comes from; what was not carried ends the file.
    """
    lines = [f"# Made from {found.source} by snowetl import-config. ${{NAME}} is read from the environment."]
    lines += _keys(found.settings, folder)
    for verb, settings in found.verbs.items():
        lines += ["", f"{verb}:", *(f"  {line}" if line else "" for line in _keys(settings, folder))]
    for title, several in (
        ("Not carried as in the old file; read these", found.to_do),
        ("Left out, and not needed", found.settled),
    ):
        if several:
            lines += ["", f"# {title}:", *(f"#  - {' '.join(str(left).split())}" for left in several)]
    return "\n".join(lines) + "\n"


def _keys(settings: Mapping[str, Carried], folder: str) -> Iterator[str]:
    """Keys with their values. Those of one origin stand together, below its name."""
    for origin, keys in groupby(settings, lambda key: settings[key].origin):
        yield ""
        yield f"# {origin}"
        yield from _dumped({key: _value(settings[key], folder) for key in keys}).splitlines()


def _value(carried: Carried, folder: str) -> Any:
    if carried.file is None:
        return carried.value
    return carried.file if folder == "." else f"{folder}/{carried.file}"


def _dumped(value: Any) -> str:
    import yaml

    return str(yaml.safe_dump(value, sort_keys=False, width=_WIDTH, allow_unicode=True, default_flow_style=False))


def cluster_yml(cluster: Cluster, source: str) -> str:
    """The text of ``cluster.yml``: the cluster, for ``snowetl export``."""
    head = f"# The cluster of {source}, made by snowetl import-config, for snowetl export.\n"
    return head + _dumped(cluster_mapping(cluster))


def cluster_mapping(cluster: Cluster) -> dict[str, Any]:
    """A cluster as keys and values, without what it does not say."""
    found = {
        "name": cluster.name,
        "release": cluster.version,
        "region": cluster.region,
        "primary": _instances(cluster.primary),
        "core": _instances(cluster.core),
        "task": _instances(cluster.task),
        "subnet": cluster.subnet,
        "more-subnets": list(cluster.more_subnets),
        "availability-zone": cluster.zone,
        "key-name": cluster.key_name,
        "service-role": cluster.service_role,
        "instance-profile": cluster.instance_profile,
        "security-configuration": cluster.security_configuration,
        "additional-info": cluster.additional_info,
        "log-uri": cluster.log_uri,
        "applications": list(cluster.applications),
        "bootstrap": [
            _filled({"name": each.name, "path": each.path, "arguments": list(each.arguments)})
            for each in cluster.bootstrap
        ],
        "configurations": {name: dict(properties) for name, properties in cluster.configurations.items()},
        "tags": dict(cluster.tags),
        "idle-seconds": cluster.idle_seconds,
        "scaling": _scaling(cluster.scaling),
        "overrides": dict(cluster.overrides),
    }
    return _filled(found)


def _instances(group: Instances | None) -> dict[str, Any] | None:
    if group is None:
        return None
    volumes = [
        _filled({"size-gb": each.size_gb, "type": each.type, "iops": each.iops, "per-instance": each.per_instance})
        for each in group.volumes
    ]
    return _filled(
        {
            "type": group.type,
            "fallbacks": list(group.fallbacks),
            "spot": group.spot,
            "count": group.count,
            "bid": group.bid,
            "volumes": volumes,
            "ebs-optimized": group.ebs_optimized,
        }
    )


def _scaling(scaling: Scaling | None) -> dict[str, Any] | None:
    if scaling is None:
        return None
    return _filled(
        {
            "minimum": scaling.minimum,
            "maximum": scaling.maximum,
            "maximum-core": scaling.maximum_core,
            "maximum-on-demand": scaling.maximum_on_demand,
        }
    )


def _filled(found: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if value is not None and value not in ([], {})}


# --- reading ----------------------------------------------------------------------------------------------------------


def read_cluster(document: Document) -> Cluster:
    """The cluster in a ``cluster.yml``. Raises :class:`ConfigError` that lists all unknown and missing keys."""
    given = _Reader(document, document.value, ())
    cluster = Cluster(
        name=given.text("name") or "snowetl",
        version=given.text("release") or modern.RELEASE,
        region=given.text("region"),
        primary=given.instances("primary") or Instances("m7i.xlarge"),
        core=given.instances("core"),
        task=given.instances("task"),
        subnet=given.text("subnet"),
        zone=given.text("availability-zone"),
        key_name=given.text("key-name"),
        service_role=given.text("service-role"),
        instance_profile=given.text("instance-profile"),
        security_configuration=given.text("security-configuration"),
        additional_info=given.text("additional-info"),
        log_uri=given.text("log-uri"),
        applications=given.texts("applications") or ("Spark",),
        bootstrap=tuple(
            Script(each.text("name") or "bootstrap", each.text("path", needed=True) or "", each.texts("arguments"))
            for each in given.several("bootstrap")
        ),
        configurations={name: given.map(name, "configurations") for name in given.names("configurations")},
        tags=given.map("tags"),
        idle_seconds=given.number("idle-seconds"),
        more_subnets=given.texts("more-subnets"),
        scaling=given.scaling("scaling"),
        overrides=given.raw("overrides"),
    )
    given.check()
    return cluster


class _Reader:
    """Reads one mapping of the document; what is wrong is gathered in ``problems`` of the whole."""

    def __init__(
        self, document: Document, value: Any, path: tuple[str | int, ...], problems: Problems | None = None
    ) -> None:
        self.document, self.path = document, path
        self.problems = Problems() if problems is None else problems
        self.read: set[str] = set()
        self.value: Mapping[str, Any] = value if isinstance(value, dict) else {}
        self.children: list[_Reader] = []
        if not isinstance(value, dict):
            self.problems.add(f"{document.locate(path)}: there must be keys and values")

    def text(self, key: str, needed: bool = False) -> str | None:
        value = self._of(key, (str, int, float), "a text")
        if value is None and needed:
            self.problems.add(f"{self.document.locate(self.path)}: {key} is missing")
        return None if value is None else str(value)

    def number(self, key: str) -> int | None:
        value = self._of(key, int, "a whole number")
        return None if value is None else int(value)

    def texts(self, key: str) -> tuple[str, ...]:
        return tuple(map(str, self._of(key, list, "a list") or ()))

    def names(self, key: str) -> tuple[str, ...]:
        return tuple(self._of(key, dict, "keys and values") or ())

    def map(self, key: str, *parents: str) -> dict[str, str]:
        value: Any = self.value
        for each in (*parents, key):
            self.read.add(each)
            value = value.get(each) if isinstance(value, dict) else None
        return {str(name): str(inner) for name, inner in value.items()} if isinstance(value, dict) else {}

    def several(self, key: str) -> list[_Reader]:
        value = self._of(key, list, "a list") or ()
        return [self._inside(each, key, index) for index, each in enumerate(value)]

    def instances(self, key: str) -> Instances | None:
        value = self._of(key, dict, "keys and values")
        if value is None:
            return None
        group = self._inside(value, key)
        count, optimized = group.number("count"), group._of("ebs-optimized", bool, "true or false")
        return Instances(
            group.text("type", needed=True) or "",
            1 if count is None else count,
            group.text("bid"),
            tuple(
                Volume(
                    each.number("size-gb") or 0,
                    each.text("type") or "gp3",
                    each.number("iops"),
                    each.number("per-instance") or 1,
                )
                for each in group.several("volumes")
            ),
            optimized,
            group.texts("fallbacks"),
            group.number("spot"),
        )

    def scaling(self, key: str) -> Scaling | None:
        value = self._of(key, dict, "keys and values")
        if value is None:
            return None
        limits = self._inside(value, key)
        minimum, maximum = limits.number("minimum"), limits.number("maximum")
        if minimum is None or maximum is None:
            self.problems.add(f"{self.document.locate((*self.path, key))}: {key} needs minimum and maximum")
        return Scaling(minimum or 1, maximum or 1, limits.number("maximum-core"), limits.number("maximum-on-demand"))

    def raw(self, key: str) -> dict[str, Any]:
        """Keys and values that are not ours to judge."""
        return dict(self._of(key, dict, "keys and values") or {})

    def check(self) -> None:
        """Raises :class:`ConfigError` for everything that is wrong, keys that nobody read included."""
        self._unknown()
        self.problems.check()

    def _unknown(self) -> None:
        for key in self.value:
            if key not in self.read:
                hint = did_you_mean(str(key), self.read)
                self.problems.add(f"{self.document.locate((*self.path, str(key)))}: unknown key {key}{hint}")
        for child in self.children:
            child._unknown()

    def _of(self, key: str, kind: Any, name: str) -> Any:
        self.read.add(key)
        value = self.value.get(key)
        if value is not None and (not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)):
            self.problems.add(f"{self.document.locate((*self.path, key))}: {key} must be {name}")
            return None
        return value

    def _inside(self, value: Any, *path: str | int) -> _Reader:
        child = _Reader(self.document, value, (*self.path, *path), self.problems)
        self.children.append(child)
        return child
