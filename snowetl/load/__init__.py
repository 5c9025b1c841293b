"""Runs into warehouses: the room, and the verb (``snowetl.load(...)``, see ``snowetl.library``)."""

from snowetl.callable_rooms import make_callable

make_callable(__name__)
