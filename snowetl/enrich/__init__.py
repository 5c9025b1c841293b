"""Raw event to enriched event: the room, and the verb (``snowetl.enrich(...)``, see ``snowetl.library``)."""

from snowetl.callable_rooms import make_callable

make_callable(__name__)
