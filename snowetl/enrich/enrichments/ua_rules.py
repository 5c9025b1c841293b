"""Rules of uap-core, applied as uap-java 1.5.4 does: of each kind the first that matches and names a family.

An index of words (see :mod:`~snowetl.enrich.enrichments.regex_words`) leaves some dozens of the thousand rules to try.
Most rules do not tell one digit from another. So which of them matches is found out once for all user agents that
differ in nothing but digits: the next version of a browser is looked at by the rules that name versions, and by the one
that is known to match.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import chain, count
from pathlib import Path
from typing import Any, Final, NamedTuple

from snowetl.caching import Memo
from snowetl.enrich.enrichments.regex_words import Words, of_zeros, required_words, shortest
from snowetl.errors import AssetError
from snowetl.jvm.strings import trim
from snowetl.model.text import with_zeros

Texts = tuple["str | None", ...]
_Match = re.Match[str]

_GRAM: Final = 3
_SHAPES, _LONGEST = 4096, 1024
_BACK_REFERENCE: Final = re.compile(r"\$([0-9])")
_OTHER: Final = "Other"


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
    device: str | None


Numbers = tuple[int, ...]


class Parser:
    """Applies rules. Regular expressions are compiled when they are tried for the first time."""

    def __init__(self, rules: Rules, compile_regex: Callable[[Rule], re.Pattern[str]]) -> None:
        self._kinds = tuple(
            ([_Trial(rule, compile_regex) for rule in list_], make)
            for list_, make in zip(rules, (_agent, _system, _device), strict=True)
        )
        self._index: dict[str, list[tuple[str, int, int]]] = {}
        self._always: tuple[list[int], ...] = ([], [], [])
        for kind, (trials, _) in enumerate(self._kinds):
            for number, trial in enumerate(trials):
                self._enter(trial.key, kind, number)
        self._chosen = Memo(self._choose, _SHAPES, _LONGEST)

    def _enter(self, words: Words, kind: int, number: int) -> None:
        """File a rule under the rarest part of each word it may need, so that most rules are never tried."""
        if shortest(words) < _GRAM:
            self._always[kind].append(number)
        for word in {with_zeros(word) for word in words} if shortest(words) >= _GRAM else ():
            rarest = min(_grams(word), key=lambda gram: len(self._index.get(gram, ())))
            self._index.setdefault(rarest, []).append((word, kind, number))

    def parse(self, text: str) -> Client:
        lower = text.lower()
        agents, systems, devices = self._chosen[with_zeros(text)]
        agent = self._first(0, agents, text, lower) or (_OTHER, None, None, None)
        system = self._first(1, systems, text, lower) or (_OTHER, None, None, None, None)
        device = self._first(2, devices, text, lower) or (_OTHER,)
        return Client(agent, system, device[0])

    def _choose(self, zeros: str) -> list[Numbers]:
        """Numbers, in order, of the rules of each kind that may match a text that has any digits for the ``zeros``:
        those that tell digits apart, up to the first one that does not, and matches.
        """
        lower = zeros.lower()
        return [
            tuple(self._up_to_match(kind, numbers, zeros, lower))
            for kind, numbers in enumerate(self._candidates(lower))
        ]

    def _up_to_match(self, kind: int, numbers: list[int], zeros: str, lower: str) -> Iterator[int]:
        trials, _ = self._kinds[kind]
        for number in numbers:
            trial = trials[number]
            if trial.may_match(zeros, lower):
                if trial.tells_digits_apart:
                    yield number
                elif self._first(kind, (number,), zeros, lower) is not None:
                    yield number
                    return

    def _candidates(self, lower: str) -> list[list[int]]:
        """Numbers, in order, of the rules of each kind that may match."""
        found = [set(numbers) for numbers in self._always]
        for gram in self._index.keys() & _grams(lower):
            for word, kind, number in self._index[gram]:
                if word in lower:
                    found[kind].add(number)
        return [sorted(numbers) for numbers in found]

    def _first(self, kind: int, numbers: Iterable[int], text: str, lower: str) -> Texts | None:
        trials, make = self._kinds[kind]
        for number in numbers:
            trial = trials[number]
            match = trial.match(text, lower)
            if match is not None:
                texts = make(match, trial.rule.replacements)
                if texts[0] is not None:
                    return texts
        return None


class _Trial:
    """A rule, and the words that rule it out: ``key`` is the set of them that tells most."""

    __slots__ = ("_clauses", "_compile", "_search", "_zeros", "key", "rule", "tells_digits_apart")

    def __init__(self, rule: Rule, compile_regex: Callable[[Rule], re.Pattern[str]]) -> None:
        self.rule = rule
        zeros = of_zeros(rule.regex)
        self.tells_digits_apart = zeros != rule.regex
        self._zeros = None if zeros is None else rule._replace(regex=zeros)
        self._compile = compile_regex
        self._search: Callable[[str], _Match | None] | None = None
        clauses = sorted(required_words(rule.regex), key=_tells, reverse=True)
        self.key: Words = clauses[0] if clauses else frozenset()
        self._clauses = tuple(tuple(words) for words in clauses if words)

    def may_match(self, zeros: str, lower: str) -> bool:
        """Whether the rule may match a text with any digits in the places of the ``zeros``."""
        for words in self._clauses:
            if not any(with_zeros(word) in lower for word in words):
                return False
        return self._zeros is None or self._compile(self._zeros).search(zeros) is not None

    def match(self, text: str, lower: str) -> _Match | None:
        for words in self._clauses:
            for word in words:
                if word in lower:
                    break
            else:
                return None
        if self._search is None:
            self._search = self._compile(self.rule).search
        return self._search(text)


_FREQUENT: Final = (
    "mozilla/",
    "applewebkit/",
    "khtml, like gecko",
    "safari/",
    "android",
    "mobile",
    " build",
    "windows",
    "linux",
)


def _tells(words: Words) -> tuple[bool, int]:
    """Sort key: how much it tells that none of ``words`` is there; words most browsers have tell least."""
    frequent = any(word in known or known in word for word in words for known in _FREQUENT)
    return not frequent and shortest(words) >= _GRAM, shortest(words)


def _grams(text: str) -> set[str]:
    return {text[start : start + _GRAM] for start in range(len(text) - _GRAM + 1)}


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
    return (trim(device),)


# --- where rules come from ----------------------------------------------------------------------------------------

_AMENDMENTS: Final = (
    ("(EdgiOS|EdgA)/", r"(\d+)\.(\d+)\.(\d+)\.(\d+)", r"(\d+)\.(\d+)\.(\d+)(?:\.(\d+)|)"),
    (r"\b(Windows-Update-Agent|", "|AHC)", "|AHC|HTTPie)"),
)
"""Beginning of a rule, and what became of a part of it between uap-core 0.16.0 and its commit 1ef0926."""


@cache
def built_in() -> Parser:
    """The rules of uap-java 1.5.4: those of uap-core 0.16.0 (package ua-parser-builtins), amended.

    The package writes ``$n`` where the file gives no replacement. For devices that is not quite the same, but there
    only those of generic brands have none.
    """
    from ua_parser_builtins.lazy import MATCHERS

    agents, systems, devices = MATCHERS
    rules = Rules(
        tuple(Rule(_amended(one.regex), False, (_own(one.family, 1), one.major, one.minor)) for one in agents),
        tuple(
            Rule(one.regex, False, (_own(one.family, 1), _own(one.major, 2), _own(one.minor, 3), _own(one.patch, 4)))
            for one in systems
        ),
        tuple(Rule(one.regex, one.regex_flag == "i", (_own_device(one.family, one.brand),)) for one in devices),
    )
    return Parser(rules, _compile)


def _own(replacement: str | None, group: int) -> str | None:
    return None if replacement == f"${group}" else replacement


def _own_device(replacement: str, brand: str) -> str | None:
    return None if replacement == "$1" and brand.startswith("Generic_") else replacement


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
        for rule in chain.from_iterable(rules):
            _compile(rule)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise AssetError(
            f"Failed to initialize ua parser: [{path}: {error}]. "
            "The file must be YAML like the regexes.yaml of uap-core"
        ) from None
    return Parser(rules, _compile)


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


@cache
def _compile(rule: Rule) -> re.Pattern[str]:
    """Raises ``ValueError`` for a regular expression that Java would refuse, or that needs more than ``re`` can do."""
    from snowetl.jvm.regex import translate

    flag = "(?i)" if rule.ignore_case else ""
    try:
        return re.compile(translate(flag + rule.regex).source)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{rule.regex}: {error}") from None
