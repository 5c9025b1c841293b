"""Java regular expressions: the differences to Python's, each with texts that tell them apart."""

from __future__ import annotations

import pytest

from snowetl.iglu.validation.patterns import search
from snowetl.iglu.validation.report import ValidationCrash
from snowetl.jvm.regex import PatternFault, translate


@pytest.mark.parametrize(
    ("pattern", "found", "not_found"),
    [
        ("^a$", ["a", "a\n", "a\r\n", "a\r", "a\x85", "a\u2028"], ["a\n\n", "ba", "a\n\r"]),
        ("a\\z", ["a"], ["a\n"]),
        ("a\\Z", ["a", "a\n"], ["a\n\n"]),
        ("(?m)^b$", ["a\nb\nc", "a\rb", "a\u2028b"], ["ab"]),
        ("^a.c$", ["abc", "a😀c"], ["a\nc", "a\rc", "a\x85c", "a\u2028c"]),
        ("(?s)^a.c$", ["a\nc"], ["ac"]),
        ("(?d)^a.c$", ["a\rc"], ["a\nc"]),
        ("^\\d\\w\\s$", ["1_\t", "9a\x0b"], ["٣a ", "1é ", "1a\xa0"]),
        ("^\\D\\W\\S$", ["٣éa"], ["1éa", "aaa"]),
        ("(?U)^\\d\\w\\s$", ["٣é\xa0"], ["aa "]),
        ("^\\h\\v\\R$", ["\xa0\u2028\r\n", " \n\n"], ["a\n\n"]),
        ("^\\p{L}\\p{Lu}$", ["éÉ", "aA"], ["1A", "aa"]),
        ("^\\p{Alpha}\\p{Punct}$", ["a!"], ["é!", "a1"]),
        ("^\\pL\\PL$", ["a1"], ["aa"]),
        ("^\\p{IsGreek}\\p{InGreek}$", ["αβ"], ["ab"]),
        ("^\\p{javaLowerCase}$", ["é"], ["É"]),
        ("(?i)^ab[c-d]$", ["aBC", "ABd"], ["abe"]),
        ("(?i)k|ſ", ["K"], ["\u212a", "s"]),
        ("(?iu)k", ["\u212a"], ["s"]),
        ("a(?i)b|c", ["aB", "C"], ["Ab"]),
        ("(?i:a)b", ["Ab"], ["AB"]),
        ("a(?-i)b", ["ab"], ["aB"]),
        ("^a++b$", ["aab"], ["b"]),
        ("^a*+a$", [], ["a", "aaa"]),
        ("^(?>a|ab)c$", ["ac"], ["abc"]),
        ("^[a-z&&[^aeiou]]+$", ["bcd"], ["bad"]),
        ("^[a-c[x-z]]+$", ["axz"], ["d"]),
        ("^[\\w&&[^\\d_]]+$", ["ab"], ["a1", "_"]),
        ("^[]a]+$", ["]a"], ["b"]),
        ("^[^]a]+$", ["b"], ["]"]),
        ("^[a-zA-Z0-9-_.]+$", ["a-_."], ["a b"]),
        ("^[\\p{Lu}&&[^A]]$", ["B", "É"], ["A", "b"]),
        ("^\\Qa.b*\\E+$", ["a.b*", "a.b***"], ["aab"]),
        ("^[\\Q^]\\E]+$", ["^]"], ["a"]),
        ("^\\x41\\u0042\\x{1F600}\\0103\\cA\\e\\t$", ["AB😀C\x01\x1b\t"], ["A"]),
        ("^(?<year>\\d{4})-\\k<year>$", ["2020-2020"], ["2020-2021"]),
        ("^(a)(b)?\\1$", ["aa", "aba"], ["ab"]),
        ("\\1(a)", [], ["aa", "a"]),
        ("(?x) a b # c", ["ab"], ["a b"]),
        ("(?<=a+)b(?!c)", ["aab", "abd"], ["b", "abc"]),
        ("x{2}{3}y", ["xxy"], ["xy"]),
        ("^*a", ["ba"], ["b"]),
        ("a{2,3}?b", ["aab"], ["ab"]),
        ("]}", ["]}"], ["]"]),
        ("\\/\\-\\@", ["/-@"], ["/@"]),
        ("\\B", [""], ["a"]),
        ("", ["", "a"], []),
    ],
)  # fmt: skip
def test_language(pattern: str, found: list[str], not_found: list[str]) -> None:
    matches = search(pattern)
    assert [text for text in found if not matches(text)] == []
    assert [text for text in not_found if matches(text)] == []


@pytest.mark.parametrize(
    "pattern",
    ["([", "(", ")", "a)", "*", "+a", "?", "a**", "a{", "{a}", "a{,3}", "a{2", "a{3,2}", "a{99999999999}", "[a", "[",
     "[]", "[z-a]", "[a-\\d]", "[&&]", "\\", "\\y", "\\p{Nothing}", "\\p{", "\\p{l}", "\\p{sc=Nothing}",
     "\\xg", "\\u12", "\\x{110000}", "\\08", "\\c",
     "\\k<a>", "\\ka", "(?<1>a)", "(?<a>a)(?<a>b)", "(?z)", "(?<n", "(?i",
     "[" * 500,
     "(" * 500 + ")" * 500],
)  # fmt: skip
def test_faults(pattern: str) -> None:
    with pytest.raises(PatternFault, match="near index|Illegal"):
        translate(pattern)
    with pytest.raises(ValidationCrash):
        search(pattern)


def test_a_fault_is_worded_as_java_does() -> None:
    with pytest.raises(PatternFault) as caught:
        translate("([")
    assert str(caught.value) == "Unclosed character class near index 1\n([\n ^"


@pytest.mark.parametrize(
    ("pattern", "ambiguous", "runaway"),
    [
        ("^[a-z]+$", 0, False),
        ("[a-z]+$", 1, False),
        ("^iglu:[a-zA-Z0-9-_.]+/([a-zA-Z0-9-_]+)/[0-9]+-[0-9]+$", 0, False),
        ("^(\\d+\\.)?\\d+$", 0, False),
        ("^\\d+\\s*\\d+$", 1, False),
        ("^.*a.*b$", 2, False),
        ("^([a-z]{4})*$", 0, False),
        ("^([0-9]+){2}$", 3, False),
        ("^(a+)+$", 0, True),
        ("^(a|b)*$", 0, True),
        ("a?" * 20, 0, True),
    ],
)
def test_what_may_run_long_is_known(pattern: str, ambiguous: int, runaway: bool) -> None:
    found = translate(pattern)
    assert (found.ambiguous >= ambiguous, found.runaway) == (True, runaway)
    if not ambiguous:
        assert runaway or found.ambiguous == 0
