"""Which warehouse a user means, and what is said of one that cannot be."""

from __future__ import annotations

import pytest

from snowetl.errors import ConfigError
from snowetl.load.target import Target
from snowetl.load.warehouses.postgres import PostgresWarehouse
from snowetl.load.warehouses.redshift import RedshiftWarehouse

ROLE = "arn:aws:iam::123456789012:role/loader"
REDSHIFT = "redshift://me:s3cret@cluster.example.com:5439/analytics"


def test_redshift() -> None:
    target = Target(warehouse="redshift", database=REDSHIFT, role_arn=ROLE, region="eu-west-1", schema="web")
    target.check()
    assert target.capabilities.bad_rows_table
    assert str(target) == "redshift redshift://me@cluster.example.com:5439/analytics, schema web"
    with target.open() as warehouse:
        assert isinstance(warehouse, RedshiftWarehouse)
        assert warehouse.schema == "web"


def test_a_server_by_url() -> None:
    target = Target(database="postgresql://me:s3cret@host/db")
    target.check()
    assert str(target) == "postgres postgresql://me@host/db, schema atomic"
    with target.open() as warehouse:
        assert isinstance(warehouse, PostgresWarehouse)


def test_mistakes_are_found_without_connecting(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="needs --database"):
        Target(warehouse="redshift").check()
    with pytest.raises(ConfigError, match="no password"):
        Target(warehouse="redshift", database="redshift://me@host/db", role_arn=ROLE, region="eu-west-1").check()
    with pytest.raises(ConfigError, match="not a schema name"):
        Target(schema="drop table").check()
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.delenv("AWS_REGION", raising=False)
    with pytest.raises(ConfigError, match="--region is missing"):
        Target(warehouse="redshift", database=REDSHIFT, role_arn=ROLE).check()
