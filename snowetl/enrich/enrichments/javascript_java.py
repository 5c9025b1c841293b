"""What a script asks of Java, read off its text: classes that are there, classes that are not, and what to use instead.

Scripts were written for Nashorn, where all of Java is in reach. A class that is missing is told before the run, not by
the first event that needs it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_TOKEN = re.compile(
    r"//[^\n]*|/\*.*?(?:\*/|\Z)"
    r"|'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"|`(?:[^`\\]|\\.)*`"
    r"|(?<=[=(,:;!&|?{}\[+])\s*/(?![/*])(?:[^/\\\n\[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/",
    re.DOTALL,
)
_PATH = r"[A-Za-z_$][\w$]*(?:\s*\.\s*[A-Za-z_$][\w$]*)+"
_DOTTED = re.compile(
    rf"(?<![\w$.])(?:(?P<packages>Packages\s*\.\s*)|(?=javax?\s*\.|org\s*\.\s*apache\s*\.))(?P<path>{_PATH})"
)
_TYPE = re.compile(r"(?<![\w$.])Java\s*\.\s*type\s*\(\s*(?P<quote>['\"])(?P<name>[\w.$]+)(?P=quote)")
_REPLACE_ALL = re.compile(
    r"\.\s*replaceAll\s*\(\s*(?P<literal>'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"|(?P<other>[^/\s]))"
)
_MEANS_MORE = re.compile(r"[.*+?^${}()|\[\]\\]")
_HINTS = (
    (re.compile(r"\bfor\s+each\s*\("), "`for each (x in list)` is Nashorn's own: write `for (const x of list)`"),
    (
        re.compile(r"\b(?:importPackage|importClass|JavaImporter)\s*\("),
        "Java packages cannot be imported: use Java.type('…') for each class",
    ),
    (
        re.compile(r"\bJava\s*\.\s*(?:extend|super)\s*\("),
        "Java classes cannot be extended: write the code in JavaScript",
    ),
    (
        re.compile(r"(?<![\w$.])(?<!function )(?:load|loadWithNewGlobal|quit|exit|readFully|readLine)\s*\("),
        "load, quit and what reads files are Nashorn's own: put code into the script, and data into parameters.config",
    ),
)
"""Ways to write that only Nashorn has, and what to write instead."""
_LENGTH_CALL = re.compile(r"\.\s*length\s*\(\s*\)")

_NETWORK = "scripts reach no network: use the api_request enrichment, or a remote adapter"
_FILES = "scripts read no files: put the data into parameters.config"
_DATES = "use JavaScript's Date"
_COLLECTIONS = "use JavaScript's Array, Map or Set"
_INSTEAD = (
    ("java.net.", _NETWORK),
    ("javax.net.", _NETWORK),
    ("org.apache.http.", _NETWORK),
    ("java.sql.", "scripts reach no database: use the sql_query enrichment"),
    ("javax.sql.", "scripts reach no database: use the sql_query enrichment"),
    ("java.io.", f"{_FILES}; {_NETWORK}"),
    ("java.nio.file.", _FILES),
    ("java.time.", _DATES),
    ("java.text.", _DATES),
    ("java.util.Date", _DATES),
    ("java.util.Calendar", _DATES),
    ("java.util.regex.", "use JavaScript's RegExp"),
    ("java.util.concurrent.", f"{_COLLECTIONS}: a script runs on one thread"),
    ("java.util.", _COLLECTIONS),
    ("java.lang.Thread", "a script runs on one thread, and never waits"),
    ("java.lang.", "write it in JavaScript"),
)
_OTHERWISE = "write it in JavaScript, or as an enrichment in Python (snowetl.enrich.enrichments.base)"


class Use(NamedTuple):
    """A Java class in a script; ``instead`` says what to do where it is not there."""

    name: str
    line: int
    instead: str | None


class Review(NamedTuple):
    """``faults`` stop the job; ``warnings`` are worth a look. Both as (line, text)."""

    classes: list[Use]
    faults: list[tuple[int, str]]
    warnings: list[tuple[int, str]]


def review(source: str, known: frozenset[str]) -> Review:
    """Read a script that need not compile. ``known`` are the classes that are there."""
    code = _TOKEN.sub(_blank, source)
    classes = sorted(set(_uses(source, code, known)), key=lambda use: (use.line, use.name))
    faults = [(use.line, f"{use.name} is not there: {use.instead}") for use in classes if use.instead]
    faults += [(_line(code, found.start()), text) for pattern, text in _HINTS for found in pattern.finditer(code)]
    return Review(classes, sorted(faults), sorted(_warnings(source, code)))


def _uses(source: str, code: str, known: frozenset[str]) -> Iterator[Use]:
    for found in _TYPE.finditer(source):
        if code[found.start()] == "J":  # not in a comment or a string
            yield _use(found["name"], _line(code, found.start()), known)
    for found in _DOTTED.finditer(code):
        name = re.sub(r"\s", "", found["path"])
        if not found["packages"] and re.search(rf"\b(?:var|let|const)\s+{name.partition('.')[0]}\b", code):
            continue
        yield _use(name, _line(code, found.start()), known)


def _use(path: str, line: int, known: frozenset[str]) -> Use:
    """``path`` may go on behind the class: ``java.util.UUID.randomUUID``."""
    steps = path.split(".")
    for end in range(len(steps), 0, -1):
        if ".".join(steps[:end]) in known:
            return Use(".".join(steps[:end]), line, None)
    capital = next((at for at, step in enumerate(steps) if step[:1].isupper()), len(steps) - 1)
    name = ".".join(steps[: capital + 1])
    return Use(name, line, next((text for prefix, text in _INSTEAD if name.startswith(prefix)), _OTHERWISE))


def _warnings(source: str, code: str) -> Iterator[tuple[int, str]]:
    for found in _REPLACE_ALL.finditer(source):
        literal = found["literal"]
        if code[found.start()] != ".":
            continue
        if found["other"] or _MEANS_MORE.search(literal[1:-1]):
            yield (
                _line(code, found.start()),
                "replaceAll takes a text as a regular expression, as in Java: use replace(/…/g, …) to be clear",
            )
    for found in _LENGTH_CALL.finditer(code):
        yield _line(code, found.start()), "length() works on no JavaScript text or list: write .length"


def _blank(token: re.Match[str]) -> str:
    """As many characters, line breaks kept: places in the text stay what they are."""
    return re.sub(r"[^\n]", " ", token[0])


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1
