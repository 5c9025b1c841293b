"""Files of SQL, cut into statements."""

from __future__ import annotations

import pytest

from snowetl.load.sql_script import statements_of


@pytest.mark.parametrize(
    ("sql", "statements"),
    [
        ("SELECT 1; SELECT 2", ["SELECT 1", "SELECT 2"]),
        ("SELECT ';', 'it''s; so';\n", ["SELECT ';', 'it''s; so'"]),
        ('SELECT 1 AS "a;b"; -- end; of it\n;', ['SELECT 1 AS "a;b"']),
        ("/* a; b */ SELECT 1;", ["/* a; b */ SELECT 1"]),
        ("CREATE FUNCTION f() AS $$ BEGIN; END; $$ LANGUAGE plpgsql; SELECT 2;",
         ["CREATE FUNCTION f() AS $$ BEGIN; END; $$ LANGUAGE plpgsql", "SELECT 2"]),
        ("SELECT 4 - 2 / 1;", ["SELECT 4 - 2 / 1"]),
        ("-- nothing\n", []),
        ("", []),
    ],
)  # fmt: skip
def test_statements(sql: str, statements: list[str]) -> None:
    assert list(statements_of(sql)) == statements
