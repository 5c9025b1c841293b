"""What an enrichment is. To add one, write one file and one row of a table:

1. ``snowetl/enrich/enrichments/NAME.py`` holds a class that fits :class:`Enrichment`, picklable::

       @configuration
       class HostConf:
           \"\"\"Adds the host of the page, in upper case, as an entity.\"\"\"

           criterion: ClassVar[SchemaCriterion] = parameters.criterion("host_config")
           place: ClassVar[Place] = Place(115)

           schema_key: SchemaKey
           suffix: str

           @classmethod
           def parse(cls, key: SchemaKey, data: dict[str, Any]) -> HostConf:
               given = Parameters(data)
               suffix = given.read("parameters.suffix", parameters.text, "")
               given.check()  # raises ConfigError with all faults at once
               return cls(key, suffix)

           def needs(self) -> Needs:
               return Needs()

           def open(self, services: Services) -> AbstractContextManager[Step]:
               return nullcontext(Host(self.suffix))  # what holds connections or files is a @contextmanager

       ENRICHMENT: type[Enrichment] = HostConf

   ``Host`` is the step: a callable that reads and writes a :class:`~snowetl.enrich.draft.Draft`.
   Of several configurations of one kind the last counts; all of them do, in file order, where the class says
   ``several: ClassVar[bool] = True``. A class that knows models before that of ``criterion`` has
   ``older: ClassVar[dict[int, Older]]``.
2. A row in ``snowetl.enrich.enrichments.BUILT_IN``: the name of the file. In another package instead: an entry point
   of the group ``snowetl.enrichments`` that names the class (``host = "my_package.host:HostConf"``).
3. The configuration's schema in ``snowetl/iglu/schemas/…``, a test file, a page in docs/enrichments.

What a step may do:

- read and write columns: ``draft.values[INDEX["app_id"]]`` (``""`` is null, ``EMPTY`` is empty text), the JSON columns
  ``contexts``, ``unstruct_event`` included;
- add entities: ``draft.add(Entity(uri, text))``; they are validated against their schemas once per distinct text. What
  is there so far: ``draft.entities``, as a column's text ``contexts_text(draft.entities)``;
- fail the event: ``draft.fail(message, …)``, any number of messages, each made by ``badrow.enrichment_message(…,
  str(self.schema_key), "identifier")``. All later steps still run; all failures end in one ``enrichment_failures``
  bad row, those of later steps first. Never raise for what an event holds: that is a ``generic_error`` bad row;
- drop the event: ``draft.drop("reason")``. It ends as a discard, counted under the reason;
- send a further event along: ``draft.emit(event)`` (an ``EnrichedEvent``). It goes out if the event itself does;
- read what came over HTTP: ``draft.raw.payload.headers`` (``Name: value`` lines), ``.useragent``, ``.ip_address``;
- ask ``services``: see :class:`~snowetl.enrich.services.Services`. Wait for nothing without a deadline.

A step is built once per worker and serves millions of events: compile, read and connect in ``open``, remember results
by value in a :class:`~snowetl.caching.Memo`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple, Protocol, TypeVar, dataclass_transform

from snowetl.enrich.draft import Draft
from snowetl.enrich.services import Services
from snowetl.model.schema import SchemaCriterion, SchemaKey


class Asset(NamedTuple):
    """A file an enrichment reads: where it comes from, and the fixed local name the reference gives it."""

    uri: str
    name: str


class Place(NamedTuple):
    """When a step runs: smaller numbers first; names break ties.

    The numbers are those of the reference's steps, times ten (enrich 3.9.0 ``EnrichmentManager``): page URI 30, IAB 50,
    user_agent_utils 60, ua_parser 70, currency 80, referrer URI 90, referer_parser 95, page query string 100, campaign
    110, cross-domain 120, fingerprint 130, cookies 140, headers 150, yauaa 170, event schema 180, ip_lookups 190,
    weather 195, JavaScript 200, SQL 210, API 220; then the derived contexts are written and validated (230); anon_ip
    240, PII 250. A step from 230 on is a privacy step: nothing but the output sees what it does.

    ``legacy`` is the number under ``legacy_enrichment_order``; by default it is ``number``.
    """

    number: int
    legacy: int | None = None


CONTEXTS_WRITTEN = 230
"""Steps with a smaller number may add entities; those with a larger one see the finished event."""


Resolve = Callable[[Iterable[str]], Iterable[tuple[str, str]]]
"""From keys to (key, answer), for those that have an answer."""


class Lookup(Protocol):
    """A table of answers that is made once per run, before the run: one answer for each distinct key of its events.

    For what is too slow, or lives in another process, to be asked event by event. Picklable.
    """

    @property
    def name(self) -> str:
        """Names the table, once per run."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns :meth:`key` reads. The pass that gathers the keys converts no others, since it is one more."""
        ...

    def key(self, draft: Draft) -> str | None:
        """What to look up for an event (its payload and :attr:`columns` are there, no step has run), or ``None``.

        A key is short (some KB), whatever the event holds.
        """
        ...

    def check(self) -> None:
        """Raises ``ConfigError`` where :meth:`open` would find something missing on this machine."""
        ...

    def open(self) -> AbstractContextManager[Resolve]:
        """What answers keys, on the driver. Entering and resolving raise ``SnowetlError``."""
        ...


Older = Callable[[dict[str, Any]], dict[str, Any]]
"""From the ``data`` of a configuration of an older model to that of today, with the same meaning.

If there is no such order, raises ``ConfigError`` that says everything to change.
"""


class Needs(NamedTuple):
    """What an enrichment asks of the world; it is checked and brought before the work starts.

    ``files`` are downloaded once and handed over by address. ``extras`` are (extra, module) of optional packages it
    imports: ``("javascript", "quickjs")`` for what ``pip install 'snowetl[javascript]'`` brings.
    ``network`` names the hosts (``host:port`` or URL) it talks to, for those who open a firewall. ``secrets`` are texts
    that must not stand in logs, plans, reports or bad rows. ``lookups`` are the tables it wants.
    """

    files: tuple[Asset, ...] = ()
    extras: tuple[tuple[str, str], ...] = ()
    network: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    lookups: tuple[Lookup, ...] = ()


class Step(Protocol):
    """One enrichment at work: reads and writes the draft; never raises on bad data (it calls ``draft.fail``)."""

    def __call__(self, draft: Draft) -> None: ...


class Enrichment(Protocol):
    """The parsed configuration of one enrichment (a class that :func:`configuration` completes)."""

    criterion: ClassVar[SchemaCriterion]
    """The configuration schemas the enrichment accepts; their name is the enrichment's."""
    place: ClassVar[Place]

    @property
    def schema_key(self) -> SchemaKey:
        """The schema of this configuration, as given; failures name it."""
        ...

    @classmethod
    def parse(cls, key: SchemaKey, data: dict[str, Any]) -> Enrichment:
        """Read the configuration's ``data`` object. Raises ``ConfigError`` naming all that is wrong."""
        ...

    def needs(self) -> Needs: ...

    def open(self, services: Services) -> AbstractContextManager[Step]:
        """The step, ready; leaving the context gives back what it holds.

        Raises ``AssetError`` for an unreadable file, ``ConfigError`` for what cannot be put to work.
        """
        ...


_T = TypeVar("_T")
_OF_THE_CLASS = ("criterion", "place", "older", "several")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def configuration(class_: type[_T]) -> type[_T]:
    """Makes a frozen dataclass of a class that fits :class:`Enrichment`.

    In a compiled class the annotations no longer tell class variables from fields; their names do.
    """
    for name in _OF_THE_CLASS:
        class_.__annotations__.pop(name, None)
    return dataclass(frozen=True, slots=True)(class_)
