"""BigQuery: wide rows in Parquet, by load jobs.

A load is a job for each table: the events, their bad rows, the row of the manifest. A job is atomic, and its id says
table and run: BigQuery refuses a second job of an id, so each is made once, however often the load is begun. A job
that failed leaves nothing; the next has the next number.
"""

from __future__ import annotations

from snowetl.load.warehouses.bigquery.warehouse import BigQueryWarehouse

__all__ = ["BigQueryWarehouse"]
