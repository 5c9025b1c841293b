"""What a run costs, by the hour or by what is billed for it."""

from __future__ import annotations

from typing import Any

import pytest

from snowetl.orchestrator.planner import KnownRun, RunRequest, plan_run
from snowetl.orchestrator.prices import Price, Prices, Usage
from snowetl.orchestrator.settings import RunSettings
from snowetl.runs.input_list import Amount

BILLED = Price(vcpu=0.05, gb=0.006)


@pytest.mark.parametrize(
    ("given", "price"),
    [
        ("2.40", Price(hour=2.4)),
        (3, Price(hour=3.0)),
        ("vcpu=0.05,gb=0.006", BILLED),
        (" GB = 6e-3, vCPU = 0.05 ", BILLED),
        ("vcpu=0.05,gb=0.006,storage=0.0001", Price(vcpu=0.05, gb=0.006, storage=0.0001)),
    ],
)
def test_a_price_is_an_amount_or_amounts_by_unit(given: Any, price: Price) -> None:
    assert Prices().parse(given) == price
    assert Prices().parse(price.to_json()) == price
    assert Prices().accept(price) == price


@pytest.mark.parametrize(
    "given", ["-1", "x", True, "vcpu=0.05", "vcpu=1,gb=x", "vcpu=1,vcpu=1,gb=1", "vcpu=-1,gb=1", "inf"]
)
def test_anything_else_is_refused(given: Any) -> None:
    with pytest.raises(ValueError, match="vcpu"):
        Prices().parse(given)


def test_what_is_billed_is_priced() -> None:
    used = Usage(vcpu_hours=10, gb_hours=40, storage_gb_hours=5)
    assert BILLED.of(None, used) == pytest.approx(0.74)
    assert Price(vcpu=0.05, gb=0.006, storage=1.0).of(None, used) == pytest.approx(5.74)
    assert Price(hour=3600.0).of(2.0, used) == 2.0
    assert BILLED.of(2.0, None) is None and Price(hour=1.0).of(None, used) is None


def test_a_plan_tells_the_cost_by_what_earlier_runs_were_billed() -> None:
    settings = RunSettings(
        input_folder=("s3://lake/raw",),
        input_format="thrift",
        output_folder="s3://lake/out",
        iglu_config={},
        database="postgresql://db/x",
        price_per_hour=BILLED,
    )
    request = RunRequest(settings=settings, run="2026-03-05-10-00-00")
    billed = dict.fromkeys(settings.steps, Usage(vcpu_hours=1.0, gb_hours=4.0))
    known = [KnownRun(run="2026-03-05-09-00-00", bytes=100, usage=billed)]
    planned = plan_run(request, Amount(1, 200), None, known)
    assert planned.usage == Usage(vcpu_hours=6.0, gb_hours=24.0)
    assert planned.cost == pytest.approx(6 * 0.05 + 24 * 0.006)
    assert plan_run(request, Amount(1, 200), None, []).cost is None
