"""What a run would do, step by step, with the reasons. Pure: settings, an inventory and earlier runs in, a plan out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from snowetl.orchestrator.inventory import Inventory, Some
from snowetl.orchestrator.prices import Price, Prices, Usage
from snowetl.orchestrator.settings import RunSettings
from snowetl.orchestrator.step_names import AFTER, NEEDS, verb_of
from snowetl.reporting.json_form import from_json, to_json
from snowetl.runs.input_list import Amount
from snowetl.settings import Fingerprint, Settings

FORMAT = "snowetl-plan/1"
NEW, WAITS, DONE = "new", "waits", "done"
_RUNS = 3
"""The estimate is the median of so many earlier runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """One step of a run: what it is told, where its output goes, and why it is done or not."""

    name: str
    settings: Settings
    outputs: tuple[str, ...]
    why: str
    done: bool = False
    seconds: float | None = None
    """How long it will take, by earlier runs; ``None`` without any."""
    usage: Usage | None = None
    """What EMR Serverless will bill for it, by earlier runs there."""

    @property
    def verb(self) -> str:
        """What does the step: failed events have steps of their own, done by the same verbs."""
        return verb_of(self.name)

    @property
    def argv(self) -> list[str]:
        """The command line of the step's job, without secrets."""
        return self.settings.to_argv()

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "settings": self.settings.to_json(),
            "outputs": list(self.outputs),
            "why": self.why,
            "done": self.done,
            "seconds": self.seconds,
            **({} if self.usage is None else {"usage": to_json(self.usage)}),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """A run: its name, its input, its steps. ``state`` is ``new``, ``waits`` (begun, not finished) or ``done``."""

    run: str
    state: str
    executor: str
    inputs: Amount
    steps: tuple[PlannedStep, ...]
    inventory: Inventory | None = None
    """What lies in the input. ``None`` for a run whose input was chosen when it was begun."""
    changes: tuple[str, ...] = ()
    """Settings that differ from those of the last run."""
    skipped: tuple[str, ...] = ()
    """Steps that ``--skip`` leaves out."""
    price: Price | None = None
    """What an hour of the run costs, or of what it uses, where the settings tell it."""

    @property
    def seconds(self) -> float | None:
        """How long all that is left will take, by earlier runs; ``None`` where that is not known of every step."""
        left = [step.seconds for step in self.steps if not step.done]
        return sum(each for each in left if each is not None) if left and None not in left else None

    @property
    def usage(self) -> Usage | None:
        """What EMR Serverless will bill for all that is left there; ``None`` where that is not known of every step."""
        left = [step.usage for step in self.for_executor if not step.done]
        return sum((each for each in left if each is not None), Usage()) if left and None not in left else None

    @property
    def cost(self) -> float | None:
        """What that will cost, in the currency of the price."""
        return None if self.price is None else self.price.of(self.seconds, self.usage)

    @property
    def for_executor(self) -> tuple[PlannedStep, ...]:
        """The steps that an executor does; those after the load are done by the process that drives the run."""
        return tuple(step for step in self.steps if step.name not in AFTER)

    def step(self, name: str) -> PlannedStep:
        return next(step for step in self.steps if step.name == name)

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "run": self.run,
            "state": self.state,
            "executor": self.executor,
            "inputs": self.inputs._asdict(),
            "inventory": None if self.inventory is None else asdict(self.inventory),
            "changes": list(self.changes),
            "skipped": list(self.skipped),
            "seconds": self.seconds,
            "pricePerHour": None if self.price is None else self.price.to_json(),
            "cost": self.cost,
            "steps": [step.to_json() for step in self.steps],
        }

    @classmethod
    def from_json(
        cls,
        document: Mapping[str, Any],
        settings_of: Mapping[str, type[Settings]],
        environment: Mapping[str, str] | None = None,
    ) -> RunPlan:
        """The plan that ``to_json`` wrote. ``settings_of`` has the settings class of each step, ``environment`` the
        secrets. Raises ``ConfigError``.
        """
        return cls(
            run=document["run"],
            state=document["state"],
            executor=document["executor"],
            inputs=Amount(**document["inputs"]),
            inventory=None if document["inventory"] is None else _inventory(document["inventory"]),
            changes=tuple(document["changes"]),
            skipped=tuple(document.get("skipped", ())),
            price=None if document.get("pricePerHour") is None else Prices().parse(document["pricePerHour"]),
            steps=tuple(
                PlannedStep(
                    name=step["name"],
                    settings=settings_of[step["name"]].from_mapping(step["settings"], environment),
                    outputs=tuple(step["outputs"]),
                    why=step["why"],
                    done=step["done"],
                    seconds=step["seconds"],
                    usage=None if step.get("usage") is None else from_json(Usage, step["usage"]),
                )
                for step in document["steps"]
            ),
        )


def _inventory(document: Mapping[str, Any]) -> Inventory:
    kinds = {f.name: Some(**document[f.name]) for f in fields(Inventory) if f.name != "runs"}
    return Inventory(**kinds, runs=dict(document["runs"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRun:
    """What the planner knows of an earlier run: its input, the seconds of its steps, what EMR Serverless billed for
    them, its fingerprint."""

    run: str
    bytes: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)
    usage: Mapping[str, Usage] = field(default_factory=dict)
    fingerprint: Fingerprint | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What is asked for: the settings, the run's name, and what is already there of it."""

    settings: RunSettings
    run: str
    state: str = NEW
    done: frozenset[str] = frozenset()
    """Steps whose report is there, made with the same settings."""


def plan_run(
    request: RunRequest,
    inputs: Amount,
    inventory: Inventory | None,
    known: Sequence[KnownRun],
    input_list: str | None = None,
) -> RunPlan:
    """The plan of a run. ``known`` are earlier runs, the last first; ``input_list`` is where its list of files is."""
    settings = request.settings
    last = next((run.fingerprint for run in known if run.fingerprint is not None and run.run != request.run), None)
    changes = () if last is None else tuple(settings.fingerprint().differences(last))
    wanted = (*settings.steps, *settings.after)
    steps = tuple(_step(name, request, inputs, known, input_list) for name in wanted)
    return RunPlan(
        run=request.run,
        state=request.state,
        executor=settings.executor,
        inputs=inputs,
        steps=steps,
        inventory=inventory,
        changes=changes,
        skipped=tuple(name for name in settings.all_steps if name not in wanted),
        price=settings.price_per_hour,
    )


def _step(
    name: str, request: RunRequest, inputs: Amount, known: Sequence[KnownRun], input_list: str | None
) -> PlannedStep:
    done = name in request.done or request.state == DONE
    own, outputs = request.settings.step(name, request.run, input_list)
    return PlannedStep(
        name=name,
        settings=own,
        outputs=outputs,
        why=_why(name, request, done),
        done=done,
        seconds=None if done else _seconds(name, inputs.bytes, known),
        usage=None if done else _usage(name, inputs.bytes, known),
    )


def _why(name: str, request: RunRequest, done: bool) -> str:
    if done:
        return "its report is there, made with these settings"
    if request.state == WAITS:
        return "the run was begun, and this step has no report"
    need = NEEDS.get(name)
    return "there are new files" if need is None else f"follows {need}"


def _seconds(name: str, size: int, known: Sequence[KnownRun]) -> float | None:
    """Seconds of a step for ``size`` bytes of input: the median of what the last runs took for a byte."""
    rates = [run.seconds[name] / run.bytes for run in known if run.bytes and name in run.seconds][:_RUNS]
    return sorted(rates)[len(rates) // 2] * size if rates else None


def _usage(name: str, size: int, known: Sequence[KnownRun]) -> Usage | None:
    """What a step will use for ``size`` bytes of input, as the one of the last runs that was in the middle."""
    rates = [run.usage[name].times(1 / run.bytes) for run in known if run.bytes and name in run.usage][:_RUNS]
    return sorted(rates, key=lambda each: each.vcpu_hours)[len(rates) // 2].times(size) if rates else None
