"""Why a bad row is one, in words for people: the field that fails, its value, and what is wrong with it.

Bad rows keep the reference's words, which name Java classes; here they are said in plain English. What a bad row holds
may come from anybody, in whatever shape: nothing in here raises.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from snowetl.jvm import jsontext

MAX_TEXT = 200
"""Characters of a field, value or text that are kept."""

_PLAIN: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), words)
    for pattern, words in (
        (r"cannot be converted to java\.math\.BigDecimal.*", "is not a number"),
        (r"cannot be converted to java\.lang\.Integer", "is not a whole number of 32 bits"),
        (r"could not be converted to java\.lang\.Integer s", "is too large"),
        (r"cannot be converted to Boolean-like java\.lang\.Byte", "is neither 0 nor 1"),
        (r"not in the expected format: ms since epoch", "is not a time in milliseconds since 1970"),
        (r"does not conform to regex \(\\d\+\)x\(\\d\+\)", "is not a size such as 1280x720"),
        (r"not a valid UUID", "is not a UUID"),
        (r"not recognized as an event type", "is not an event type of the tracker protocol"),
        (r"not recognized as a tracking platform", "is not a platform of the tracker protocol"),
        (r"(?:invalid json: )?expected .* got .*|invalid json: .*", "is not JSON"),
        (r"operation must be GET", "is refused: the request must be a GET"),
        (r"could not extract name-value pairs from querystring.*", "cannot be read as a query string"),
        (r"could not be deserialized.*", "cannot be read"),
        (r"should be set", "is missing"),
        (r"could not convert timestamp: .*", "is not a time"),
    )
)
"""The reference's words for a value that is refused, and ours; what is in neither is shown as it is."""

_TOO_LONG = re.compile(r"Field (\w+) longer than maximum allowed size (\d+)")
_CUT_SHORT = re.compile(r"Tried to read \d+ bytes, but only got \d+ bytes")
_HEADLINE = re.compile(r"Enriched event does not conform to atomic schema field's length restrictions")
_JSON_PATH = re.compile(r"(\$[^:\s]*): (.+)", re.DOTALL)
_INDEX = re.compile(r"\[\d+\]")
_SENDER = {name: re.compile(rf'"{name}"\s*:\s*"([^"\\]{{1,{MAX_TEXT}}})"') for name in ("aid", "tv")}
_SEARCHED = 8192
"""Characters of a body in which the application and the tracker are looked for."""


class Fault(NamedTuple):
    """One thing that is wrong. ``field`` and ``what`` are the same for all rows of one reason; ``value`` is the row's.

    ``what`` follows the field as the rest of a sentence where ``sentence`` is true, else after a colon.
    """

    field: str
    what: str
    value: str | None = None
    sentence: bool = False

    def __str__(self) -> str:
        """``se_va = "twelve" is not a number``, ``com.acme/click/1-0-0 $.x: string found, integer expected``."""
        shown = f"{self.field} = {jsontext.dumps(self.value)}" if self.value is not None and self.field else self.field
        if not shown:
            return self.what
        return f"{shown}{' ' if self.sentence else ': '}{self.what}"

    @property
    def kind(self) -> Fault:
        """The same without the value and without places in lists: what rows of one reason have in common."""
        return self._replace(field=_INDEX.sub("[*]", self.field), value=None)

    @property
    def reason(self) -> str:
        return str(self.kind)


class Sender(NamedTuple):
    """Who sent what became a bad row, as far as the row tells: ``app_id`` and version of the tracker, or ''."""

    app_id: str
    tracker: str


def faults(data: object) -> Iterator[Fault]:
    """What is wrong according to the ``data`` of a bad row of any type, the most telling first; at least one."""
    found = False
    for fault in _faults(_get(data, "failure")):
        found = True
        yield Fault(_cut(fault.field), _cut(fault.what), None if fault.value is None else _cut(fault.value), fault[3])
    if not found:
        yield Fault("", "no reason is given")


def first_fault(data: object) -> Fault:
    return next(faults(data))


def sender(data: object) -> Sender:
    """Who sent it: from the parameters, the query string, the event, or the body of the payload."""
    payload = _get(data, "payload")
    raw, enriched = _get(payload, "raw"), _get(payload, "enriched")
    for pairs in (_get(raw, "parameters"), _get(payload, "querystring")):
        if isinstance(pairs, list):
            named = {_get(pair, "name"): _get(pair, "value") for pair in pairs[:1000]}
            if named.get("aid") or named.get("tv"):
                return _sender(named.get("aid"), named.get("tv"))
    for event in (enriched, payload):
        if isinstance(event, Mapping) and (event.get("app_id") or event.get("v_tracker")):
            return _sender(event.get("app_id"), event.get("v_tracker"))
    body = _get(payload, "body")
    if isinstance(body, str):
        found = {name: pattern.search(body, 0, _SEARCHED) for name, pattern in _SENDER.items()}
        return Sender(*("" if match is None else match[1] for match in found.values()))
    return Sender("", "")


# --- failures -------------------------------------------------------------------------------------------------------


def _faults(failure: object) -> Iterator[Fault]:
    if isinstance(failure, str):
        yield Fault("", failure)
    elif isinstance(failure, list):
        for element in failure:
            yield from _message(element)
    elif not isinstance(failure, Mapping):
        return
    elif "actualSizeBytes" in failure:
        size, limit = failure["actualSizeBytes"], failure.get("maximumAllowedSizeBytes")
        yield Fault("", f"longer than the limit of {limit} bytes", None)
        yield Fault("", f"it has {size} bytes")
    elif isinstance(failure.get("messages"), list):
        for element in failure["messages"]:
            yield from _message(element)
    elif "message" in failure:
        yield from _message(failure["message"])
    elif isinstance(failure.get("errors"), list) and failure["errors"]:
        for error in failure["errors"]:
            if isinstance(error, Mapping):
                yield from _message(error)
            else:
                yield Fault("", str(error).split("\n", 1)[0])
    elif isinstance(failure.get("error"), str):
        yield from _message(failure)
    elif "type" in failure:
        yield Fault("", _parsing(failure))


def _parsing(failure: Mapping[str, Any]) -> str:
    """The kinds of ``loader_parsing_error``."""
    if failure["type"] == "NotTSV":
        return "the line has no tab: it is not an enriched event"
    if failure["type"] == "FieldNumberMismatch":
        return f"the line has {failure.get('fieldCount')} columns, an enriched event has 131"
    return str(failure["type"])


def _message(message: object) -> Iterator[Fault]:
    """The faults of one failure message; those of an enrichment name it."""
    if not isinstance(message, Mapping):
        yield Fault("", str(message))
        return
    inner = message.get("message")
    if isinstance(inner, Mapping):
        about = _get(message.get("enrichment"), "identifier") or _schema_name(
            _get(message.get("enrichment"), "schemaKey")
        )
        for fault in _message(inner):
            yield fault._replace(what=f"{fault.what} (enrichment {about})") if about else fault
        return
    error = message.get("error")
    if isinstance(error, Mapping):
        about = message.get("schemaKey") or message.get("schemaCriterion")
        yield from _iglu(_short_key(about), error)
    elif "schemaCriterion" in message and "schemaKey" in message:
        expected = _short_key(message["schemaCriterion"])
        yield Fault(_short_key(message["schemaKey"]), f"is refused: {expected} is expected here", None, True)
    elif "expectedMapping" in message:
        actual = message.get("actual")
        what = str(message.get("expectation"))
        yield Fault("event type", what, None if actual is None else str(actual))
    elif "payloadField" in message or "field" in message:
        yield _value(message)
    elif "json" in message:
        yield Fault("JSON", f"is not self-describing ({error})", jsontext.dumps(message["json"]), True)
    elif "expected" in message:
        value = jsontext.dumps(message.get("value"))
        yield Fault(_short_key(message.get("schemaKey")), f"the value should be {message['expected']}", value)
    elif isinstance(error, str):
        yield from _text(error)
    elif isinstance(inner, str):
        yield Fault(_short_key(message.get("schemaKey")), inner)
    elif "type" in message:
        yield _decoding(message)
    else:
        yield Fault("", jsontext.dumps(message))


def _decoding(message: Mapping[str, Any]) -> Fault:
    """An element of a line's decoding errors: a column with what it cannot hold, or the line's ids."""
    key = next((str(message[name]) for name in ("key", "field") if message.get(name)), "")
    value = message.get("value")
    what = str(message.get("message") or message.get("error") or message["type"])
    return Fault(key, what, None if value is None else str(value))


def _text(error: str) -> Iterator[Fault]:
    """A sentence of the reference. The headline of columns that are too long says nothing."""
    if _HEADLINE.match(error):
        return
    too_long = _TOO_LONG.match(error)
    if _CUT_SHORT.search(error):
        yield Fault("", "the record is cut short")
        return
    if too_long is not None:
        yield Fault(too_long[1], f"is longer than the {too_long[2]} characters its column holds", None, True)
    else:
        yield Fault("", error.split("\n", 1)[0])


def _value(message: Mapping[str, Any]) -> Fault:
    """A value that is not what it should be: InputData, NotJson, the payload fields of a collector record."""
    field = str(message.get("payloadField") or message.get("field"))
    told = str(message.get("expectation") or message.get("error") or "is refused")
    value = message.get("value")
    shown = None if value is None else str(value)
    for pattern, words in _PLAIN:
        if pattern.fullmatch(told):
            return Fault(field, words, shown, True)
    return Fault(field, told, shown)


def _iglu(about: str, error: Mapping[str, Any]) -> Iterator[Fault]:
    """Data that does not fit its schema, a schema that cannot be used, one that no registry has."""
    if error.get("error") == "ResolutionError":
        yield Fault(about, _lookup(error.get("lookupHistory")), None, True)
        return
    for issue in error.get("schemaIssues") or ():
        yield Fault(about, f"the schema cannot be used: {_get(issue, 'message')}")
    for report in error.get("dataReports") or ():
        text = str(_get(report, "message"))
        path = _JSON_PATH.match(text)
        yield Fault(f"{about} {path[1]}", path[2]) if path else Fault(about, text)


def _lookup(history: object) -> str:
    """Whether registries lack a schema, or did not answer."""
    causes = [
        str(_get(error, "message") or _get(error, "error"))
        for one in (history if isinstance(history, list) else ())
        for error in (_get(one, "errors") or ())
    ]
    others = [cause for cause in causes if cause != "NotFound"]
    return f"could not be looked up: {others[0]}" if others else "is in none of the registries"


def _short_key(uri: object) -> str:
    """``com.acme/click/1-0-0`` for ``iglu:com.acme/click/jsonschema/1-0-0``."""
    return str(uri or "").removeprefix("iglu:").replace("/jsonschema/", "/")


def _schema_name(uri: object) -> str:
    parts = str(uri or "").split("/")
    return parts[1] if len(parts) == 4 else ""


def _sender(app_id: object, tracker: object) -> Sender:
    return Sender(_cut(str(app_id or "")), _cut(str(tracker or "")))


def _get(value: object, key: str) -> Any:
    return value.get(key) if isinstance(value, Mapping) else None


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…"
