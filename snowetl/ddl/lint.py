"""What is wrong with one schema: the linters of igluctl (schema-ddl 0.18.2 ``Linter``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from snowetl.ddl import redshift
from snowetl.ddl.schema import SELF_DESCRIBING_URI, Schema

ERROR, WARNING, INFO = "error", "warning", "info"
LEVELS = (ERROR, WARNING, INFO)

_KNOWN_FORMATS = ("date-time", "date", "email", "hostname", "ipv4", "ipv6", "uri", "uuid")
_KEYWORDS = {
    "number": ("multiple_of", "minimum", "maximum"),
    "string": ("max_length", "min_length", "pattern", "format"),
    "array": ("items", "additional_items", "min_items", "max_items"),
    "object": ("properties", "additional_properties", "required", "pattern_properties"),
}


class Issue(NamedTuple):
    """Something to change in a schema. ``pointer`` is a JSON pointer into it, ``rule`` the name of what found it."""

    level: str
    rule: str
    pointer: str
    message: str

    def __str__(self) -> str:
        return f"{self.level}: {self.message} ({self.rule}, at {self.pointer or '/'})"


# --- one schema -----------------------------------------------------------------------------------------------------


def lint(schema: Schema) -> list[Issue]:
    """Issues of a schema alone, every subschema looked at."""
    issues = []
    for pointer, node in _nodes(schema, ""):
        for rule, level, find in _RULES:
            message = find(node, pointer)
            if message is not None:
                issues.append(Issue(level, rule, pointer, message))
    return issues


def _nodes(schema: Schema, pointer: str) -> Iterator[tuple[str, Schema]]:
    yield pointer, schema
    if isinstance(schema.items, Schema):
        yield from _nodes(schema.items, f"{pointer}/items")
    for number, member in enumerate(schema.items if isinstance(schema.items, tuple) else ()):
        yield from _nodes(member, f"{pointer}/items/{number}")
    for keyword, value in (
        ("additionalItems", schema.additional_items),
        ("additionalProperties", schema.additional_properties),
    ):
        if isinstance(value, Schema):
            yield from _nodes(value, f"{pointer}/{keyword}")
    for keyword, members in (("properties", schema.properties), ("patternProperties", schema.pattern_properties)):
        for name, member in (members or {}).items():
            yield from _nodes(member, f"{pointer}/{keyword}/{escaped(name)}")
    for number, member in enumerate(schema.one_of or ()):
        yield from _nodes(member, f"{pointer}/oneOf/{number}")


def escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _root_object(schema: Schema, pointer: str) -> str | None:
    if pointer == "" and (not schema.properties or schema.type != "object"):
        return 'the root should have "type": "object" and "properties"'
    return None


def _schema_uri(schema: Schema, pointer: str) -> str | None:
    if pointer == "" and schema.schema_uri != SELF_DESCRIBING_URI:
        return f'"$schema" must be {SELF_DESCRIBING_URI}'
    return None


def _bounds(low: str, high: str) -> Callable[[Schema, str], str | None]:
    def find(schema: Schema, pointer: str) -> str | None:
        lowest, highest = getattr(schema, low), getattr(schema, high)
        if lowest is None or highest is None or lowest <= highest:
            return None
        return f"{_json_name(low)} {lowest} is greater than {_json_name(high)} {highest}"

    return find


def _foreign_keywords(type_: str) -> Callable[[Schema, str], str | None]:
    """Keywords that mean nothing for the types a schema allows."""

    def find(schema: Schema, pointer: str) -> str | None:
        allowed = schema.type is None or schema.allows(type_) or (type_ == "number" and schema.allows("integer"))
        found = [keyword for keyword in _KEYWORDS[type_] if getattr(schema, keyword) is not None]
        if allowed or not found:
            return None
        return f"{', '.join(map(_json_name, found))} mean nothing here: the type does not include {type_}"

    return find


def _json_name(field: str) -> str:
    first, *rest = field.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _unknown_required(schema: Schema, pointer: str) -> str | None:
    if schema.additional_properties is not False or schema.properties is None or schema.pattern_properties is not None:
        return None
    missing = [name for name in schema.required or () if name not in schema.properties]
    return f"required names what no property is: {', '.join(missing)}" if missing else None


def _unknown_format(schema: Schema, pointer: str) -> str | None:
    if schema.format is None or schema.format in _KNOWN_FORMATS:
        return None
    return f"format {schema.format} is unknown: known are {', '.join(_KNOWN_FORMATS)}"


def _open_number(schema: Schema, pointer: str) -> str | None:
    numeric = schema.allows("number") or schema.allows("integer")
    open_ = numeric and (schema.minimum is None or schema.maximum is None)
    return "a number should have minimum and maximum: they choose the column's type" if open_ else None


def _open_string(schema: Schema, pointer: str) -> str | None:
    open_ = schema.allows("string") and schema.enum is None and schema.max_length is None
    if not open_ or schema.format in _KNOWN_FORMATS:
        return None
    column = f"VARCHAR({redshift.DEFAULT_VARCHAR})"
    return f"a string should have maxLength, a known format or enum: without, its column is {column}"


def _long_string(schema: Schema, pointer: str) -> str | None:
    if schema.allows("string") and schema.max_length is not None and schema.max_length > redshift.MAX_VARCHAR:
        return f"maxLength {schema.max_length} is more than Redshift's {redshift.MAX_VARCHAR}"
    return None


def _optional_without_null(schema: Schema, pointer: str) -> str | None:
    if schema.properties is None or schema.required is None:
        return None
    found = [
        name for name, member in schema.properties.items() if name not in schema.required and not member.allows("null")
    ]
    return f"optional, and null is not allowed: {', '.join(sorted(found))}" if found else None


def _undescribed(schema: Schema, pointer: str) -> str | None:
    return "there is no description" if schema.description is None else None


_RULES: tuple[tuple[str, str, Callable[[Schema, str], str | None]], ...] = (
    ("rootObject", WARNING, _root_object),
    ("schemaUri", ERROR, _schema_uri),
    ("numericMinimumMaximum", ERROR, _bounds("minimum", "maximum")),
    ("stringMinMaxLength", ERROR, _bounds("min_length", "max_length")),
    ("arrayMinMaxItems", ERROR, _bounds("min_items", "max_items")),
    ("numericProperties", ERROR, _foreign_keywords("number")),
    ("stringProperties", ERROR, _foreign_keywords("string")),
    ("arrayProperties", ERROR, _foreign_keywords("array")),
    ("objectProperties", ERROR, _foreign_keywords("object")),
    ("requiredPropertiesExist", ERROR, _unknown_required),
    ("stringMaxLengthRange", WARNING, _long_string),
    ("unknownFormats", WARNING, _unknown_format),
    ("numericMinMax", WARNING, _open_number),
    ("stringLength", WARNING, _open_string),
    ("optionalNull", INFO, _optional_without_null),
    ("description", INFO, _undescribed),
)
