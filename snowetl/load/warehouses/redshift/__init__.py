"""Amazon Redshift: ``COPY`` from S3, migrations before the load's transaction (rdb-loader 5.6.3)."""

from __future__ import annotations

from snowetl.load.warehouses.redshift.warehouse import RedshiftWarehouse

__all__ = ["RedshiftWarehouse"]
