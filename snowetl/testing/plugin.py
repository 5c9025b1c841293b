"""The pytest plugin: fixture ``snowetl_enrich``, configured in ``pytest.ini`` or ``pyproject.toml``.

Installed with snowetl (entry point ``pytest11``). It imports the library when a test first asks for the fixture.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from snowetl.testing import Result

_OPTIONS = {
    "snowetl_schemas": "folder of a static schema registry, relative to the configuration file of pytest",
    "snowetl_resolver": "Iglu resolver configuration, instead of snowetl_schemas",
    "snowetl_enrichments": "folder of enrichment configurations; none by default",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    for name, help_ in _OPTIONS.items():
        parser.addini(name, help_)


@pytest.fixture(scope="session")
def snowetl_enrich(pytestconfig: pytest.Config) -> Callable[..., Result]:
    """Enriches collector records: ``snowetl_enrich(hit())`` is a :class:`snowetl.testing.Result`."""
    from snowetl.testing import Pipeline

    given = {name.removeprefix("snowetl_"): pytestconfig.getini(name) for name in _OPTIONS}
    home = (pytestconfig.inipath or pytestconfig.rootpath / "pytest.ini").parent
    return Pipeline(**{name: home / value for name, value in given.items() if value}).enrich
