"""``snowetl.enrich``, ``.transform`` and ``.load`` are rooms and verbs: packages that can be called.

``from snowetl import enrich`` finds the package, since Python binds a package's name in its parent. So that it finds
the verb as well, calling the package calls the function of that name in ``snowetl.library``.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any


class _Room(ModuleType):
    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        verb = getattr(importlib.import_module("snowetl.library"), self.__name__.rpartition(".")[2])
        return verb(*arguments, **keywords)


def make_callable(name: str) -> None:
    """Let the package ``name`` be called."""
    sys.modules[name].__class__ = _Room
