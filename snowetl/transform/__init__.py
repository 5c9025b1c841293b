"""Enriched line to rows: the room, and the verb (``snowetl.transform(...)``, see ``snowetl.library``)."""

from snowetl.callable_rooms import make_callable

make_callable(__name__)
