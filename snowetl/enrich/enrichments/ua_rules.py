"""Rules of uap-core, applied as uap-java 1.5.4 does: of each kind the first that matches and names a family.

An index of words (see :mod:`~snowetl.enrich.enrichments.regex_words`) leaves some dozens of the thousand rules to try.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from snowetl.enrich.enrichments.regex_words import required_words
from snowetl.errors import AssetError

Texts = tuple["str | None", ...]
_Match = re.Match[str]

_GRAM = 3
_BACK_REFERENCE = re.compile(r"\$([0-9])")
_OTHER = "Other"


class Rule(NamedTuple):
    """``replacements``: family (or device), then versions; ``None`` where the file gives none."""

    regex: str
    ignore_case: bool
    replacements: Texts


class Rules(NamedTuple):
    """The three lists of a rules file, in order."""

    agents: tuple[Rule, ...]
    systems: tuple[Rule, ...]
    devices: tuple[Rule, ...]


class Client(NamedTuple):
    """What the rules make of a user agent."""

    agent: Texts
    """Family, major, minor, patch."""
    system: Texts
    """Family, major, minor, patch, patch minor."""
    device: str


class Parser:
    """Applies rules. Regular expressions are compiled when they are tried for the first time."""

    def __init__(self, rules: Rules, compile_regex: Callable[[Rule], re.Pattern[str]]) -> None:
        self._kinds = ((rules.agents, _agent), (rules.systems, _system), (rules.devices, _device))
        self._compile = compile_regex
        self._compiled: dict[Rule, Callable[[str], _Match | None]] = {}
        self._index, self._always = _index(list_ for list_, _ in self._kinds)

    def parse(self, text: str) -> Client:
        candidates = self._candidates(text.lower())
        agent = self._first(0, candidates[0], text) or (_OTHER, None, None, None)
        system = self._first(1, candidates[1], text) or (_OTHER, None, None, None, None)
        device = self._first(2, candidates[2], text) or (_OTHER,)
        return Client(agent, system, device[0] or _OTHER)

    def _candidates(self, text: str) -> list[list[int]]:
        """Numbers, in order, of the rules of each kind that may match."""
        found = [set(always) for always in self._always]
        grams = {text[start : start + _GRAM] for start in range(len(text) - _GRAM + 1)}
        for gram in self._index.keys() & grams:
            for word, kind, number in self._index[gram]:
                if word in text:
                    found[kind].add(number)
        return [sorted(numbers) for numbers in found]

    def _first(self, kind: int, numbers: list[int], text: str) -> Texts | None:
        rules, make = self._kinds[kind]
        for number in numbers:
            rule = rules[number]
            search = self._compiled.get(rule)
            if search is None:
                search = self._compiled[rule] = self._compile(rule).search
            match = search(text)
            if match is not None:
                texts = make(match, rule.replacements)
                if texts[0] is not None:
                    return texts
        return None


_Index = dict[str, list[tuple[str, int, int]]]


def _index(lists: Iterable[tuple[Rule, ...]]) -> tuple[_Index, list[list[int]]]:
    """Three letters -> (word they stand in, kind, number of a rule that needs it); and the rules without words."""
    needs = []
    always: list[list[int]] = []
    for kind, rules in enumerate(lists):
        always.append([])
        for number, rule in enumerate(rules):
            words = required_words(rule.regex)
            if words and min(map(len, words)) >= _GRAM:
                needs += [(word, kind, number) for word in words]
            else:
                always[kind].append(number)
    frequency = Counter(gram for word, _, _ in needs for gram in _grams(word))
    index: _Index = {}
    for need in needs:
        rarest = min(_grams(need[0]), key=lambda gram: (frequency[gram], gram))
        index.setdefault(rarest, []).append(need)
    return index, always


def _grams(word: str) -> set[str]:
    return {word[start : start + _GRAM] for start in range(len(word) - _GRAM + 1)}


# --- from a match to texts ----------------------------------------------------------------------------------------


def _group(match: _Match, number: int) -> str | None:
    return match[number] if number <= match.re.groups else None


def _agent(match: _Match, replacements: Texts) -> Texts:
    family, major, minor = replacements
    first = _group(match, 1)
    if family is None:
        family = first
    elif first is not None:
        family = family.replace("$1", first, 1)
    patch = None
    if minor is None:
        minor, patch = _group(match, 3) or None, _group(match, 4) or None
    return family, _group(match, 2) or None if major is None else major, minor, patch


def _system(match: _Match, replacements: Texts) -> Texts:
    family = replacements[0]
    first = _group(match, 1)
    if family is None:
        family = first
    elif "$1" in family and match.re.groups:
        family = None if first is None else family.replace("$1", first)
    versions = [
        _group(match, place) if given is None else _referred(match, given)
        for place, given in zip(count(2), replacements[1:], strict=False)
    ]
    return family, *versions, _group(match, 5)


def _referred(match: _Match, replacement: str) -> str | None:
    """A version that is ``$n`` is group n."""
    if not replacement.startswith("$"):
        return replacement
    number = replacement[1:]
    return _group(match, int(number)) if number.isdecimal() else None


def _device(match: _Match, replacements: Texts) -> Texts:
    device = replacements[0]
    if device is None:
        return (_group(match, 1),)
    if "$" not in device:
        return (device,)
    for number in _BACK_REFERENCE.findall(device):
        device = device.replace(f"${number}", _group(match, int(number)) or "", 1)
    return (device.strip(_JAVA_BLANKS),)


_JAVA_BLANKS = "".join(map(chr, range(33)))


# --- where rules come from ----------------------------------------------------------------------------------------

_AMENDMENTS = (
    ("(EdgiOS|EdgA)/", r"(\d+)\.(\d+)\.(\d+)\.(\d+)", r"(\d+)\.(\d+)\.(\d+)(?:\.(\d+)|)"),
    (r"\b(Windows-Update-Agent|", "|AHC)", "|AHC|HTTPie)"),
)
"""Beginning of a rule, and what became of a part of it between uap-core 0.16.0 and its commit 1ef0926."""


@cache
def built_in() -> Parser:
    """The rules of uap-java 1.5.4: those of uap-core 0.16.0 (package ua-parser-builtins), amended."""
    from ua_parser_builtins.lazy import MATCHERS

    agents, systems, devices = MATCHERS
    rules = Rules(
        tuple(Rule(_amended(one.regex), False, (_own(one.family, 1), one.major, one.minor)) for one in agents),
        tuple(
            Rule(one.regex, False, (_own(one.family, 1), _own(one.major, 2), _own(one.minor, 3), _own(one.patch, 4)))
            for one in systems
        ),
        tuple(Rule(one.regex, one.regex_flag == "i", (_own(one.family, 1),)) for one in devices),
    )
    return Parser(rules, _compile)


def _own(replacement: str | None, group: int) -> str | None:
    """The package writes ``$n`` where the file gives no replacement."""
    return None if replacement == f"${group}" else replacement


def _amended(regex: str) -> str:
    for beginning, old, new in _AMENDMENTS:
        if regex.startswith(beginning):
            return regex.replace(old, new)
    return regex


def read_rules(path: Path) -> Parser:
    """Rules of the user's own: YAML as uap-core has it. Raises ``AssetError``."""
    import yaml

    try:
        with path.open("rb") as file:
            document = yaml.load(file, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        rules = Rules(
            _list(document, "user_agent_parsers", ("family_replacement", "v1_replacement", "v2_replacement")),
            _list(
                document,
                "os_parsers",
                ("os_replacement", "os_v1_replacement", "os_v2_replacement", "os_v3_replacement"),
            ),
            _list(document, "device_parsers", ("device_replacement",)),
        )
        compiled = {rule: _compile(rule) for list_ in rules for rule in list_}
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise AssetError(
            f"Failed to initialize ua parser: [{path}: {error}]. "
            "The file must be YAML like the regexes.yaml of uap-core"
        ) from None
    return Parser(rules, compiled.__getitem__)


def _list(document: Any, key: str, replacements: tuple[str, ...]) -> tuple[Rule, ...]:
    entries = document.get(key) if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise ValueError(f"{key} is missing from yaml")
    return tuple(_rule(entry, key, replacements) for entry in entries)


def _rule(entry: Any, key: str, replacements: tuple[str, ...]) -> Rule:
    if not isinstance(entry, dict) or entry.get("regex") is None:
        raise ValueError(f"a rule of {key} is missing regex")
    for name in ("regex", *replacements):
        if not isinstance(entry.get(name, ""), (str, type(None))):
            raise ValueError(f"{name} '{entry[name]}' of {key} must be text: put it in quotes")
    ignore_case = key == "device_parsers" and entry.get("regex_flag") == "i"
    return Rule(entry["regex"], ignore_case, tuple(entry.get(name) for name in replacements))


def _compile(rule: Rule) -> re.Pattern[str]:
    """Raises ``ValueError`` for a regular expression that Java would refuse, or that needs more than ``re`` can do."""
    from snowetl.iglu.validation.java_regex import translate

    flag = "(?i)" if rule.ignore_case else ""
    try:
        return re.compile(translate(flag + rule.regex).source)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{rule.regex}: {error}") from None
