import pytest

from snowetl.model.schema import ParseError, SchemaCriterion, SchemaKey, SchemaVer, self_describing


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("iglu:com.acme/event/jsonschema/1-0", "INVALID_IGLUURI"),
        ("iglu:com.acme/ev.ent/jsonschema/1-0-0", "INVALID_IGLUURI"),
        ("Iglu:com.acme/event/jsonschema/1-0-0", "INVALID_IGLUURI"),
        ("iglu:com.acme/event/jsonschema/1-0-0\n", "INVALID_IGLUURI"),
        ("iglu:com.acme/event/jsonschema/1-01-0", "INVALID_SCHEMAVER"),
        ("iglu:com.acme/event/jsonschema/0-0-0", "INVALID_SCHEMAVER"),
        ("iglu:com.acme/event/jsonschema/99999999999-0-0", "INVALID_SCHEMAVER"),
    ],
)
def test_bad_uris_name_their_code(uri, code):
    with pytest.raises(ParseError) as caught:
        SchemaKey.parse(uri)
    assert caught.value.code == code


def test_keys_round_trip_and_order_numerically():
    key = SchemaKey.parse("iglu:com.acme-x/some_event/jsonschema/2-10-32")
    assert key.uri == "iglu:com.acme-x/some_event/jsonschema/2-10-32"
    assert SchemaVer(1, 0, 9) < SchemaVer(1, 0, 10)


def test_criterion_is_equality_group_by_group():
    key = SchemaKey.parse("iglu:com.acme/event/jsonschema/1-0-1")
    assert SchemaCriterion.parse("iglu:com.acme/event/jsonschema/1-*-1").matches(key)
    assert not SchemaCriterion.parse("iglu:com.acme/event/jsonschema/1-0-0").matches(key)
    with pytest.raises(ValueError, match="not a schema criterion"):
        SchemaCriterion.parse("iglu:com.acme/event/jsonschema/0-*-*")


def test_self_describing_needs_schema_and_data():
    for value in ([], {"schema": "iglu:a/b/c/1-0-0"}, {"data": 1}, {"schema": 1, "data": 1}):
        with pytest.raises(ParseError, match="INVALID_DATA_PAYLOAD"):
            self_describing(value)
