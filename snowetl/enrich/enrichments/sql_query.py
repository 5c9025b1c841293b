"""sql_query: entities from rows of a PostgreSQL or MySQL database (enrich 3.9.0 ``SqlQueryEnrichment``)."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import field
from typing import Any, ClassVar

from snowetl.caching import Failed, TtlCache
from snowetl.enrich.draft import Draft, Entity
from snowetl.enrich.enrichments import parameters
from snowetl.enrich.enrichments.base import Enrichment, Needs, Place, Step, configuration
from snowetl.enrich.enrichments.event_inputs import Column, Json, parse_source
from snowetl.enrich.enrichments.parameters import ENRICHMENTS, Parameters
from snowetl.enrich.enrichments.service_limits import CircuitBreaker
from snowetl.enrich.enrichments.sql_connection import Address, Connection, DatabaseFault
from snowetl.enrich.enrichments.sql_inputs import Inputs, Value
from snowetl.enrich.enrichments.sql_mysql import MySql
from snowetl.enrich.enrichments.sql_postgres import Postgres
from snowetl.enrich.enrichments.sql_statements import cut
from snowetl.enrich.enrichments.sql_values import CASES, DESCRIBES, EXPECTED, Output, Row, RowsFault
from snowetl.enrich.services import Services
from snowetl.model import badrow
from snowetl.model.schema import SchemaCriterion, SchemaKey

TIMEOUT_VARIABLE = "SNOWETL_SQL_TIMEOUT"
"""Seconds a query may take. Read where the job starts."""

_SECONDS = 30.0
_IDENTIFIER = "sql-query"
_MOST_PLACEHOLDERS = 64
_FAILED_CONNECTIONS = 5
DRIVERS: dict[str, type[Postgres] | type[MySql]] = {"postgresql": Postgres, "mysql": MySql}
_log = logging.getLogger("snowetl")


@configuration
class SqlQueryConf:
    """``kind`` is ``postgresql`` or ``mysql``; ``seconds`` is what a query may take."""

    criterion: ClassVar[SchemaCriterion] = parameters.criterion("sql_query_enrichment_config", vendor=ENRICHMENTS)
    place: ClassVar[Place] = Place(210)
    several: ClassVar[bool] = True

    schema_key: SchemaKey
    inputs: tuple[tuple[int, Column | Json], ...]
    kind: str
    address: Address
    sql: str
    output: Output
    cache_size: int
    cache_ttl: int
    ignore_on_error: bool
    seconds: float = field(default=_SECONDS)

    @classmethod
    def parse(cls, key: SchemaKey, data: dict[str, Any]) -> SqlQueryConf:
        given = Parameters(data)
        nothing: tuple[Any, ...] = ()
        inputs = given.read("parameters.inputs", _inputs, nothing)
        kind, address = given.read("parameters.database", _database, ("", Address("", 0, False, "", "", "")))
        sql = given.read("parameters.query.sql", parameters.text, "")
        output = given.read("parameters.output", _output, Output("", "", "", ""))
        size, ttl = (given.read(f"parameters.cache.{name}", parameters.integer, 0) for name in ("size", "ttl"))
        ignore = given.optional("parameters.ignoreOnError", parameters.boolean, False)
        seconds = _SECONDS
        try:
            seconds = float(os.environ.get(TIMEOUT_VARIABLE) or _SECONDS)
        except ValueError:
            seconds = 0.0
        if not 0 < seconds < 86_400:
            given.fault(f"{TIMEOUT_VARIABLE} is '{os.environ[TIMEOUT_VARIABLE]}', not a number of seconds")
        given.check()
        asked, filled = len(cut(sql, DRIVERS[kind].dialect)) - 1, len({place for place, _ in inputs})
        if asked != filled:
            text = "%s: the query has %d placeholders, the inputs fill %d: events that fill more or less pass by"
            _log.warning(text, key, asked, filled)
        return cls(key, inputs, kind, address, sql, output, size, ttl, ignore, seconds)

    def needs(self) -> Needs:
        return Needs(
            extras=(DRIVERS[self.kind].extra,),
            network=(f"{self.address.host}:{self.address.port}",),
            secrets=(self.address.password,) if self.address.password else (),
        )

    @contextmanager
    def open(self, services: Services) -> Iterator[Step]:
        step = SqlQuery(self, services)
        try:
            yield step
        finally:
            step.close()


ENRICHMENT: type[Enrichment] = SqlQueryConf


def _inputs(value: Any) -> tuple[tuple[int, Column | Json], ...]:
    """list of inputs."""
    if not isinstance(value, list):
        raise ValueError("it is not a list")
    return tuple(parse_input(item) for item in value)


def parse_input(value: Any) -> tuple[int, Column | Json]:
    """A placeholder's number and what fills it. Raises ``ValueError``."""
    placeholder = value.get("placeholder") if isinstance(value, dict) else None
    if placeholder is None:
        raise ValueError("Placeholder is missing")
    number = parameters.integer(placeholder)
    if number < 1:
        raise ValueError("Placeholder must be greater than 1")
    if number > _MOST_PLACEHOLDERS:
        raise ValueError(f"Placeholder must not be greater than {_MOST_PLACEHOLDERS}")
    return number, parse_source(value)


def _database(value: Any) -> tuple[str, Address]:
    """database."""
    kinds = [kind for kind in DRIVERS if isinstance(value, dict) and isinstance(value.get(kind), dict)]
    if len(kinds) != 1:
        raise ValueError(f"it names none, or more than one, of {', '.join(DRIVERS)}")
    given = Parameters(value[kinds[0]])
    texts = {name: given.read(name, parameters.text, "") for name in ("host", "username", "password", "database")}
    port = given.read("port", parameters.integer, 0)
    encrypted = given.read("sslMode", parameters.boolean, False)
    given.check_inside()
    return kinds[0], Address(texts["host"], port, encrypted, texts["username"], texts["password"], texts["database"])


def _output(value: Any) -> Output:
    """output."""
    given = Parameters(value if isinstance(value, dict) else {})
    paths = ("expectedRows", "json.schema", "json.describes", "json.propertyNames")
    expected, schema, describes, case = (given.read(path, parameters.text, "") for path in paths)
    for name, found, known in (
        ("expectedRows", expected, EXPECTED),
        ("describes", describes, DESCRIBES),
        ("propertyNames", case, CASES),
    ):
        if found and found not in known:
            given.fault(f"{name}: {found} is not one of {', '.join(known)}")
    given.check_inside()
    return Output(expected, schema, describes, case)


class SqlQuery:
    """The step: a query for each distinct set of values, as far as the cache reaches, over one connection."""

    def __init__(self, conf: SqlQueryConf, services: Services) -> None:
        self._conf = conf
        self._redact = services.secrets.redact
        self._inputs = Inputs(conf.inputs)
        self._driver = DRIVERS[conf.kind]
        self._pieces = cut(conf.sql, self._driver.dialect)
        self._connection: Connection | None = None
        self._breaker = CircuitBreaker(services.clock.monotonic, _FAILED_CONNECTIONS)
        self._answers: TtlCache[bytes, list[Entity], str] = services.cache(conf.cache_size, conf.cache_ttl)

    def __call__(self, draft: Draft) -> None:
        faults = self._inputs.faults
        if faults:
            self._fail(draft, "Error while building the map of placeholders", f"NonEmptyList({', '.join(faults)})")
            return
        values = self._inputs.read(draft)
        if values is None or len(values) != len(self._pieces) - 1:
            return
        name = hashlib.blake2b(repr(values).encode(), digest_size=16).digest()
        found = self._answers.get(name, lambda: self._ask(values))
        if isinstance(found, Failed):
            self._fail(draft, "Error while executing the sql lookup", found.error)
        else:
            draft.add(*found)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _fail(self, draft: Draft, *texts: str) -> None:
        if not self._conf.ignore_on_error:
            key = self._conf.schema_key.uri
            messages = (badrow.simple_error(self._redact(text)) for text in texts)
            draft.fail(*(badrow.enrichment_message(message, key, _IDENTIFIER) for message in messages))

    def _ask(self, values: tuple[Value, ...]) -> list[Entity] | Failed[str]:
        refusal = self._breaker.refusal()
        if refusal is not None:
            return Failed(refusal)
        try:
            return self._conf.output.entities(self._rows(values))
        except DatabaseFault as fault:
            if fault.lost:
                self._breaker.failed(str(fault))
            return Failed(str(fault))
        except RowsFault as fault:
            return Failed(str(fault))

    def _rows(self, values: tuple[Value, ...]) -> list[Row]:
        """Ask over the connection there is; one that turns out to be lost is replaced once."""
        kept = self._connection is not None
        try:
            rows = self._connected().rows(self._pieces, values)
        except DatabaseFault as fault:
            if fault.lost:
                self.close()
            if not (kept and fault.again):
                raise
            rows = self._retried(values)
        self._breaker.answered()
        return rows

    def _retried(self, values: tuple[Value, ...]) -> list[Row]:
        try:
            return self._connected().rows(self._pieces, values)
        except DatabaseFault as fault:
            if fault.lost:
                self.close()
            raise

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = self._driver(self._conf.address, self._conf.seconds)
        return self._connection
