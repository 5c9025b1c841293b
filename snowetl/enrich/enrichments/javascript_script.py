"""javascript_script: a script of the user's own reads and changes each event.

Source: enrich 3.9.0 ``JavascriptScriptEnrichment``.
With what later releases added: ``process(event, params, headers)``, ``event.drop()``, ``eraseDerived_contexts()``.
The reference runs Nashorn, without limits; here QuickJS runs the script, see ``javascript_engine``.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, ClassVar

from snowetl.enrich.draft import Draft, Entity
from snowetl.enrich.enrichments import javascript_java, parameters
from snowetl.enrich.enrichments.base import Enrichment, Needs, Place, Step, configuration
from snowetl.enrich.enrichments.parameters import Parameters
from snowetl.enrich.self_describing import contexts_text
from snowetl.enrich.services import Services
from snowetl.errors import ConfigError
from snowetl.jvm import doubles, jsontext
from snowetl.jvm.big_decimal import DecimalError, canonical
from snowetl.jvm.commons_codec import decode_base64
from snowetl.model import badrow
from snowetl.model.event import EMPTY
from snowetl.model.fields import FIELDS, INDEX
from snowetl.model.schema import ParseError, SchemaCriterion, SchemaKey, self_describing

if TYPE_CHECKING:
    from snowetl.enrich.enrichments.javascript_engine import Script

_log = logging.getLogger("snowetl")
PRINTED = logging.getLogger("snowetl.javascript")
"""What scripts print goes here, at the level DEBUG."""

_IDENTIFIER = "Javascript enrichment"
_DROPPED = "dropped by the JavaScript enrichment"
_DERIVED_CONTEXTS = INDEX["derived_contexts"]
_ENGINE = "quickjs"


@configuration
class JavascriptConf:
    """``script`` defines ``process(event, params, headers)``; ``params`` (JSON text) is handed to it."""

    criterion: ClassVar[SchemaCriterion] = parameters.criterion("javascript_script_config")
    place: ClassVar[Place] = Place(200, legacy=182)
    several: ClassVar[bool] = True

    schema_key: SchemaKey
    script: str
    params: str = "{}"

    @classmethod
    def parse(cls, key: SchemaKey, data: dict[str, Any]) -> JavascriptConf:
        given = Parameters(data)
        encoded = given.read("parameters.script", parameters.text, "")
        config = given.optional("parameters.config", _object, "{}")
        given.check()
        try:
            script = decode_base64(encoded).decode()
        except UnicodeDecodeError as error:
            raise ConfigError(f"could not base64 decode: {error}. Encode the script, in UTF-8, as base64") from None
        if not script.strip():
            raise ConfigError("Provided script for JS enrichment is empty")
        if importlib.util.find_spec(_ENGINE) is not None:  # else the extra is missing, which is told as such
            for line, text in check(script, config).warnings:
                _log.warning("javascript_script_config, line %d of the script: %s", line, text)
        return cls(key, script, config)

    def needs(self) -> Needs:
        return Needs(extras=(("javascript", _ENGINE),))

    def open(self, services: Services) -> AbstractContextManager[Step]:
        from snowetl.enrich.enrichments.javascript_engine import Script

        return nullcontext(JavascriptScript(Script(self.script, self.params), str(self.schema_key)))


ENRICHMENT: type[Enrichment] = JavascriptConf


def check(script: str, config: str = "{}") -> javascript_java.Review:
    """What a script uses of Java. Raises ``ConfigError`` with all that is wrong with it."""
    review, faults = tried(script, config)
    if faults:
        raise ConfigError(f"the script cannot be used: {'; '.join(faults)}")
    return review


def tried(script: str, config: str = "{}") -> tuple[javascript_java.Review, list[str]]:
    """What a script uses of Java, and all that is wrong with it; it is compiled if nothing is missing."""
    from snowetl.enrich.enrichments.javascript_engine import Script, ScriptFault, java_classes

    review = javascript_java.review(script, java_classes())
    faults = [f"line {line}: {text}" for line, text in review.faults]
    if not faults:
        try:
            Script(script, config)
        except ScriptFault as fault:
            faults.append(str(fault))
    return review, faults


def _object(value: Any) -> str:
    """object."""
    if not isinstance(value, dict):
        raise ValueError(f"{jsontext.dumps(value)} is not an object")
    return jsontext.dumps(value)


class JavascriptScript:
    """The step."""

    def __init__(self, script: Script, schema_key: str) -> None:
        self._script = script
        self._schema_key = schema_key

    def __call__(self, draft: Draft) -> None:
        values, script = draft.values, self._script
        if draft.entities:
            values[_DERIVED_CONTEXTS] = contexts_text(draft.entities)  # the bad row of an event that fails shows it
        printing = PRINTED.isEnabledFor(logging.DEBUG)
        outcome = script.call(values, draft.raw.payload.headers, keep_printed=printing)
        for line in outcome.printed:
            PRINTED.debug("%s", line)
        error = outcome.error
        for index, value in outcome.changes:  # they hold even if the script failed later
            try:
                values[index] = _SETTERS[index](value)
            except DecimalError as fault:
                error = error or f"{FIELDS[index].name} cannot be {value}: {fault}"
        if outcome.erased:
            draft.entities.clear()
            if all(index != _DERIVED_CONTEXTS for index, _ in outcome.changes):
                values[_DERIVED_CONTEXTS] = ""
        if outcome.dropped:
            draft.drop(_DROPPED)
        if error is not None:
            self._fail(draft, f"Error during execution of JavaScript function: [{error}]")
        elif outcome.result is not None:
            self._add(draft, outcome.result)

    def _add(self, draft: Draft, result: str) -> None:
        """Entities of what ``process`` returned, as JSON text."""
        try:
            items = jsontext.loads_exact(result)
        except jsontext.JsonError as error:
            self._fail(draft, f"Could not parse output JSON of Javascript function. Error: [{error}]")
            return
        if not isinstance(items, list):
            shown = _indented(items)
            text = f"Output of JavaScript function [{shown}] could be parsed as JSON but is not read as an array"
            self._fail(draft, text)
            return
        entities: list[Entity] = []
        faults: list[str] = []
        for item in items:
            try:
                self_describing(item)
            except ParseError as error:
                faults.append(f"error code:[{error.code}],json:[{jsontext.dumps(item)}]")
            else:
                text = jsontext.dumps({"schema": item["schema"], "data": item["data"]})
                entities.append(Entity(item["schema"], text))
        if faults:
            self._fail(draft, f"Resulting contexts are not self-desribing. Error(s): [{';'.join(faults)}]")
        else:
            draft.add(*entities)

    def _fail(self, draft: Draft, text: str) -> None:
        draft.fail(badrow.enrichment_message(badrow.simple_error(text), self._schema_key, _IDENTIFIER))


# --- what a setter writes -----------------------------------------------------------------------------------------


def _text(value: str | float | None) -> str:
    """Text for one cell of a line: line breaks go, tabs become four spaces, as in a collector's name."""
    if value is None:
        return ""
    text = str(value)
    if not text.isprintable():
        text = text.replace("\r", "").replace("\n", "").replace("\t", "    ")
    return text or EMPTY


def _float(value: str | float | None) -> str:
    return "" if value is None else doubles.float_text(float(value))


def _decimal(value: str | float | None) -> str:
    return "" if value is None else canonical(str(value))


_BY_TYPE: dict[str, Callable[[str | float | None], str]] = {"float": _float, "dec": _decimal}
_SETTERS = [_BY_TYPE.get(field.type, _text) for field in FIELDS]


def _indented(value: Any, depth: int = 0) -> str:
    """JSON as circe prints it with ``spaces2``."""
    pad, inner = "  " * depth, "  " * (depth + 1)
    if isinstance(value, dict) and value:
        members = (f"{inner}{jsontext.quote(key)} : {_indented(item, depth + 1)}" for key, item in value.items())
        return "{\n" + ",\n".join(members) + f"\n{pad}}}"
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(inner + _indented(item, depth + 1) for item in value) + f"\n{pad}]"
    return jsontext.dumps(value)
