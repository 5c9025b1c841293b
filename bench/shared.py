"""Profiles and registries that are not ours: fill in where their files are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from snowetl.errors import UsageError

_PLACEHOLDER = "@ASSETS@"


def filled_profile(folder: Path, assets: Path | None, target: Path) -> Path | None:
    """``folder`` itself, or its copy in ``target`` with ``@ASSETS@`` replaced by the path of ``assets``.

    ``None`` for a folder without configurations: a profile that enriches nothing.
    """
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder} of enrichment configurations")
    if not any(folder.glob("*.json")):
        return None
    if assets is None:
        return folder
    target.mkdir(parents=True, exist_ok=True)
    for file in folder.glob("*.json"):
        text = file.read_text("utf-8").replace(_PLACEHOLDER, str(assets.resolve()))
        (target / file.name).write_text(text, "utf-8")
    return target


def resolver(registries: list[Path]) -> dict[str, Any]:
    """A resolver configuration over folders in static-registry layout, asked in the given order."""
    return {
        "schema": "iglu:com.snowplowanalytics.iglu/resolver-config/jsonschema/1-0-3",
        "data": {
            "cacheSize": 2000,
            "repositories": [
                {
                    "name": folder.name,
                    "priority": number,
                    "vendorPrefixes": [],
                    "connection": {"http": {"uri": folder.resolve().as_uri()}},
                }
                for number, folder in enumerate(registries, 1)
            ],
        },
    }
