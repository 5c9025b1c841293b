"""The ``events`` table, as ``snowetl.ddl.atomic`` types it."""

from snowetl.ddl.atomic import EVENT_COLUMNS, EVENT_FIELDS, EventColumn, postgres_columns, redshift_columns

__all__ = ["EVENT_COLUMNS", "EVENT_FIELDS", "EventColumn", "postgres_columns", "redshift_columns"]
