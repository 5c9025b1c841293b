"""The compiled model of a schema: every (sub)schema knows its keywords, read when it is first needed.

Reading late is a rule, not a saving: a broken pattern or reference only blows up where an instance reaches it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote_plus, urljoin

from snowetl.iglu.validation.report import Report, Reports, ValidationCrash
from snowetl.iglu.validation.values import as_text
from snowetl.jvm.map_order import in_map_order

_SCHEME = re.compile(r"([a-z][a-z0-9+.\-\\]*):")
_FETCHED = ("http", "https")
_KNOWN_SCHEMES = (*_FETCHED, "ftp", "file", "jar", "classpath", "resource")
_NOT_IN_URI = re.compile(r"[\s\"<>\\^`{|}\x00-\x1f\x7f]|%(?![0-9A-Fa-f]{2})")


class State:
    """What validators tell each other across levels: inside a ``oneOf``, and whether its branch really matched.

    ``known`` holds what schemas that are referred to more than once said of each place of the instance.
    """

    __slots__ = ("complex", "known", "matched")

    def __init__(self) -> None:
        self.complex = False
        self.matched = True
        self.known: dict[tuple[int, int, str, bool, bool], tuple[Reports, bool, bool]] = {}


class Vocabulary(NamedTuple):
    """The keywords that check something, by name, and the words that make a schema unusable."""

    keywords: Mapping[str, type[Keyword]]
    unusable: frozenset[str]


class Document:
    """A whole schema; resolves references. Each reference text is resolved once, from where it was met first."""

    def __init__(self, node: Any, vocabulary: Vocabulary) -> None:
        self.node = node
        self.vocabulary = vocabulary
        self.repeats = _count(node, "$ref") > 1
        """Whether one value may reach one schema on several ways, twice as many with each level of the instance."""
        self._references: dict[str, SchemaNode] = {}
        self.root = SchemaNode(self, node, "#", None, None)

    def resolve(self, reference: str, referrer: SchemaNode) -> SchemaNode | None:
        """The schema ``$ref`` points to: inside the document, or one that fits everything for http(s)."""
        if not reference.startswith("#"):
            return self._remote(reference, referrer)
        if reference == "#":
            return self.root
        node = self._by_pointer(reference) if reference.startswith("#/") else _by_id(self.node, reference)
        if node is None:
            return None
        found = self._references.get(reference)
        if found is None:
            found = self._references[reference] = SchemaNode(self, node, reference, referrer, referrer.base_uri)
        return found

    def _by_pointer(self, reference: str) -> Any:
        parts = reference[2:].split("/")
        while parts and not parts[-1]:
            parts.pop()
        node = self.node
        for part in parts or [""]:
            if _NOT_IN_URI.search(part) and "%" in part:
                raise ValidationCrash(f"URLDecoder: Illegal hex characters in escape (%) pattern: {reference}")
            name = unquote_plus(part)
            if name.isascii() and name.isdigit():
                node = node[int(name)] if isinstance(node, list) and int(name) < len(node) else None
            else:
                node = node.get(name) if isinstance(node, dict) else None
            if node is None:
                return None
        return node

    def _remote(self, reference: str, referrer: SchemaNode) -> SchemaNode | None:
        address, hash_, fragment = reference.partition("#")
        uri = combine_uri(referrer.base_uri, address)
        if uri is None or not uri.startswith(("http:", "https:")) or (hash_ and fragment):
            return None
        return Document({}, self.vocabulary).root


def _count(node: Any, key: str) -> int:
    """How many objects inside ``node`` have the key."""
    found = 0
    pending = [node]
    while pending:
        one = pending.pop()
        if isinstance(one, dict):
            found += key in one
            pending.extend(one.values())
        elif isinstance(one, list):
            pending.extend(one)
    return found


def _by_id(node: Any, fragment: str) -> Any:
    """The first node, depth first, whose ``id`` is ``#name``."""
    if isinstance(node, dict):
        if node.get("id") == fragment:
            return node
        children = list(in_map_order(node).values())
    elif isinstance(node, list):
        children = node
    else:
        return None
    for child in children:
        found = _by_id(child, fragment)
        if found is not None:
            return found
    return None


def combine_uri(base: str | None, reference: str) -> str | None:
    """``reference`` seen from ``base``; ``None`` where the reference's library makes no URI of it."""
    match = _SCHEME.match(reference)
    if (match is None and base is None) or _NOT_IN_URI.search(reference):
        return None
    if match is None:
        return urljoin(base or "", reference)
    return reference if match.group(1) in _KNOWN_SCHEMES else None


class SchemaNode:
    """One (sub)schema. ``path`` is the reference's schema path, ``parent`` what its parent's keywords may ask."""

    __slots__ = ("_keywords", "base_uri", "document", "node", "parent", "path", "required")

    def __init__(
        self, document: Document, node: Any, path: str, parent: SchemaNode | None, base_uri: str | None
    ) -> None:
        """Raises :class:`ValidationCrash` when its ``id`` makes no URI."""
        self.document = document
        self.node = node
        self.path = path
        self.parent = parent
        self.base_uri = self._combine_id(base_uri)
        self.required: Any = None
        self._keywords: list[Any] | None = None

    def _combine_id(self, base: str | None) -> str | None:
        name = self.get("id")
        if not isinstance(name, str):
            return base
        if name.startswith("#") and base is None:
            return None
        uri = combine_uri(base, name)
        if uri is None:
            raise ValidationCrash(f"{name}: {base or 'null'} is an invalid segment for URI {{2}}")
        return uri

    def get(self, keyword: str) -> Any:
        """The value of a keyword; ``None`` if the schema does not have it."""
        return self.node.get(keyword) if isinstance(self.node, dict) else None

    def has(self, keyword: str) -> bool:
        return isinstance(self.node, dict) and keyword in self.node

    def child(self, node: Any, path: str) -> SchemaNode:
        return SchemaNode(self.document, node, path, self, self.base_uri)

    @property
    def keywords(self) -> list[Any]:
        """The keywords that check something, in the order they do. Raises :class:`ValidationCrash`."""
        if self._keywords is None:
            self._keywords = self._read()
        return self._keywords

    def _read(self) -> list[Any]:
        if isinstance(self.node, bool):
            raise ValidationCrash(f"{self.path}: a boolean is not a schema of draft 4")
        if not isinstance(self.node, dict):
            return []
        keywords, unusable = self.document.vocabulary
        result = []
        for name in sorted(self.node, key=lambda name: (name != "properties", name)):
            if name in unusable:
                raise ValidationCrash(f"No suitable validator for {name}")
            kind = keywords.get(name)
            if kind is None:
                continue
            try:
                keyword = kind(self, self.node[name])
            except ValidationCrash:
                raise
            except (TypeError, ValueError, AttributeError, KeyError, IndexError) as error:
                raise ValidationCrash(f"{self.path}/{name}: {error}") from None
            if name == "required":
                self.required = keyword
            result.append(keyword)
        return result

    def reports(self, value: Any, at: str, state: State) -> Reports:
        """All faults of ``value``, which stands at the path ``at``. Raises :class:`ValidationCrash`."""
        found: Reports = {}
        for keyword in self.keywords:
            found.update(keyword.reports(value, at, state))
        return found

    def custom_message(self, keyword: str) -> str | None:
        """Vendor extension: ``message`` of the parent (of the root itself) has a text of its own for the keyword."""
        texts = (self.parent or self).get("message")
        if not isinstance(texts, dict) or keyword not in texts:
            return None
        text = as_text(texts[keyword])
        return text if text.strip() else None


class Keyword:
    """One keyword of one schema. Subclasses say what they find (:meth:`reports`) and how generated code tests it
    (:meth:`emit`): the same rule twice; property tests keep the two equal."""

    name = ""
    applies: frozenset[type] = frozenset()
    """Python types of instances the keyword looks at."""

    def __init__(self, schema: SchemaNode, value: Any) -> None:
        self.schema = schema
        self.value = value
        self.path = f"{schema.path}/{self.name}"
        self._message = schema.custom_message(self.name)

    def reports(self, value: Any, at: str, state: State) -> Reports:
        raise NotImplementedError

    def emit(self, code: Any, kind: type) -> None:
        """Write the lines that return ``False`` where ``v``, known to be of ``kind``, does not fit."""
        raise NotImplementedError

    def report(self, message: str, at: str, *targets: str, keyword: str = "") -> Reports:
        """A single report."""
        return {Report(self._message or message, at, keyword or self.name, targets, self.path): None}
