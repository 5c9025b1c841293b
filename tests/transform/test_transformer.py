from __future__ import annotations

import json

import pytest

from snowetl.errors import RegistryUnavailable
from snowetl.jvm import instants
from snowetl.model.badrow import BadRow
from snowetl.model.schema import SchemaKey
from snowetl.transform.rows import ShreddedRows, WideLine
from snowetl.transform.transformer import SHRED, WIDE_JSON, WIDE_PARQUET, Transformer
from tests.transform.support import ORIGIN, Registry, contexts, line, self_describing

CLICK = "iglu:com.acme/click/jsonschema/1-0-0"
SCHEMAS = {"com.acme/click/1-0-0": {"type": "object", "properties": {"a": {"type": "string"}}}}


def bad(transformer: Transformer, text: str) -> dict[str, object]:
    row = transformer.rows(text)
    assert isinstance(row, BadRow)
    document: dict[str, object] = json.loads(row.to_json())
    return document


def test_a_line_that_is_no_event() -> None:
    row = bad(Transformer(SHRED, Registry({}), ORIGIN), "a\tb")
    assert row == {
        "schema": "iglu:com.snowplowanalytics.snowplow.badrows/loader_parsing_error/jsonschema/2-0-0",
        "data": {
            "processor": {"artifact": "test", "version": "1.2.3"},
            "failure": {"type": "FieldNumberMismatch", "fieldCount": 2},
            "payload": "a\tb",
        },
    }


def test_an_event_with_an_unknown_schema_is_one_bad_row() -> None:
    text = line(contexts=contexts(self_describing(CLICK, {}), self_describing("iglu:a/b/jsonschema/1-0-0", {})))
    row = bad(Transformer(SHRED, Registry(SCHEMAS), ORIGIN), text)
    assert row["schema"] == "iglu:com.snowplowanalytics.snowplow.badrows/loader_iglu_error/jsonschema/2-0-0"
    assert isinstance(row["data"], dict)
    assert [failure["schemaCriterion"] for failure in row["data"]["failure"]] == ["iglu:a/b/jsonschema/1-*-*"]
    assert row["data"]["payload"]["contexts"]["data"][0] == {"schema": CLICK, "data": {}}


def test_wide_json_asks_no_registry() -> None:
    registry = Registry({})
    rows = Transformer(WIDE_JSON, registry, ORIGIN).rows(line(contexts=contexts(self_describing(CLICK, {"a": 1}))))
    assert not isinstance(rows, BadRow)
    assert registry.asked == []
    assert isinstance(rows, WideLine)
    assert json.loads(rows.line)["contexts_com_acme_click_1"] == [{"a": 1}]
    assert [(type_.uri, type_.column, type_.entity) for type_ in rows.types] == [(CLICK, "contexts", "CONTEXT")]


def test_events_before_the_minimum_timestamp() -> None:
    minimum = instants.parse("2021-10-14T00:00:00")
    transformer = Transformer(SHRED, Registry({}), ORIGIN, minimum_timestamp=minimum)
    row = bad(transformer, line(etl_tstamp="2020-01-01 00:00:00.000", true_tstamp="2021-10-14 00:00:00.000"))
    assert row["schema"] == "iglu:com.snowplowanalytics.snowplow.badrows/generic_error/jsonschema/1-0-0"
    assert isinstance(row["data"], dict)
    assert row["data"]["failure"] == {
        "timestamp": "2023-11-14T22:13:20Z",
        "errors": ["Timestamp 2020-01-01T00:00:00Z is before than minimum timestamp, at column etl_tstamp"],
    }
    assert json.loads(row["data"]["payload"])["etl_tstamp"] == "2020-01-01T00:00:00Z"


class Broken(Registry):
    """A registry that fails in some way."""

    def __init__(self, error: Exception) -> None:
        super().__init__({})
        self._error = error

    def schema_list(self, vendor: str, name: str, model: int) -> list[SchemaKey]:
        raise self._error


def test_a_bug_makes_one_bad_row() -> None:
    transformer = Transformer(SHRED, Broken(ZeroDivisionError("oops")), ORIGIN)
    row = bad(transformer, line(contexts=contexts(self_describing(CLICK, {}))))
    assert isinstance(row["data"], dict)
    assert row["data"]["failure"]["errors"] == ["ZeroDivisionError: oops"]


def test_a_registry_that_is_down_stops_the_job() -> None:
    transformer = Transformer(SHRED, Broken(RegistryUnavailable("down")), ORIGIN)
    with pytest.raises(RegistryUnavailable):
        transformer.rows(line(contexts=contexts(self_describing(CLICK, {}))))


@pytest.mark.parametrize("kind", [SHRED, WIDE_JSON, WIDE_PARQUET])
def test_deep_json_is_a_bad_row_whatever_the_kind(kind: str) -> None:
    deep = contexts(self_describing(CLICK, 0)).replace('"data":0', '"data":' + "[" * 100_000 + "]" * 100_000)
    row = bad(Transformer(kind, Registry(SCHEMAS), ORIGIN), line(contexts=deep))
    assert "nested deeper than" in json.dumps(row)


def test_strings_are_cut_before_they_are_written() -> None:
    transformer = Transformer(SHRED, Registry({}), ORIGIN, max_lengths={"app_id": 3})
    rows = transformer.rows(line(app_id="abcdef"))
    assert not isinstance(rows, BadRow)
    assert isinstance(rows, ShreddedRows)
    assert rows.rows[0].text.startswith("abc\t")
