"""The version of this package, and in which of its two builds it runs."""

from __future__ import annotations

__version__ = "0.1.0"


def compiled() -> bool:
    """Whether the hot modules are machine code here (see ``setup.py``), not Python."""
    from importlib.util import find_spec

    one_of_them = find_spec("snowetl.caching")
    return one_of_them is not None and not str(one_of_them.origin).endswith(".py")


def description() -> str:
    """Version, build and interpreter: ``snowetl 0.1.0 (compiled, CPython 3.11.7)``."""
    import platform

    build = "compiled" if compiled() else "pure Python"
    return f"snowetl {__version__} ({build}, {platform.python_implementation()} {platform.python_version()})"
