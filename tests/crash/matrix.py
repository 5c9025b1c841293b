"""One crash: chosen by a seed, carried out, and judged."""

from __future__ import annotations

import json
import os
import random
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.crash import powercut
from tests.crash.proxy import s3_with_faults
from tests.crash.snapshot import differences
from tests.crash.stage import LOADING, Stage
from tests.crash.victim import Victim, end_all, processes_of, workers_left

HOWS = ("kill", "term", "orphan", "powercut")
"""``kill``: SIGKILL of the whole process group. ``term``: SIGTERM of the verb, which undoes what it has begun.
``orphan``: SIGKILL of the verb's own process only, as the OOM killer does. ``powercut``: SIGKILL of everything, the
database server too, and local disks forget what was not synced (``powercut.py``).
"""
STORAGES = ("local", "s3")
_AGAIN = 0.25
"""How often the verb that goes on is killed, too."""
_TRIES = 3
_SECONDS_TO_LEAVE = 20.0
_ENDS = {0, 3}
"""Exit codes of a verb that has done what there is to do."""
_AFTER_TERM = {130, -signal.SIGTERM, *_ENDS}
"""SIGTERM before the verb has begun ends it as it ends every process."""
_MARK = f"crash-test-{os.getpid()}"


@dataclass(frozen=True, slots=True)
class Case:
    """What crashes and how; the moment follows from ``seed`` unless it is given.

    A moment is ``op:N`` (before the N-th operation on local files), ``request:N:before`` or ``:after`` (at the N-th
    request that changes something on S3, before it is done or before it is answered), ``copy:N`` (the N-th time that
    COPY is seen), or ``time:PHASE+SECONDS``.
    """

    step: str
    master: str
    storage: str
    how: str
    seed: int
    moment: str | None = None
    warehouse: str = "postgres"

    def command(self, moment: str) -> str:
        """What repeats it."""
        return (
            f"python -m tests.crash --step {self.step} --warehouse {self.warehouse} --master '{self.master}' "
            f"--storage {self.storage} --how {self.how} --seed {self.seed} --moment {moment} --runs 1"
        )


@dataclass(slots=True)
class Outcome:
    case: Case
    moments: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    """What is wrong; empty where all is well."""


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """A run that nobody kills, against which others are held."""

    snapshot: dict[str, Any]
    phases: dict[str, float]
    operations: int
    changes: int
    """Requests that change something on S3."""


class Matrix:
    """Crashes on one stage, one after the other."""

    def __init__(self, stage: Stage, rate: float = 0.0) -> None:
        self.stage = stage
        self._rate = rate
        self._undisturbed: dict[tuple[str, str, int], Undisturbed] = {}

    def run(self, case: Case) -> Outcome:
        """Kill, go on until it is done, compare."""
        dice = random.Random(f"{case.step} {case.master} {case.storage} {case.how} {case.seed}")
        workers = dice.choice((1, 2)) if case.master == "none" else 0
        expected = self.undisturbed(case.step, case.master, workers)
        outcome = Outcome(case)
        with_warehouse = case.step == "load" or dice.random() < 0.7
        self._prepare(case.step, with_warehouse, case.seed)
        powercut.note_what_is_there(self.stage.place, self.stage.journal)
        try:
            moment = case.moment or _moment(case, expected, dice)
            self._crash(case, workers, moment, dice, outcome)
            if dice.random() < _AGAIN:
                self._crash(case, workers, _moment(case, expected, dice), dice, outcome)
            self._go_on(case, workers, outcome)
            if not outcome.faults:
                outcome.faults += differences(expected.snapshot, self.stage.snapshot(case.step))
                outcome.faults += [f"still running: {process}" for process in processes_of(_MARK)]
        finally:
            end_all(_MARK)
        return outcome

    def undisturbed(self, step: str, master: str, workers: int) -> Undisturbed:
        """The same step, not killed. Every other way to run it has to give the same bytes and rows."""
        if not self._undisturbed and step != "run":
            self.undisturbed("run", "none", 1)  # what the steps find done
        key = (step, master, workers)
        if key not in self._undisturbed:
            self._prepare(step, step == "load", seed=0, rate=0.0)
            try:
                victim = self._start(step, master, workers)
                code = victim.wait()
            except BaseException:
                end_all(_MARK)
                raise
            assert code == 0, f"undisturbed, {step} ends with {code}: {victim.told}"
            if not self._undisturbed:
                self.stage.keep()
            found = Undisturbed(self.stage.snapshot(step), victim.phases(), self._operations(), self._changes())
            end_all(_MARK)
            for (other, *_), known in self._undisturbed.items():
                told = differences(known.snapshot, found.snapshot) if other == step else []
                assert not told, f"{key} gives something else than {other}: {told[:20]}"
            self._undisturbed[key] = found
        return self._undisturbed[key]

    def _prepare(self, step: str, with_warehouse: bool, seed: int, rate: float | None = None) -> None:
        self.stage.prepare(step, with_warehouse)
        if self.stage.proxy:
            self.stage.proxy.reset(seed)
            self.stage.proxy.rate = self._rate if rate is None else rate

    def _start(self, step: str, master: str, workers: int, **env: str) -> Victim:
        arguments = self.stage.arguments(step, master, workers)
        return Victim(arguments, self.stage.place, _MARK, self.stage.environment() | env)

    def _crash(self, case: Case, workers: int, moment: str, dice: random.Random, outcome: Outcome) -> None:
        kind, _, rest = moment.partition(":")
        env = {"SNOWETL_CRASH_AT": rest, "SNOWETL_CRASH_HOW": case.how} if kind == "op" else {}
        with ExitStack() as stack:
            shoot = stack.enter_context(self._at_request(case.how, rest)) if kind == "request" else None
            victim = self._start(case.step, case.master, workers, **env)
            if shoot is not None:
                shoot.append(victim)
            if kind == "time":
                phase, _, seconds = rest.partition("+")
                victim.shoot_in(case.how, phase, float(seconds))
            elif kind == "copy":
                victim.shoot_in_copy(case.how, int(rest))
            code = victim.wait()
        outcome.moments.append(f"{moment} -> exit {code}")
        left = workers_left(_MARK, _SECONDS_TO_LEAVE)
        if left:
            outcome.faults.append(f"at work {_SECONDS_TO_LEAVE} s after {case.how} at {moment}: {left}")
        if case.how == "term":
            outcome.faults += self._after_term(code, moment, victim)
        if case.how == "powercut" and code not in _ENDS:
            end_all(_MARK)
            outcome.lost += powercut.cut(self.stage.place, self.stage.journal, dice)

    def _after_term(self, code: int, moment: str, victim: Victim) -> list[str]:
        """A verb that is told to end leaves nothing half done."""
        told = [] if code in _AFTER_TERM else [f"exit code {code} after SIGTERM at {moment}: {victim.told}"]
        left = [*self.stage.temporary(), *self.stage.uploads(), *self.stage.hidden()]
        return told + [f"after SIGTERM at {moment} there is {name}" for name in left]

    @contextmanager
    def _at_request(self, how: str, rest: str) -> Iterator[list[Victim]]:
        assert self.stage.proxy is not None
        number, _, when = rest.partition(":")
        victims: list[Victim] = []

        def at(request: int, moment: str) -> None:
            if request == wanted and moment == when and victims:
                victims[0].shoot(how, f"request {number} {when}")

        wanted = self.stage.proxy.changes + int(number)
        self.stage.proxy.at = at
        try:
            yield victims
        finally:
            self.stage.proxy.at = lambda number, when: None

    def _go_on(self, case: Case, workers: int, outcome: Outcome) -> None:
        """Run the verb again until it is done. Where storage fails at random it may take more than one try."""
        for _ in range(_TRIES if self._rate else 1):
            victim = self._start(case.step, case.master, workers)
            code = victim.wait()
            if code in _ENDS:
                return
        outcome.faults.append(f"run again, it ends with {code}: {victim.told}")

    def _operations(self) -> int:
        lines = (json.loads(line) for line in self.stage.journal.read_text().splitlines())
        return max((what[1] for what in lines if what[0] == "operation"), default=0)

    def _changes(self) -> int:
        return self.stage.proxy.changes if self.stage.proxy else 0


def _moment(case: Case, expected: Undisturbed, dice: random.Random) -> str:
    phase = dice.choice(list(expected.phases))
    moments = [f"time:{phase}+{dice.uniform(0, expected.phases[phase]):.3f}"]
    if expected.operations:
        moments += [f"op:{dice.randint(1, expected.operations)}"] * 2
    if expected.changes:
        moments += [f"request:{dice.randint(1, expected.changes)}:{dice.choice(('before', 'after'))}"] * 3
    if case.step in LOADING and case.warehouse == "postgres":
        moments += [f"copy:{dice.randint(1, 12)}"] * (2 if case.step == "load" else 1)
    return dice.choice(moments)


@contextmanager
def matrix(folder: Path, storage: str, rate: float, warehouse: str = "postgres") -> Iterator[Matrix]:
    """A stage of this storage in ``folder``, before a warehouse. ``rate`` of the requests to S3 fail."""
    if storage == "local":
        yield Matrix(Stage(folder, kind=warehouse))
        return
    import boto3

    with s3_with_faults(rate) as (proxy, (host, port)):
        client = boto3.client(
            "s3",
            endpoint_url=f"http://{host}:{port}",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            region_name="us-east-1",
        )
        yield Matrix(Stage(folder, (proxy, client), warehouse), rate)
