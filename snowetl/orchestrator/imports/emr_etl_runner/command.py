"""Reads the command line that cron has: where the files are, what is skipped, which lock is taken."""

from __future__ import annotations

import argparse
import shlex
from dataclasses import dataclass, field, replace
from typing import NoReturn

from snowetl.errors import ConfigError
from snowetl.orchestrator.imports.emr_etl_runner.options import RunOptions, duration
from snowetl.orchestrator.imports.found import Found, Left


@dataclass(frozen=True)
class Command:
    """``snowplow-emr-etl-runner run …``, taken apart. ``idle_seconds``: how long a persistent cluster stays."""

    config: str | None = None
    resolver: str | None = None
    enrichments: str | None = None
    targets: str | None = None
    debug: bool = False
    options: RunOptions = field(default_factory=RunOptions)
    persistent: bool = False
    idle_seconds: int = 0
    left: tuple[Left, ...] = ()


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"the old command line cannot be read: {message}")


def parse(text: str) -> Command:
    """The command in ``text``; what stands before it (a time of cron, variables) is passed over.

    Raises :class:`ConfigError`.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ConfigError(f"the old command line cannot be read: {error}") from None
    if "run" in words:
        words = words[words.index("run") + 1 :]
    given, _ = _parser().parse_known_args(_of_one_command(words))
    left = []
    if given.lock or given.consul:
        left.append(
            Left(
                f"--lock {given.lock or ''}".strip(),
                "each run holds a lease beside its output, which ends with its process",
                "Leave the lock out; a second run that comes too early ends with exit code 17",
            )
        )
    return Command(
        config=given.config,
        resolver=given.resolver,
        enrichments=given.enrichments,
        targets=given.targets,
        debug=given.debug,
        options=RunOptions(_list(given.skip), given.resume_from, _list(given.include)),
        persistent=given.use_persistent_jobflow,
        idle_seconds=duration(given.persistent_jobflow_duration),
        left=tuple(left),
    )


def _of_one_command(words: list[str]) -> list[str]:
    """Words up to a pipe, a redirection or another command."""
    ends = [
        at for at, word in enumerate(words) if word in ("|", "||", "&&", ";", "&") or word.lstrip("12&").startswith(">")
    ]
    return words[: min(ends, default=len(words))]


def _list(text: str | None) -> tuple[str, ...]:
    return tuple(part for part in (text or "").split(",") if part)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(add_help=False, allow_abbrev=False)
    for short, long in (("-c", "config"), ("-r", "resolver"), ("-n", "enrichments"), ("-t", "targets"),
                        ("-f", "resume-from"), ("-x", "skip"), ("-i", "include"), ("-l", "lock")):  # fmt: skip
        parser.add_argument(short, f"--{long}")
    parser.add_argument("--consul")
    parser.add_argument("--persistent-jobflow-duration", default="0m")
    for flag in ("--debug", "--ignore-lock-on-start", "--use-persistent-jobflow"):
        parser.add_argument(*(("-d", flag) if flag == "--debug" else (flag,)), action="store_true")
    return parser


def with_stream(options: RunOptions, stream: bool) -> RunOptions:
    """``options`` of a run that takes what Stream Enrich wrote, or not: the configuration says which."""
    return replace(options, stream=stream)


def added(found: Found, command: Command) -> Found:
    """What a command line adds to its configuration."""
    cluster = found.cluster
    if cluster is not None and command.persistent:
        cluster = replace(cluster, idle_seconds=command.idle_seconds or None)
    return replace(found, cluster=cluster, left=(*found.left, *command.left))
