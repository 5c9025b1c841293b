"""What a valid event holds is what SQL returns, for wide rows in JSON: families of schemas, through the transform, into
each warehouse that loads them.

``python -m tests.properties values`` goes on for ten minutes, with other schemas and values each round.
"""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from snowetl.transform.eventjson import column_name
from tests.load.places import loads_wide_json, places, start
from tests.load.places.base import Place
from tests.load.places.postgres import InPostgres
from tests.load.test_wide_values import Model, lines_of, published
from tests.load.transformed import RUN
from tests.transform import generated


@pytest.fixture(params=places(loads_wide_json))
def place(request: pytest.FixtureRequest) -> InPostgres:
    found = start(request.param, request)
    assert isinstance(found, InPostgres)
    return found


@pytest.mark.slow
@settings(
    max_examples=6, deadline=None, database=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
)
@given(batch=st.lists(generated.families(), min_size=5, max_size=25), seed=st.integers(0, 2**32))
def test_generated_schemas(
    place: InPostgres, tmp_path_factory: pytest.TempPathFactory, batch: list[list[dict[str, Any]]], seed: int
) -> None:
    models = [Model(f"m{number}", documents) for number, documents in enumerate(batch)]
    lines = lines_of(models, Random(seed))
    place.folder = tmp_path_factory.mktemp("values")
    place.execute("DROP SCHEMA IF EXISTS atomic CASCADE")  # of the round before
    run = place.make("run", lines, RUN, False, **published(models))
    place.load(run)
    [(rejected,)] = place.query("SELECT count(*) FROM rejected_rows")
    assert sum(check(place, model) for model in models if model.sent) + rejected == len(lines)


def check(place: Place, model: Model) -> int:
    """Compare what was sent with what its column returns. Gives the number of events that are there."""
    there = 0
    column = column_name("contexts_", model.version(0))
    rows = dict(place.query(f"SELECT event_id::text, {column}::text FROM events WHERE {column} IS NOT NULL"))
    for event_id, uri, data in model.sent:
        told = f"{uri}\n{json.dumps(model.documents)}\n{data!r} -> {rows.get(event_id)!r}"
        if event_id not in rows:
            assert place.kind == "snowflake" and generated.may_be_refused("JSONB", data), told  # by its stand-in alone
            continue
        there += 1
        got = generated.read_json(rows[event_id])
        if isinstance(got, str):  # of numbers that jsonb does not hold
            assert place.kind == "postgres" and generated.may_be_refused("JSONB", data), told
            got = generated.read_json(got)
        assert len(got) == 1 and generated.same_json(data, got[0]), told
    return there
