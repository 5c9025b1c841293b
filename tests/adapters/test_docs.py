from __future__ import annotations

import json
from pathlib import Path

from snowetl.adapters import docs
from snowetl.adapters.remote import RemoteAdaptersConfig
from snowetl.adapters.schemas import check_schemas
from snowetl.steps.settings import adapter_groups

PAGE = Path(__file__).parents[2] / "docs" / "adapters.md"


def test_the_table_of_the_page_is_that_of_the_code():
    text = PAGE.read_text("utf-8")
    assert docs.renew(text) == text, f"run: python -m snowetl.adapters.docs {PAGE.name}"


def test_the_configurations_of_the_page_can_be_used():
    schemas, remote = (json.loads(block.split("```")[0]) for block in PAGE.read_text("utf-8").split("```json\n")[1:])
    given = adapter_groups(schemas) | adapter_groups(remote)
    assert set(given) == {"adapter_schemas", "remote_adapters"}
    check_schemas(given["adapter_schemas"])
    config = RemoteAdaptersConfig.parse(given["remote_adapters"])
    assert (config.connection_timeout, config.read_timeout, config.max_connections) == (10.0, 45.0, 10)
    assert config.configs[0].url == "http://localhost:8995/adapt"


def test_every_adapter_is_in_the_table():
    rows = docs.table().splitlines()
    assert len(rows) == 23
    assert all(row.count(" | ") == 6 for row in rows if not row.startswith("|--"))
    assert any("`/com.mandrill/v1`" in row and "`hard_bounce` → `message_bounced`" in row for row in rows)


def test_it_is_written_between_the_marks():
    assert docs.renew(f"a\n{docs.BEGIN}\nold\n{docs.END}\nb") == f"a\n{docs.BEGIN}\n{docs.table()}\n{docs.END}\nb"
