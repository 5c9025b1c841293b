"""ua_parser: the entity, rules of one's own, and that leaving rules out by their words changes nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.agents import APPS, BROWSERS
from snowetl.enrich.enrichments import ua_rules
from snowetl.enrich.enrichments.regex_words import of_zeros, required_words
from snowetl.errors import AssetError, ConfigError
from tests.enrich.enrichments.support import conf, draft, step

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.1.2 Safari/537.36"
)


def entity(agent: str, **parameters: str) -> dict[str, str | None]:
    made = draft(useragent=agent)
    step("ua_parser_config", **parameters)(made)
    (one,) = made.entities
    document = json.loads(one.json)
    assert one.schema == document["schema"]
    return dict(document["data"])


def test_entity() -> None:
    assert entity(CHROME) == {
        "useragentFamily": "Chrome",
        "useragentMajor": "120",
        "useragentMinor": "0",
        "useragentPatch": "1",
        "useragentVersion": "Chrome 120.0.1",
        "osFamily": "Windows",
        "osMajor": "10",
        "osMinor": None,
        "osPatch": None,
        "osPatchMinor": None,
        "osVersion": "Windows 10",
        "deviceFamily": "Other",
    }


def test_nothing_known() -> None:
    for agent in ("x", ""):
        data = entity(agent)
        assert [value for value in data.values() if value is not None] == ["Other"] * 5


def test_no_user_agent_no_entity() -> None:
    made = draft()
    step("ua_parser_config")(made)
    assert made.entities == []


def test_rules_newer_than_the_packages_release() -> None:
    assert entity("HTTPie/1.0.3")["useragentVersion"] == "HTTPie 1.0.3"
    assert entity("Mozilla/5.0 (iPhone) EdgiOS/100.1.2 Mobile")["useragentVersion"] == "Edge Mobile 100.1.2"


# --- own rules ----------------------------------------------------------------------------------------------------

RULES = r"""
user_agent_parsers:
  - regex: '(Tea)(Pot|)/(\d+)(?:\.(\d+)|)(?:\.(\d+)|)'
    family_replacement: 'Pot of $1 and $1'
    v1_replacement: 'one'
  - regex: '(Nothing)?anonymous'
  - regex: 'anon(ym)ous/(\d+)\.(\d*)\.(\d+)'
os_parsers:
  - regex: 'Leaf (\w+) (\d+)\.(\d+)'
    os_replacement: '$1-$1 OS'
    os_v1_replacement: '$3'
    os_v2_replacement: '$2'
    os_v3_replacement: '7'
  - regex: '(Twig)( (\d*))?'
device_parsers:
  - regex: 'cup-([a-z]+)-([a-z]*)'
    regex_flag: 'i'
    device_replacement: ' $2 of $1 $5'
    brand_replacement: 'Cups'
  - regex: 'saucer (\S+)'
"""


@pytest.fixture
def own(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "rules.yml").write_text(RULES, "utf-8")
    return {"uri": str(tmp_path), "database": "rules.yml"}


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        ("TeaPot/3.4.5", {"useragentFamily": "Pot of Tea and $1", "useragentMajor": "one", "useragentMinor": "3"}),
        ("TeaPot/3.4.5", {"useragentPatch": "4"}),
        ("Tea/3", {"useragentPatch": None, "useragentVersion": "Pot of Tea and $1 one.3"}),
        ("anonymous/1..2", {"useragentFamily": "ym", "useragentMajor": "1", "useragentMinor": None}),
        ("Leaf x 1.2", {"osFamily": "x-x OS", "osVersion": "x-x OS 2.1.7"}),
        ("Twig ", {"osFamily": "Twig", "osMajor": " ", "osMinor": "", "osPatch": None, "osVersion": "Twig  ."}),
        ("Twig", {"osFamily": "Twig", "osMajor": None, "osMinor": None, "osVersion": "Twig"}),
        ("CUP-Green-Tea", {"deviceFamily": "Tea of Green"}),
        ("saucer blue", {"deviceFamily": "blue"}),
        ("٣", {"deviceFamily": "Other"}),
    ],
)
def test_own_rules(own: dict[str, str], agent: str, expected: dict[str, str | None]) -> None:
    data = entity(agent, **own)
    assert {key: data[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "user_agent_parsers is missing from yaml"),
        ("user_agent_parsers: []\nos_parsers: []", "device_parsers is missing from yaml"),
        ("user_agent_parsers: [{family_replacement: x}]", "missing regex"),
        (
            "user_agent_parsers: [{regex: x, v1_replacement: 8}]",
            "v1_replacement '8' of user_agent_parsers must be text",
        ),
        ("user_agent_parsers: [{regex: '('}]\nos_parsers: []\ndevice_parsers: []", "("),
        ("{", "expected"),
    ],
)
def test_bad_rules(tmp_path: Path, text: str, fault: str) -> None:
    (tmp_path / "rules.yml").write_text(text, "utf-8")
    with pytest.raises(AssetError) as error:
        step("ua_parser_config", uri=str(tmp_path), database="rules.yml")
    assert str(error.value).startswith("Failed to initialize ua parser: [")
    assert fault in str(error.value)
    assert "rules.yml" in str(error.value)


def test_no_rules_file_and_bad_parameters(tmp_path: Path) -> None:
    with pytest.raises(AssetError, match="Failed to initialize ua parser"):
        step("ua_parser_config", uri=str(tmp_path), database="none.yml")
    with pytest.raises(ConfigError, match="Could not extract parameters.database as string"):
        conf("ua_parser_config", uri="http://example.com")
    assert conf("ua_parser_config", database="without-uri.yml").needs().files == ()


# --- leaving rules out --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("abc", {"abc"}),
        ("ABc?d", {"ab"}),
        (r"foo\.bar\d+baz", {"foo.bar", "baz"}),
        (r"^foo\b-bar$", {"foo-bar"}),
        ("(foo|ba[rR])", {"foo", "bar"}),
        ("(foo|)x", set()),
        ("(?:foo)?bar", {"bar"}),
        ("(?:foo)+bar", {"foo", "bar"}),
        ("(?:foo){0,3}bar", {"bar"}),
        ("fo{2}bar", {"fo", "bar"}),
        ("(?=foo)bar", {"bar"}),
        ("(?!foo)bar", {"bar"}),
        ("a.b", set()),
        ("[Ff][Oo][Oo]", {"foo"}),
        ("[^f]oo", {"oo"}),
        ("(?i)foo", set()),
        (r"foo\Qbar", set()),
        ("foo(", set()),
        ("foo)", set()),
        ("[foo", set()),
        ("", set()),
    ],
)
def test_required_words(pattern: str, words: set[str]) -> None:
    assert {word for clause in required_words(pattern) for word in clause} == words


_ATOMS = st.sampled_from(
    ["a", "b", "ab", "[ab]", "[aA]", ".", r"\d", "(a|b)", "(?:ab|)", "(ab)", "^", "$", r"\b", "aab"]
)
_PIECES = st.builds(
    "{}{}".format, _ATOMS.filter(lambda a: a[0] not in "^$\\"), st.sampled_from(["", "?", "*", "+", "{2}"])
)
_PATTERNS = st.lists(_PIECES, max_size=5).map("".join)


@given(st.lists(_PATTERNS, min_size=1, max_size=3).map("|".join), st.text("abAB1 ", max_size=12))
def test_a_match_always_has_the_words(pattern: str, text: str) -> None:
    if re.search(pattern, text) is not None:
        for clause in required_words(pattern):
            assert any(word in text.lower() for word in clause)


@pytest.mark.parametrize(
    ("pattern", "zeros"),
    [
        (r"(Chrome)/(\d+)\.(\d+)|[0-9A-F]{2,10}", r"(Chrome)/(\d+)\.(\d+)|[0-9A-F]{2,10}"),
        (r"NT 6\.1", r"NT 0\.0"),
        ("[A3-5]{1,3}x", "[0A3-5]{1,3}x"),
        ("a0-9", "a0-0"),
        ("[5-]", "[05-]"),
        ("٣", "٣"),
        ("[-5]", None),
        ("[^5]", None),
        ("(?!5)a", None),
        ("5++", None),
        ("[a&&[5]]", None),
        (r"(a)\1", None),
        (r"\x35", None),
        ("[]5]", None),
    ],
)
def test_of_zeros(pattern: str, zeros: str | None) -> None:
    assert of_zeros(pattern) == zeros


_DIGITS = st.sampled_from(
    ["a", "1", "12", "[1b]", "[2-4]", "[^1]", "[0-9]", "[^0-9a]", r"\d", r"\w", ".", "(1|b)", "(a2|)"]
)
_WITH_DIGITS = st.lists(
    st.builds("{}{}".format, _DIGITS, st.sampled_from(["", "?", "*", "+?", "{2}", "{1,}"])), max_size=5
).map("".join)


@given(st.lists(_WITH_DIGITS, min_size=1, max_size=3).map("|".join), st.text("ab0123 ", max_size=12))
def test_zeros_match_where_any_digits_do(pattern: str, text: str) -> None:
    zeros, match = of_zeros(pattern), re.search(pattern, text)
    if zeros is not None:
        found = re.search(zeros, re.sub("[0-9]", "0", text))
        assert found is not None or match is None
        if zeros == pattern and found is not None:
            assert match is not None and match.regs == found.regs


ODD = ["", "x", "curl/8.4.0", "Mozilla/4.0 (compatible; MSIE 6.0)", "Opera/9.80 (J2ME/MIDP; Opera Mini/9) Presto/2"]


@pytest.mark.slow
def test_leaving_rules_out_changes_nothing() -> None:
    """Against trying all rules of a kind in order."""
    parser = ua_rules.built_in()
    known = [one.useragent for one in BROWSERS + APPS] + ODD
    dice = Random(7)
    agents = known + [re.sub("[0-9]", lambda _: dice.choice("0123456789"), agent) for agent in known for _ in range(3)]
    clients = [parser.parse(agent) for agent in agents]
    for kind, (trials, make) in enumerate(parser._kinds):
        families: dict[str, str] = {}
        for trial in trials:
            search = trial._compile(trial.rule).search
            for agent in agents:
                match = None if agent in families else search(agent)
                family = None if match is None else make(match, trial.rule.replacements)[0]
                if family is not None:
                    families[agent] = family
        for agent, client in zip(agents, clients, strict=True):
            assert (client.agent[0], client.system[0], client.device)[kind] == families.get(agent, "Other")
