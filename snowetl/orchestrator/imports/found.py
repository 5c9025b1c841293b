"""What was found in the configuration of another program, in terms that none of them owns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NOTHING_TO_DO = "Nothing to do"


@dataclass(frozen=True)
class Volume:
    """Disks of an instance. ``size_gb`` in GiB."""

    size_gb: int
    type: str
    iops: int | None = None
    per_instance: int = 1


@dataclass(frozen=True)
class Instances:
    """A group of instances. ``bid`` in USD an hour as text, where they are bought on the spot market.

    ``fallbacks`` are types to start when the first is not available, ``spot`` is the share of the instances that comes
    from the spot market, in percent (without it: all if there is a ``bid``, else none).
    """

    type: str
    count: int = 1
    bid: str | None = None
    volumes: tuple[Volume, ...] = ()
    ebs_optimized: bool | None = None
    fallbacks: tuple[str, ...] = ()
    spot: int | None = None


@dataclass(frozen=True)
class Scaling:
    """Managed scaling: how many instances there are at least and at most, of these core and on-demand ones."""

    minimum: int
    maximum: int
    maximum_core: int | None = None
    maximum_on_demand: int | None = None


@dataclass(frozen=True)
class Script:
    """A bootstrap action: runs on each node before the first step."""

    name: str
    path: str
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cluster:
    """A cluster of EMR on EC2. ``version`` is a release (``5.29.0``) or that of an AMI (``3.9.0``)."""

    name: str
    version: str
    region: str | None = None
    primary: Instances = field(default_factory=lambda: Instances("m7i.xlarge"))
    core: Instances | None = None
    task: Instances | None = None
    subnet: str | None = None
    zone: str | None = None
    key_name: str | None = None
    service_role: str | None = None
    instance_profile: str | None = None
    security_configuration: str | None = None
    additional_info: str | None = None
    log_uri: str | None = None
    applications: tuple[str, ...] = ("Hadoop", "Spark")
    bootstrap: tuple[Script, ...] = ()
    configurations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Properties by classification, such as ``yarn-site``."""
    tags: Mapping[str, str] = field(default_factory=dict)
    idle_seconds: int | None = None
    """How long the cluster stays without work; ``None``: it ends with its steps."""
    more_subnets: tuple[str, ...] = ()
    """Subnets of other zones, where ``subnet`` has no instances to give."""
    scaling: Scaling | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)
    """What ``RunJobFlow`` is told besides, in its own words."""

    @property
    def release_label(self) -> str | None:
        """The label of a release, ``None`` for an AMI."""
        return None if self.ami_version else f"emr-{self.version.removeprefix('emr-')}"

    @property
    def ami_version(self) -> str | None:
        """The version of an AMI, from before EMR numbered its releases."""
        return self.version if self.version[:1].isdigit() and int(self.version.partition(".")[0]) < 4 else None


@dataclass(frozen=True)
class Carried:
    """A value that was carried, and the key it comes from. ``file``: the value is a document, to be written to a file
    of that name beside ``snowetl.yml``, which names it."""

    value: Any
    origin: str
    file: str | None = None


@dataclass(frozen=True)
class Left:
    """What could not be carried as it was: where it stands, why, and what to do instead."""

    where: str
    why: str
    advice: str

    @property
    def is_settled(self) -> bool:
        """Whether nobody has to do anything about it."""
        return self.advice.startswith(NOTHING_TO_DO)

    def __str__(self) -> str:
        return f"{self.where}: {self.why}. {self.advice}"


@dataclass(frozen=True)
class Found:
    """All that an import gives. ``settings`` are keys of ``snowetl.yml`` for every verb, ``verbs`` those of one verb.

    Texts are in the syntax of ``snowetl.yml``: ``${NAME}`` stands for an environment variable.
    """

    source: str
    settings: Mapping[str, Carried] = field(default_factory=dict)
    verbs: Mapping[str, Mapping[str, Carried]] = field(default_factory=dict)
    cluster: Cluster | None = None
    left: tuple[Left, ...] = ()

    @property
    def to_do(self) -> list[Left]:
        """A thing that the user has to do or to know."""
        return [each for each in self.left if not each.is_settled]

    @property
    def settled(self) -> list[Left]:
        """What has no place here, and needs none."""
        return [each for each in self.left if each.is_settled]
