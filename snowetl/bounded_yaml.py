"""YAML of configuration files, in bounds: its depth, and what its aliases expand to, are known before it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from yaml.error import Mark
    from yaml.events import Event
    from yaml.nodes import Node

MAX_VALUES = 1_000_000
"""Values of one document, those behind aliases counted each time."""

MAX_DEPTH = 100
"""Lists and mappings within each other; the parser calls itself for each."""


def compose(text: str, loader: Any = None) -> Node | None:
    """The root node of ``text``, ``None`` for an empty one.

    ``loader`` is a class of PyYAML (default ``SafeLoader``). Raises ``yaml.YAMLError``, also for a document that is
    out of bounds: nested too deeply, with a value that holds itself, or with more than :data:`MAX_VALUES` values.
    """
    import yaml

    loader = loader or yaml.SafeLoader
    _check(text, loader)
    node: Node | None = yaml.compose(text, loader)
    return node


def load(text: str) -> Any:
    """The value of ``text``. Raises as :func:`compose`, and ``ValueError`` for a date that does not exist."""
    import yaml

    _check(text, yaml.SafeLoader)
    return yaml.safe_load(text)


def _check(text: str, loader: Any) -> None:
    """Read the events of the parser, which needs no recursion, and add up what each anchor stands for."""
    import yaml

    sizes: dict[str, int] = {}
    open_nodes: list[tuple[str | None, int]] = []  # anchor, and the number of values before it
    values = 0
    for event in yaml.parse(text, loader):
        if isinstance(event, yaml.CollectionStartEvent):
            open_nodes.append((event.anchor, values))
            values += 1
            if len(open_nodes) > MAX_DEPTH:
                raise _out_of_bounds(f"nested deeper than {MAX_DEPTH} levels", event)
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_nodes.pop()
            if anchor is not None:
                sizes[anchor] = values - before
        elif isinstance(event, yaml.ScalarEvent):
            values += 1
            if event.anchor is not None:
                sizes[event.anchor] = 1
        elif isinstance(event, yaml.AliasEvent):
            if any(anchor == event.anchor for anchor, _ in open_nodes):
                raise _out_of_bounds(f"the value &{event.anchor} holds itself", event)
            values += sizes.get(event.anchor or "", 0)
        if values > MAX_VALUES:
            raise _out_of_bounds(f"more than {MAX_VALUES:,} values, those behind aliases counted each time", event)


def _out_of_bounds(problem: str, event: Event) -> Exception:
    from yaml.error import MarkedYAMLError

    error = MarkedYAMLError(problem=problem)
    error.problem_mark = cast("Mark | None", event.start_mark)
    return error
