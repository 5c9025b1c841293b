"""Reading the ``data`` object of an enrichment's configuration, in the reference's words where it complains."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from snowetl.enrich.enrichments.base import Asset
from snowetl.enrich.uri import UriError, parse_uri
from snowetl.errors import ConfigError
from snowetl.jvm import jsontext
from snowetl.jvm.json_number import JsonNumber
from snowetl.model.schema import SchemaCriterion, SchemaKey

T = TypeVar("T")

SNOWPLOW = "com.snowplowanalytics.snowplow"
ENRICHMENTS = f"{SNOWPLOW}.enrichments"


class Parameters:
    """Values by dotted path. What cannot be read is collected, and raised together by :meth:`check`."""

    def __init__(self, data: dict[str, Any]) -> None:
        self._data = data
        self._errors: list[str] = []

    def read(self, path: str, decode: Callable[[Any], T], default: T) -> T:
        """The value at ``path``. ``default`` if it is missing, or if ``decode`` raises ``ValueError``."""
        value = self._find(path)
        if value is None:
            return self._fault(path, decode, "it is missing", default)
        try:
            return decode(value)
        except ValueError as error:
            return self._fault(path, decode, str(error), default)

    def optional(self, path: str, decode: Callable[[Any], T], default: T) -> T:
        """As :meth:`read`, but a missing or null value is not a fault."""
        return default if self._find(path) is None else self.read(path, decode, default)

    def asset(self, folder: str, database: str, name: str) -> Asset:
        """The file ``database`` in the folder ``folder`` (two paths), under the local ``name``."""
        uri = self.read(folder, text, "")
        file = self.read(database, text, "")
        address = f"{uri}{'' if uri.endswith('/') else '/'}{file}"
        try:
            parse_uri(address)
        except UriError as error:
            self.fault(str(error))
        return Asset(address, name)

    def fault(self, message: str) -> None:
        self._errors.append(message)

    def check(self) -> None:
        """Raises ``ConfigError`` with all faults so far."""
        if self._errors:
            raise ConfigError(", ".join(self._errors))

    def check_inside(self) -> None:
        """As :meth:`check`, inside of a decoder: a ``ValueError``, so that what else is wrong is told, too."""
        if self._errors:
            raise ValueError(", ".join(self._errors))

    def _find(self, path: str) -> Any:
        value: Any = self._data
        for key in path.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def _fault(self, path: str, decode: Callable[[Any], T], reason: str, default: T) -> T:
        kind = (decode.__doc__ or "").strip(".")
        self.fault(f"Could not extract {path} as {kind} from supplied JSON due to {reason}")
        return default


def text(value: Any) -> str:
    """string."""
    if not isinstance(value, str):
        raise ValueError(f"{_shown(value)} is not a string")
    return value


def boolean(value: Any) -> bool:
    """boolean."""
    if not isinstance(value, bool):
        raise ValueError(f"{_shown(value)} is not true or false")
    return value


def integer(value: Any) -> int:
    """integer."""
    number = float(value) if isinstance(value, JsonNumber) else value
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    if isinstance(number, bool) or not isinstance(number, int):
        raise ValueError(f"{_shown(value)} is not an integer")
    return number


def texts(value: Any) -> tuple[str, ...]:
    """list of strings."""
    if not isinstance(value, list):
        raise ValueError(f"{_shown(value)} is not a list")
    return tuple(text(item) for item in value)


def text_map(value: Any) -> tuple[tuple[str, str], ...]:
    """object of strings."""
    if not isinstance(value, dict):
        raise ValueError(f"{_shown(value)} is not an object")
    return tuple((name, text(item)) for name, item in value.items())


def criterion(name: str, model: int = 1, vendor: str = SNOWPLOW) -> SchemaCriterion:
    """``MODEL-0-*`` of an enrichment's configuration."""
    return SchemaCriterion(vendor, name, "jsonschema", model, 0, None)


def check_schema(key: SchemaKey, expected: SchemaCriterion) -> None:
    """Raises ``ConfigError`` for a configuration of a version (or vendor) that is not supported."""
    if not expected.matches(key):
        raise ConfigError(not_supported(key, expected))


def not_supported(key: SchemaKey, expected: SchemaCriterion) -> str:
    """The reference's sentence for a configuration of another version."""
    return f"Schema key {key} is not supported. A '{expected.name}' enrichment must have schema {expected}."


def _shown(value: Any) -> str:
    shown = jsontext.dumps(value)
    return shown if len(shown) <= 100 else f"{shown[:100]}…"
