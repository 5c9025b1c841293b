from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowetl.jvm import instants
from snowetl.model.fields import FIELDS, INDEX, NAMES
from snowetl.transform import event as events
from snowetl.transform.entity import SCHEMAS_ONLY, ParsedEntity
from snowetl.transform.event import Event
from snowetl.transform.met import Period
from tests.examples import examples
from tests.transform.support import contexts, line, parsed, self_describing, unstruct

PAGE = self_describing("iglu:com.acme/page/jsonschema/1-0-0", {"id": "a"})


def errors(text: str) -> list[tuple[str, str]]:
    failure = events.parse(text)
    assert isinstance(failure, dict)
    return [(error["key"], error["message"]) for error in failure["errors"]]


@pytest.mark.parametrize("text", ["", "x", '{"a":1}', "a,b,c"])
def test_a_line_without_tabs_is_no_tsv(text: str) -> None:
    assert events.parse(text) == {"type": "NotTSV"}


@pytest.mark.parametrize(("text", "count"), [("\t", 2), ("\t" * 129, 130), ("\t" * 131, 132), (line() + "\tx", 132)])
def test_a_wrong_number_of_columns(text: str, count: int) -> None:
    assert events.parse(text) == {"type": "FieldNumberMismatch", "fieldCount": count}


def test_columns_are_normalised() -> None:
    event = parsed(
        line(
            collector_tstamp="2021-10-13 20:21:47.595999",
            event_id="C6EF3124-B53A-4B13-A233-0088F79DCBCB",
            txn_id="007",
            geo_latitude="37",
            br_cookies="1",
            page_title="\\N",
        )
    )
    assert event["collector_tstamp"] == "2021-10-13 20:21:47.595"
    assert event.iso(INDEX["collector_tstamp"]) == "2021-10-13T20:21:47.595999Z"
    assert event["event_id"] == "c6ef3124-b53a-4b13-a233-0088f79dcbcb"
    assert (event["txn_id"], event["geo_latitude"], event["br_cookies"], event["page_title"]) == (
        "7",
        "37.0",
        "1",
        "\\N",
    )
    assert event["app_id"] is None


def test_doubles_that_are_not_finite_are_null() -> None:
    event = parsed(line(geo_latitude="NaN", se_value="1e999"))
    assert event["geo_latitude"] is None
    assert event["se_value"] is None


def test_all_errors_are_told_in_column_order() -> None:
    text = line(collector_tstamp="", event_id="nope", txn_id="x1", v_etl="", br_cookies="yes", true_tstamp="soon")
    assert errors(text) == [
        ("collector_tstamp", "Field collector_tstamp cannot be empty"),
        ("event_id", "Cannot parse key event_id into UUID"),
        ("txn_id", "Cannot parse key txn_id into integer"),
        ("v_etl", "Field v_etl cannot be empty"),
        ("br_cookies", "Cannot parse key br_cookies into boolean"),
        ("true_tstamp", "Cannot parse key true_tstamp into datetime"),
    ]


def test_an_error_shows_the_column_as_it_came() -> None:
    failure = events.parse(line(geo_latitude="37", txn_id="x"))
    assert isinstance(failure, dict)
    assert failure["errors"][0]["value"] == "x"


def test_entities_in_the_order_of_shredding() -> None:
    named = [self_describing(f"iglu:com.acme/{name}/jsonschema/1-0-0", {}) for name in ("u", "c1", "c2", "d")]
    event = parsed(
        line(unstruct_event=unstruct(named[0]), contexts=contexts(*named[1:3]), derived_contexts=contexts(named[3]))
    )
    assert [entity.key.name for entity in event.entities()] == ["u", "d", "c1", "c2"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("&&&", "ParsingFailure: expected json value got '&&&' (line 1, column 1)"),
        ("{", "ParsingFailure: exhausted input"),
        ("null", "DecodingFailure at : Got value 'null' with wrong type, expecting object"),
        ("{}", "DecodingFailure at : schema key is not available"),
        ('{"schema":1,"data":[]}', "DecodingFailure at : Got value '1' with wrong type, expecting string"),
        (
            '{"schema":"iglu:a/b","data":[]}',
            "DecodingFailure at : Invalid Iglu URI: iglu:a/b, code: INVALID_IGLUURI",
        ),
        (
            '{"schema":"iglu:a/b/jsonschema/1--0","data":[]}',
            "DecodingFailure at : Invalid schema version: iglu:a/b/jsonschema/1--0, code: INVALID_SCHEMAVER",
        ),
        ('{"schema":"iglu:a/b/jsonschema/1-0-0"}', "DecodingFailure at : data key is not available"),
        ('{"schema":"iglu:a/b/jsonschema/1-0-0","data":[]}', "Unknown payload: iglu:a/b/jsonschema/1-0-0"),
        (contexts().replace("1-0-1", "2-0-0"), None),
        (contexts().replace("[]", "{}"), "DecodingFailure at : Got value '{}' with wrong type, expecting array"),
        (contexts(PAGE, {}), "DecodingFailure at [1]: schema key is not available"),
        (contexts(PAGE, []), "DecodingFailure at [1]: Got value '[]' with wrong type, expecting object"),
        (
            contexts({"schema": "x", "data": 1}),
            "DecodingFailure at [0]: Invalid Iglu URI: x, code: INVALID_IGLUURI",
        ),
        (contexts({"schema": PAGE["schema"]}), "DecodingFailure at [0]: data key is not available"),
        (
            contexts({"schema": None, "data": 1}),
            "DecodingFailure at : Got value 'null' with wrong type, expecting string",
        ),
    ],
)
def test_what_is_wrong_with_contexts(text: str, message: str | None) -> None:
    if message is None:
        message = "Unknown payload: iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/2-0-0"
    assert errors(line(contexts=text)) == [("contexts", message)]
    assert errors(line(derived_contexts=text)) == [("derived_contexts", message)]


def test_an_unstruct_event_is_one_self_describing_json() -> None:
    assert parsed(line(unstruct_event=unstruct(PAGE))).unstruct_event == ParsedEntity(PAGE["schema"], {"id": "a"})
    assert errors(line(unstruct_event=unstruct([PAGE])))[0][1].endswith("with wrong type, expecting object")
    assert errors(line(unstruct_event=contexts(PAGE)))[0][1].startswith("Unknown payload: iglu:com.snowplow")


def test_text_without_escapes_is_plain() -> None:
    assert parsed(line(contexts=contexts(PAGE))).plain
    assert not parsed(line(contexts=contexts(PAGE | {"data": {"id": "a\tb"}}))).plain


def test_strings_are_cut_to_utf16_units() -> None:
    lengths = {INDEX["page_title"]: 3, INDEX["app_id"]: 4, INDEX["event_id"]: 2}
    event = events.parse(line(page_title="a😀b", app_id="abcd"), lengths)
    assert isinstance(event, Event)
    assert event["page_title"] == "a😀"
    assert event["app_id"] == "abcd"
    assert len(event.event_id) == 36


def test_a_field_of_ten_megabytes() -> None:
    big = "x" * 10_000_000
    assert parsed(line(page_title=big))["page_title"] == big
    assert errors(line(txn_id="9" * 10_000_000)) == [("txn_id", "Cannot parse key txn_id into integer")]
    assert parsed(line(se_value="9" * 1_000_000))["se_value"] is None
    assert errors(line(contexts=contexts({"schema": f"iglu:{big}/a/jsonschema/1-0-0", "data": 1})))


def test_nul_bytes_in_text_stay_in_numbers_do_not() -> None:
    assert parsed(line(page_title="a\x00b"))["page_title"] == "a\x00b"
    assert errors(line(doc_width="5\x00"))


@examples(2)
@given(st.lists(st.text(st.characters(exclude_characters="\t\n"), max_size=8), min_size=131, max_size=131))
def test_any_columns_give_an_event_or_errors(values: list[str]) -> None:
    found = events.parse("\t".join(values))
    if isinstance(found, dict):
        assert {error["key"] for error in found["errors"]} <= set(NAMES)
    else:
        assert len(found.columns) == len(FIELDS)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_any_json_in_contexts_is_entities_or_an_error(value: object) -> None:
    text = json.dumps(value)
    found = events.parse(line(contexts=text))
    assert isinstance(found, (dict, Event))


# --- ordinary lines, and a look at keys and schemas only ------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "ordinary", "other"),
    [
        ("geo_latitude", "-74.006", "-74.0060"),
        ("se_value", "3.14159", "3.140"),
        ("tr_total", "12.05", "12.005"),
        ("txn_id", "7", "007"),
        ("br_cookies", "1", "true"),
        ("app_id", "a" * 255, "a" * 256),
        ("dvce_sent_tstamp", "2021-10-14 10:23:45.678", "2021-10-14T10:23:45.678Z"),
    ],
)
def test_what_is_ordinary(column: str, ordinary: str, other: str) -> None:
    assert events.Event(line(**{column: ordinary})).ordinary
    assert not events.Event(line(**{column: other})).ordinary


def test_an_ordinary_line_gives_what_its_columns_do() -> None:
    text = line(app_id="ü", contexts=contexts(PAGE), unstruct_event=unstruct(PAGE), br_cookies="0", tr_total="1.5")
    unsplit, split = parsed(text), parsed(text)
    row = [cell for cell, field in zip(split.columns, FIELDS, strict=True) if field.type != "json"]
    assert unsplit.row() == split.row() == "\t".join(row)
    assert [unsplit.text(index) for index in range(len(FIELDS))] == split.columns
    unsplit.event_id = "00000000-0000-0000-0000-000000000000"
    assert unsplit.row().split("\t")[INDEX["event_id"]] == unsplit.event_id
    assert unsplit.root() == f"{unsplit.event_id}\t2021-10-14 10:23:45.678"


_PIECES = st.sampled_from(['{"a":', "}", "[", "]", ",", "1", "-0", "0.50", "1e5", "01", '"', "\\", "\\ud800", "é", " "])


@given(st.lists(_PIECES, max_size=6).map("".join), st.booleans())
def test_a_look_at_schemas_finds_the_same_events(data: str, alone: bool) -> None:
    uri = "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-0"
    entity = f'{{"schema":"iglu:com.acme/page/jsonschema/1-0-0","data":{data}}}'
    text = line(contexts=f'{{"schema":"{uri}","data":[{entity}]}}' if alone else entity)
    whole, looked_at = events.parse(text), events.parse(text, readers=SCHEMAS_ONLY)
    if isinstance(whole, Event) and isinstance(looked_at, Event):
        assert [entity.uri for entity in looked_at.contexts] == [entity.uri for entity in whole.contexts]
    else:
        assert looked_at == whole


def test_the_period_of_events() -> None:
    period = Period()
    assert (period.first, period.last) == (None, None)
    for time in ("2021-10-14 10:23:45.678", "2020-01-01 00:00:00.000", "2021-10-14 10:23:45.6789"):
        period.add(parsed(line(collector_tstamp=time)))
    assert period.first == instants.parse("2020-01-01 00:00:00.000")
    assert period.last == instants.parse("2021-10-14 10:23:45.6789")
