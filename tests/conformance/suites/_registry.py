"""A resolver over Iglu Central and the schemas a case brings along."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def resolver_with(extra_schemas: dict[str, Any], vectors: Path) -> Iterator[dict[str, Any]]:
    """``extra_schemas`` maps Iglu URIs to schemas; they are asked before the public ones."""
    with tempfile.TemporaryDirectory() as folder:
        for uri, schema in extra_schemas.items():
            path = Path(folder, "schemas", uri.removeprefix("iglu:"))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(schema), "utf-8")
        test_schemas = Path(folder, "test")
        test_schemas.mkdir()
        (test_schemas / "schemas").symlink_to((vectors / "assets" / "iglu-test-schemas").resolve())
        folders = [
            ("Case", Path(folder)),
            ("Iglu Central", vectors.parent / "iglu-central"),
            ("Test Schemas", test_schemas),
        ]
        yield {
            "schema": "iglu:com.snowplowanalytics.iglu/resolver-config/jsonschema/1-0-1",
            "data": {
                "cacheSize": 500,
                "repositories": [
                    {
                        "name": name,
                        "priority": priority,
                        "vendorPrefixes": [],
                        "connection": {"http": {"uri": path.resolve().as_uri()}},
                    }
                    for priority, (name, path) in enumerate(folders)
                ],
            },
        }
