"""Tables over the files that a run leaves on S3, for engines that read them there: Athena, Glue, Redshift Spectrum.

What is in the files is a :class:`ExternalTable`; each engine is a function that words it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from snowetl.ddl.hive import quoted, type_text
from snowetl.ddl.parquet import Array, DecimalType, Field, FieldType, Struct
from snowetl.jvm import jsontext
from snowetl.model.fields import FIELDS

RUN = Field("run", "string", False)
"""The column that the folders ``run=<id>`` make."""

_TEXT_TYPES: dict[str, FieldType] = {
    "ts": "timestamp",
    "int": "integer",
    "txn": "integer",
    "float": "double",
    "dec": DecimalType(18, 2),
    "bool": "integer",  # the lines say 1 and 0, which no engine takes for a boolean
}


def enriched_columns() -> list[Field]:
    """The 131 columns of enriched lines. Entities are JSON text."""
    return [
        Field(column.name, "double" if column.name == "se_value" else _TEXT_TYPES.get(column.type, "string"), True)
        for column in FIELDS
    ]


def bad_row_columns() -> list[Field]:
    """The columns of bad rows; what differs by kind (failure, payload) is JSON text."""
    processor = Struct((Field("artifact", "string", True), Field("version", "string", True)))
    parts = (Field("processor", processor, True), Field("failure", "json", True), Field("payload", "json", True))
    return [Field("schema", "string", True), Field("data", Struct(parts), True)]


def json_columns(columns: Sequence[Field]) -> list[Field]:
    """Columns as lines of JSON have them: times are ISO text, which no reader of JSON takes for a time."""
    return [Field(column.name, _json_type(column.type), True) for column in columns]


def _json_type(type_: FieldType) -> FieldType:
    if isinstance(type_, Array):
        return Array(_json_type(type_.element), True)
    if isinstance(type_, Struct):
        return Struct(tuple(json_columns(type_.fields)))
    if isinstance(type_, DecimalType):
        return "double"
    return "string" if type_ in ("timestamp", "date") else type_


class Format(NamedTuple):
    """How files are read: classes of Hive, which all three engines go by."""

    classification: str
    input: str
    output: str
    serde: str
    properties: Mapping[str, str]


_HADOOP, _HIVE = "org.apache.hadoop.mapred", "org.apache.hadoop.hive.ql.io"
_TEXT_INPUT, _TEXT_OUTPUT = f"{_HADOOP}.TextInputFormat", f"{_HIVE}.HiveIgnoreKeyTextOutputFormat"
LINES = Format(
    "csv", _TEXT_INPUT, _TEXT_OUTPUT, "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
    {"field.delim": "\t", "serialization.format": "\t", "serialization.null.format": ""},
)  # fmt: skip
JSON = Format(
    "json", _TEXT_INPUT, _TEXT_OUTPUT, "org.openx.data.jsonserde.JsonSerDe", {"ignore.malformed.json": "true"}
)
PARQUET = Format(
    "parquet", f"{_HIVE}.parquet.MapredParquetInputFormat", f"{_HIVE}.parquet.MapredParquetOutputFormat",
    f"{_HIVE}.parquet.serde.ParquetHiveSerDe", {"serialization.format": "1"},
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ExternalTable:
    """A table over a folder. ``partitions``: ids of the runs that are there, and their folders."""

    database: str
    name: str
    columns: Sequence[Field]
    format: Format
    location: str
    partitions: Mapping[str, str] = field(default_factory=dict)


def athena(table: ExternalTable) -> list[str]:
    """Statements for Athena (and Hive). Runs that come later: the last statement again."""
    name = f"{quoted(table.database)}.{quoted(table.name)}"
    columns = ",\n".join(f"  {quoted(column.name)} {type_text(column.type)}" for column in table.columns)
    form = table.format
    create = (
        f"CREATE EXTERNAL TABLE IF NOT EXISTS {name} (\n{columns}\n)\n"
        f"PARTITIONED BY ({quoted(RUN.name)} {type_text(RUN.type)})\n"
        f"ROW FORMAT SERDE {_text(form.serde)}\nWITH SERDEPROPERTIES ({_properties(form.properties)})\n"
        f"STORED AS INPUTFORMAT {_text(form.input)}\nOUTPUTFORMAT {_text(form.output)}\n"
        f"LOCATION {_text(_folder(table.location))}\n"
        f"TBLPROPERTIES ({_properties({'classification': form.classification})})"
    )
    if not table.partitions:
        return [create, f"MSCK REPAIR TABLE {name}"]
    return [create, *_add_partitions(name, quoted(RUN.name), table.partitions)]


def spectrum(table: ExternalTable) -> list[str]:
    """Statements for Redshift Spectrum. ``database`` is the external schema."""
    name = f"{_double_quoted(table.database)}.{_double_quoted(table.name)}"
    columns = ",\n".join(f"  {_double_quoted(column.name)} {_spectrum_type(column.type)}" for column in table.columns)
    form = table.format
    stored, more = _SPECTRUM_FORMATS[form.classification]
    create = (
        f"CREATE EXTERNAL TABLE {name} (\n{columns}\n)\n"
        f"PARTITIONED BY ({_double_quoted(RUN.name)} {_spectrum_type(RUN.type)})\n{stored}\n"
        f"LOCATION {_text(_folder(table.location))}{more}"
    )
    return [create, *_add_partitions(name, _double_quoted(RUN.name), table.partitions)]


_SPECTRUM_FORMATS = {
    "csv": (
        "ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t'\nSTORED AS TEXTFILE",
        "\nTABLE PROPERTIES ('serialization.null.format'='')",
    ),
    "json": (f"ROW FORMAT SERDE '{JSON.serde}'\nSTORED AS TEXTFILE", ""),
    "parquet": ("STORED AS PARQUET", ""),
}
"""How files of a format are stored, and what goes behind their place."""
_SPECTRUM_TYPES = {
    "string": "varchar(65535)",
    "json": "varchar(65535)",
    "integer": "int",
    "long": "bigint",
    "double": "double precision",
}


def _spectrum_type(type_: FieldType) -> str:
    if isinstance(type_, Array):
        return f"array<{_spectrum_type(type_.element)}>"
    if isinstance(type_, Struct):
        return f"struct<{','.join(f'{member.name}:{_spectrum_type(member.type)}' for member in type_.fields)}>"
    return _SPECTRUM_TYPES.get(type_, type_text(type_)) if isinstance(type_, str) else type_text(type_)


def _add_partitions(name: str, column: str, partitions: Mapping[str, str]) -> list[str]:
    return [
        f"ALTER TABLE {name} ADD IF NOT EXISTS PARTITION ({column}={_text(run)}) LOCATION {_text(_folder(folder))}"
        for run, folder in partitions.items()
    ]


def glue(table: ExternalTable) -> list[str]:
    """Requests for Glue's ``create_table`` and, where runs are known, ``batch_create_partition``: a document each."""
    form = table.format

    def stored(folder: str) -> dict[str, Any]:
        return {
            "Columns": [{"Name": column.name, "Type": type_text(column.type)} for column in table.columns],
            "Location": _folder(folder),
            "InputFormat": form.input,
            "OutputFormat": form.output,
            "SerdeInfo": {"SerializationLibrary": form.serde, "Parameters": dict(form.properties)},
        }

    found: list[dict[str, Any]] = [
        {
            "DatabaseName": table.database,
            "TableInput": {
                "Name": table.name,
                "TableType": "EXTERNAL_TABLE",
                "Parameters": {"EXTERNAL": "TRUE", "classification": form.classification},
                "PartitionKeys": [{"Name": RUN.name, "Type": type_text(RUN.type)}],
                "StorageDescriptor": stored(table.location),
            },
        }
    ]
    runs = list(table.partitions.items())
    for start in range(0, len(runs), _PARTITIONS_AT_ONCE):
        some = [
            {"Values": [run], "StorageDescriptor": stored(folder)}
            for run, folder in runs[start : start + _PARTITIONS_AT_ONCE]
        ]
        found.append({"DatabaseName": table.database, "TableName": table.name, "PartitionInputList": some})
    return [jsontext.dumps(document) for document in found]


_PARTITIONS_AT_ONCE = 100
"""The most that Glue takes in one request."""


class Engine(NamedTuple):
    """``words`` gives statements or documents, ``end`` is what each of them ends with."""

    words: Callable[[ExternalTable], list[str]]
    end: str


ENGINES = {"athena": Engine(athena, ";\n"), "glue": Engine(glue, "\n"), "spectrum": Engine(spectrum, ";\n")}


def _text(value: str) -> str:
    """A text of SQL. Backslashes stand for other signs in Hive's words, and in Spectrum's properties."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'").replace("\t", "\\t") + "'"


def _properties(properties: Mapping[str, str]) -> str:
    return ", ".join(f"{_text(name)}={_text(value)}" for name, value in properties.items())


def _double_quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _folder(location: str) -> str:
    return location.rstrip("/") + "/"
