"""Holds what was found against our settings, so that no import writes a file that our verbs refuse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from snowetl.orchestrator.imports.emr_etl_runner.keys import is_reference
from snowetl.orchestrator.imports.found import Carried, Found, Left
from snowetl.orchestrator.settings import RunSettings
from snowetl.settings import Option, Settings
from snowetl.steps.settings import LoadSettings, TransformSettings

_VERBS: dict[str, type[Settings]] = {"run": RunSettings, "transform": TransformSettings, "load": LoadSettings}


def checked(found: Found) -> Found:
    """``found`` without values that our settings do not take: they are listed instead, with the reason."""
    left: list[Left] = []
    shared = {each.key: each for settings in _VERBS.values() for each in settings.options()}
    settings = _taken(found.settings, shared, left)
    verbs = {
        verb: _taken(carried, {each.key: each for each in _VERBS[verb].options()}, left)
        for verb, carried in found.verbs.items()
    }
    return replace(found, settings=settings, verbs=verbs, left=(*found.left, *left))


def _taken(carried: Mapping[str, Carried], options: Mapping[str, Option], left: list[Left]) -> dict[str, Carried]:
    taken = {}
    for key, each in carried.items():
        reason = None if each.file or is_reference(each.value) else _reason(options[key], each)
        if reason is None:
            taken[key] = each
        else:
            left.append(Left(each.origin, f"{key} does not take its value: {reason}", f"Write {key} yourself"))
    return taken


def _reason(option: Option, carried: Carried) -> str | None:
    """Why a setting does not take a value, ``None`` if it does."""
    try:
        option.parse(carried.value)
    except ValueError as error:
        return str(error)
    return None
