"""Enrichment configurations as users have them: a folder, a container, a list (enrich 3.9.0 ``EnrichmentRegistry``)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from snowetl.enrich.enrichments import NOT_YET, SUPPORTED
from snowetl.enrich.enrichments.base import Conf
from snowetl.errors import ConfigError
from snowetl.iglu.client import IgluClient
from snowetl.model import jsontext
from snowetl.model.schema import ParseError, SchemaCriterion, SchemaKey, self_describing
from snowetl.model.text import decode_base64, decode_utf8

_log = logging.getLogger(__name__)

_CONTAINER = SchemaCriterion("com.snowplowanalytics.snowplow", "enrichments", "jsonschema", 1, 0, None)

Source = tuple[str, Any]
"""Where a configuration comes from, and its JSON."""


def read_enrichments(source: Any, iglu: IgluClient) -> list[Conf]:
    """The enabled configurations of ``source``: ``None``, a folder or file, parsed JSON, JSON text or base64 of it.

    Every element is validated against its own schema, even a disabled one. Raises ``ConfigError`` for the first that
    cannot be used, naming it.
    """
    confs = [_read_one(where, value, iglu) for where, value in _elements(source, iglu)]
    return [conf for conf in confs if conf is not None]


# --- where they are -------------------------------------------------------------------------------------------------


def _elements(source: Any, iglu: IgluClient) -> Iterator[Source]:
    if source is None:
        return
    if isinstance(source, (list, tuple)):
        for index, value in enumerate(source):
            yield f"enrichments[{index}]", value
        return
    if isinstance(source, Path) or (isinstance(source, str) and _is_path(source)):
        yield from _from_path(Path(source), iglu)
    elif isinstance(source, str):
        yield from _from_text(source, iglu)
    else:
        yield from _from_value("enrichments", source, iglu)


def _is_path(text: str) -> bool:
    if text.lstrip().startswith(("{", "[")):
        return False
    try:
        return Path(text).exists() or "/" in text.strip("=") and not _decodes(text)
    except (OSError, ValueError):  # too long for a file name, or with a NUL in it
        return False


def _decodes(text: str) -> bool:
    return decode_base64(text).lstrip().startswith((b"{", b"["))


def _from_text(text: str, iglu: IgluClient) -> Iterator[Source]:
    if text.lstrip().startswith(("{", "[")):
        yield from _from_value("enrichments", _parse("enrichments", text), iglu)
        return
    decoded = decode_utf8(decode_base64(text))
    if not decoded.lstrip().startswith(("{", "[")):
        raise ConfigError(
            f"enrichments: {text[:60]!r} is neither a folder or file that is there, nor JSON, nor base64 of JSON"
        )
    yield from _from_value("enrichments", _parse("enrichments (base64)", decoded), iglu)


def _from_path(path: Path, iglu: IgluClient) -> Iterator[Source]:
    """A folder is all its ``*.json`` files, by name; a file holds one configuration, a list or the container."""
    if path.is_dir():
        files = sorted(path.glob("*.json"))
        if not files:
            raise ConfigError(f"{path}: no *.json file in it; a folder of enrichments holds one JSON file for each")
        for file in files:
            yield str(file), _parse(str(file), _read(file))
        return
    yield from _from_value(str(path), _parse(str(path), _read(path)), iglu)


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"{path} cannot be read: {reason}") from None


def _parse(where: str, text: str) -> Any:
    try:
        return jsontext.loads(text)
    except jsontext.JsonError as error:
        raise ConfigError(f"{where} is no JSON: {error}") from None


def _from_value(where: str, value: Any, iglu: IgluClient) -> Iterator[Source]:
    if isinstance(value, list):
        for index, element in enumerate(value):
            yield f"{where}[{index}]", element
        return
    key, data = _self_describing(where, value)
    if (key.vendor, key.name) != _CONTAINER[:2]:
        yield where, value
        return
    fault = iglu.checker(key.uri).check(data)
    if fault is not None:
        raise ConfigError(f"{where}: {jsontext.dumps(fault)}")
    if not _CONTAINER.matches(key):
        raise ConfigError(f"{where}: Schema criterion {_CONTAINER} does not match schema {key}")
    for index, element in enumerate(data):
        yield f"{where}: data[{index}]", element


# --- what they say --------------------------------------------------------------------------------------------------


def _read_one(where: str, value: Any, iglu: IgluClient) -> Conf | None:
    """The configuration, or ``None`` for one that is switched off or unknown to the reference too."""
    key, data = _self_describing(where, value)
    fault = iglu.checker(key.uri).check(data)
    if fault is not None:
        raise ConfigError(f"{where}: Enrichment with key '{key}` is invalid - {jsontext.dumps(fault)}")
    if data.get("enabled") is False:
        return None
    conf = SUPPORTED.get(key.name)
    if conf is None:
        if key.name in NOT_YET:
            raise ConfigError(
                f"{where}: the enrichment {key.name} is not supported by this version of snowetl; "
                'running without it would change the events: set "enabled": false to do so all the same'
            )
        _log.warning("%s: unknown enrichment %s is ignored", where, key)
        return None
    if not conf.criterion.matches(key):
        raise ConfigError(
            f"{where}: Schema key {key} is not supported. A '{key.name}' enrichment must have schema {conf.criterion}."
        )
    try:
        return conf.parse(key, data)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None


def _self_describing(where: str, value: Any) -> tuple[SchemaKey, Any]:
    try:
        return self_describing(value)
    except ParseError as error:
        raise ConfigError(f"{where}: {error.code} (a self-describing JSON has 'schema' and 'data')") from None
