"""The JSON Schema of ``snowetl.yml``, for editors that complete and check YAML."""

from __future__ import annotations

from typing import Any

from snowetl.settings.declaration import Option, Settings
from snowetl.settings.kinds import Document
from snowetl.settings.yml import Verbs

_VARIABLE = {"type": "string", "pattern": r"\$\{"}


def json_schema(verbs: Verbs) -> dict[str, Any]:
    """Keys of all verbs at the top, and a section for each verb; unknown keys are wrong."""
    sections = {name: _section(settings) for name, settings in verbs.items()}
    shared: dict[str, dict[str, Any]] = {}
    for section in sections.values():
        for key, described in section["properties"].items():
            known = shared.setdefault(key, described)
            if known["anyOf"] != described["anyOf"]:
                alternatives = known["anyOf"] + [each for each in described["anyOf"] if each not in known["anyOf"]]
                shared[key] = known | {"anyOf": alternatives}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "snowetl.yml",
        "description": "Every option of every verb as a key, at the top or below the name of the verb.",
        "type": "object",
        "properties": sections | shared,
        "additionalProperties": False,
    }


def _section(settings: type[Settings]) -> dict[str, Any]:
    properties = {each.key: _described(each) for each in settings.options() if not each.positional}
    return {"type": ["object", "null"], "properties": properties, "additionalProperties": False}


def _described(setting: Option) -> dict[str, Any]:
    one = setting.kind.json_schema()
    kinds = [one, *([] if one.get("type") == "string" or isinstance(setting.kind, Document) else [_VARIABLE])]
    if setting.multiple:
        kinds.append({"type": "array", "items": {"anyOf": list(kinds)}})
    described: dict[str, Any] = {"description": setting.help, "anyOf": kinds}
    if not setting.required and setting.default is not None and setting.default != ():
        described["default"] = setting.kind.to_json(setting.default)
    return described
