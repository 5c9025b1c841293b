"""What a valid event holds is what SQL returns, for wide rows: families of schemas, through the transform, into each
warehouse that loads Parquet.

``python -m tests.properties values`` goes on for ten minutes, with other schemas and values each round.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from snowetl.ddl.names import word
from snowetl.ddl.parquet import Array, DecimalType, Field, FieldType, Struct
from snowetl.ddl.schema import parse
from snowetl.jvm import jsontext
from snowetl.model.schema import SchemaKey
from snowetl.transform.columns import entity_columns
from snowetl.transform.rows import SchemaType
from snowetl.transform.schemas import Schemas
from tests.load.places import loads_parquet, places, start
from tests.load.places.base import Place
from tests.load.runs import ID
from tests.load.transformed import event
from tests.transform import generated
from tests.transform.support import Registry, self_describing
from tests.transform.test_values import WRAPPER, valid_data


class Model:
    """A family of schemas, and the data that were sent: (event id, version, data)."""

    def __init__(self, name: str, documents: Sequence[dict[str, Any]]) -> None:
        self.name = name
        self.documents = documents
        self.sent: list[tuple[str, str, Any]] = []

    def version(self, number: int) -> str:
        return f"iglu:com.acme/{self.name}/jsonschema/1-0-{number}"

    def columns(self) -> list[Any]:
        """The columns of the versions that were sent."""
        registry = Registry({})
        registry.publish("com.acme", self.name, self.documents)
        found = entity_columns({SchemaType(uri, "contexts") for _, uri, _ in self.sent}, Schemas(registry))
        assert isinstance(found, list), found
        return found


@pytest.mark.slow
@pytest.mark.parametrize("name", [*places(loads_parquet), *places(lambda place: place.kind == "databricks", slow=True)])
@settings(
    max_examples=6, deadline=None, database=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
)
@given(batch=st.lists(generated.families(), min_size=5, max_size=25), seed=st.integers(0, 2**32))
def test_generated_schemas(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    batch: list[list[dict[str, Any]]],
    seed: int,
) -> None:
    models = [Model(f"m{number}", documents) for number, documents in enumerate(batch)]
    lines = lines_of(models, Random(seed))
    place = start(name, request, tmp_path_factory.mktemp("values"))
    run = place.make("run", lines, **published(models))
    report = place.load(run)
    good = report.rows
    assert good + bad_rows(Path(run)) == len(lines)
    assert sum(check(place, model) for model in models if model.sent) == good


def lines_of(models: Sequence[Model], random: Random) -> list[str]:
    """Send data of each family: enriched lines, one for each."""
    lines: list[str] = []
    for model in models:
        if any(parse(document) is None for document in model.documents):
            continue
        for uri, data in valid_data(model, random, tries=8):
            model.sent.append((ID.format(len(lines)), uri, data))
            contexts = jsontext.dumps(self_describing(WRAPPER, [self_describing(uri, data)]))
            contexts = contexts.replace("\ud800", r"\ud800").replace("\udc00", r"\udc00")
            lines.append(event(len(lines), contexts=contexts))
    return lines


def published(models: Sequence[Model]) -> dict[str, dict[str, Any]]:
    """Versions of each family, as a registry has them."""
    return {
        model.name: {f"1-0-{number}": document for number, document in enumerate(model.documents)} for model in models
    }


def bad_rows(run: Path) -> int:
    report: Mapping[str, Any] = json.loads((run / "_report.json").read_text())
    return sum(report["badRows"].values())


def check(place: Place, model: Model) -> int:
    """Compare what was sent with what its column returns. Gives the number of events that are there."""
    columns, there = model.columns(), 0
    known = place.columns()
    for column in columns:
        if column.field.name not in known:  # all events of its versions are bad rows
            continue
        rows = dict(place.query(f'SELECT event_id::VARCHAR, "{column.field.name}" FROM events'))
        for event_id, uri, data in model.sent:
            if SchemaKey.parse(uri) in column.keys and event_id in rows:
                there += 1
                [got] = rows[event_id] or [None]  # null itself, where an array holds none
                element = column.field.type.element
                told = f"{uri}\n{json.dumps(model.documents)}\n{data!r} -> {got!r}"
                assert holds(element, data, got, type(place)), told
    return there


def holds(type_: FieldType, value: Any, got: Any, place: type[Place] = Place) -> bool:
    """Whether ``got``, as DuckDB gives it to Python, is ``value`` under the documented rules of a type.

    ``place`` says which nulls it does not hold.
    """
    if type_ == "json":
        return (got is None and value is None) or got == _readable(jsontext.dumps(value))
    if value is None:
        return got is None or (not place.holds_null_composites and isinstance(type_, Struct | Array) and _is_empty(got))
    kind = _KINDS.get(type_ if isinstance(type_, str) else type(type_), object)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind == (int, float)):
        return False  # of another property, whose name became the same
    if isinstance(type_, Struct):
        return set(got) == {word(field.name) for field in type_.fields} and all(
            _member_holds(field, value, got[word(field.name)], place) for field in type_.fields
        )
    if isinstance(type_, Array):
        if not place.holds_nulls_in_arrays and len(value) > len(got):
            value = [one for one in value if one is not None]
        return len(value) == len(got) and all(
            holds(type_.element, one, other, place) for one, other in zip(value, got, strict=True)
        )
    if isinstance(type_, DecimalType):
        return generated.number(value) == got
    if type_ == "timestamp":
        wanted = generated.instant(value) if "T" in value.upper() or " " in value else None
        return wanted is None or _utc(got) == wanted.replace(tzinfo=UTC)
    if type_ == "date":
        return generated.day(value) in (None, got)
    if type_ in ("integer", "long"):
        return generated.number(value) == got
    if type_ == "double":
        return float(generated.number(value)) == got
    if type_ == "string":
        return bool(got == _readable(value))
    return bool(got == value)


_KINDS: dict[Any, Any] = {
    Struct: dict, Array: list, DecimalType: (int, float), "integer": (int, float), "long": (int, float),
    "double": (int, float), "string": str, "timestamp": str, "date": str, "boolean": bool,
}  # fmt: skip
"""JSON values of each type."""


def _is_empty(got: Any) -> bool:
    return all(map(_is_empty, got.values())) if isinstance(got, dict) else got in (None, [])


def _member_holds(field: Field, value: dict[str, Any], got: Any, place: type[Place]) -> bool:
    """Of names that are one column, the first value that its type holds, as the reference has it."""
    found = [value[name] for name in field.accessors if name in value]
    if (not found or len(field.accessors) > 1) and holds(field.type, None, got, place):
        return True
    return any(holds(field.type, one, got, place) for one in found)


def _readable(text: str) -> str:
    """Text as Parquet holds it: without lone surrogates."""
    return text.encode("utf-8", "replace").decode()


def _utc(got: Any) -> datetime | None:
    if not isinstance(got, datetime):
        return None
    return got.replace(tzinfo=UTC) if got.tzinfo is None else got.astimezone(UTC)


def test_holds_tells_one_value_from_another() -> None:
    struct = Struct((Field("n", "long", True), Field("at", "timestamp", True), Field("d", DecimalType(9, 2), True)))
    value = {"n": 1, "at": "2026-01-02T03:04:05+01:00", "d": 1.5}
    got = {"n": 1, "at": datetime(2026, 1, 2, 2, 4, 5), "d": Decimal("1.50")}
    assert holds(struct, value, got)
    for name, other in (("n", 2), ("at", datetime(2026, 1, 2, 3, 4, 5)), ("d", Decimal("1.51")), ("n", None)):
        assert not holds(struct, value, got | {name: other})
