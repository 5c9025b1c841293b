import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowetl.jvm import jsontext
from snowetl.jvm.json_number import JsonNumber
from snowetl.jvm.jsontext import JsonError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_compact_json_survives_unchanged(value):
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    assert json.loads(jsontext.loads_compact(text)[1]) == json.loads(text)
    assert jsontext.dumps(jsontext.loads(jsontext.dumps(jsontext.loads(text)))) == jsontext.dumps(jsontext.loads(text))


@pytest.mark.parametrize("number", ["1.00", "1E5", "-0", "1e999", "123456789012345678901234567890", "0.10", "-0.0"])
def test_number_text_is_kept(number):
    assert jsontext.dumps(jsontext.loads(f"[{number}]")) == f"[{number}]"
    assert jsontext.loads_compact(f'{{"a": {number}}}')[1] == f'{{"a":{number}}}'
    assert jsontext.dumps(jsontext.loads_exact(f"[{number}]")) == f"[{number}]"


def test_a_number_with_more_digits_than_python_prints_is_kept():
    text = "[" + "9" * 6000 + "]"
    assert jsontext.dumps(jsontext.loads(text)) == text


def test_json_numbers_compare_as_floats():
    assert JsonNumber("1.00") == 1.0


def test_controls_are_escaped_and_the_rest_is_not():
    text = '"\\u007f\\u0085\\/\\u00e9\\u2028\\n"'
    assert jsontext.loads_compact(text)[1] == '"\\u007f\\u0085/é\u2028\\n"'


def test_duplicate_keys_keep_first_place_and_last_value():
    assert jsontext.loads_compact('{"a":1,"b":2,"a":3}')[1] == '{"a":3,"b":2}'


def test_lone_surrogates_are_values_and_pairs_are_one_character():
    assert jsontext.loads('"\\ud83d\\ude00"') == "😀"
    assert jsontext.loads('"\\ud83d"') == "\ud83d"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "exhausted input"),
        ("nul", "exhausted input"),
        ("{", "exhausted input"),
        ('{"a"::2}', "expected json value got ':2}' (line 1, column 6)"),
        ('{"something:"some"}', "expected : got 'some\"}' (line 1, column 14)"),
        ("[1 2]", "expected ] or , got '2]' (line 1, column 4)"),
        ("foo", "expected false got 'foo' (line 1, column 1)"),
        ("1.x", "expected digit got '1.x' (line 1, column 1)"),
        ("1.2.3", "expected whitespace or eof got '.3' (line 1, column 4)"),
        ("[1e2.3]", "expected ] or , got '.3]' (line 1, column 5)"),
        ('"\\u1*é2"', "expected valid unicode escape got '1*é2\"' (line 1, column 4)"),
        ('"\\u1é*2"', "exhausted input"),
        ('"\\u1*"', "exhausted input"),
        ('"\\😀"', "illegal escape sequence (\\\ud83d) got '\\...' (line 1, column 2)"),
        ('"a\\xb"', "illegal escape sequence (\\x) got '\\...' (line 1, column 3)"),
        ("{}\n{}", "expected whitespace or eof got '{}' (line 2, column 1)"),
    ],
)
def test_errors_read_as_the_reference_words_them(text, message):
    with pytest.raises(JsonError) as caught:
        jsontext.loads(text)
    assert str(caught.value) == message


def test_deep_nesting_is_an_error_not_a_crash():
    with pytest.raises(JsonError, match="nested deeper"):
        jsontext.loads("[" * 100_000)


SPELLINGS = {
    "compact": lambda levels: "[" * levels + "]" * levels,
    "blanks": lambda levels: "[ " * levels + "]" * levels,
    "objects": lambda levels: '{"a":' * (levels - 1) + "{}" + "}" * (levels - 1),
    "decimals": lambda levels: "[" * levels + "1.50" + "]" * levels,
    "escapes": lambda levels: "[" * levels + '"\\u00e9\\ud83d"' + "]" * levels,
    "mixed": lambda levels: '[{"k":1,"a":' * (levels // 2) + "null" + "}, -0]" * (levels // 2),
}
READERS = {
    "loads": jsontext.loads,
    "loads_exact": jsontext.loads_exact,
    "loads_compact": lambda text: jsontext.loads_compact(text)[0],
}


def from_deep_in_the_stack(work, frames=700):
    return work() if frames == 0 else from_deep_in_the_stack(work, frames - 1)


@pytest.mark.slow
@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("limit", [1000, 50_000])
def test_F2_one_limit_for_every_caller_and_spelling(spelling, reader, limit):
    read, text = READERS[reader], SPELLINGS[spelling]
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(limit)
    try:
        for call in (lambda work: work(), from_deep_in_the_stack):
            printed = call(lambda: jsontext.dumps(read(text(jsontext.MAX_DEPTH))))
            assert len(printed) >= 2 * jsontext.MAX_DEPTH
            with pytest.raises(JsonError) as caught:
                call(lambda: read(text(jsontext.MAX_DEPTH + 2)))
            assert str(caught.value) == "nested deeper than 10240 levels"
    finally:
        sys.setrecursionlimit(before)


def test_F2_wide_text_is_not_taken_for_deep():
    text = "[" + ",".join(["[]"] * 20_000) + "]"
    assert jsontext.dumps(jsontext.loads(text)) == text


@given(st.text(alphabet='[]{}",:0123456789.eE+-\\untrfals \n\x00é', max_size=40))
def test_any_text_parses_or_fails_cleanly(text):
    try:
        value = jsontext.loads(text)
    except JsonError:
        return
    assert jsontext.dumps(jsontext.loads(jsontext.dumps(value))) == jsontext.dumps(value)
