"""Keywords for arrays."""

from __future__ import annotations

from typing import Any

from snowetl.iglu.validation.keywords.sizes import MaxItems, MinItems
from snowetl.iglu.validation.report import ENOUGH, Reports
from snowetl.iglu.validation.schema import Keyword, SchemaNode, State
from snowetl.iglu.validation.values import frozen

_ARRAY = frozenset((list,))


class Items(Keyword):
    """One schema for all, or a tuple by position with ``additionalItems`` for the rest."""

    name = "items"
    applies = _ARRAY

    def __init__(self, schema: SchemaNode, value: Any) -> None:
        super().__init__(schema, value)
        self.every: SchemaNode | None = None
        self.by_place: list[SchemaNode] = []
        self.rest: SchemaNode | None = None
        self.open = True
        if isinstance(value, (dict, bool)):
            self.every = schema.child(value, self.path)
            return
        self.by_place = [schema.child(node, self.path) for node in value] if isinstance(value, list) else []
        more = schema.get("additionalItems")
        if isinstance(more, bool):
            self.open = more
        elif isinstance(more, dict):
            self.rest = schema.child(more, "#")

    def reports(self, value: Any, at: str, state: State) -> Reports:
        found: Reports = {}
        if value.__class__ is not list:
            return found
        for place, item in enumerate(value):
            if len(found) >= ENOUGH:
                break
            if self.every is not None:
                found.update(self.every.reports(item, f"{at}[{place}]", state))
            elif place < len(self.by_place):
                found.update(self.by_place[place].reports(item, f"{at}[{place}]", state))
            elif self.rest is not None:
                found.update(self.rest.reports(item, f"{at}[{place}]", state))
            elif not self.open:
                found.update(self.report(f"{at}[{place}]: no validator found at this index", at, str(place)))
        return found

    def emit(self, code: Any, kind: type) -> None:
        if self.every is not None:
            code.fail_if(code.some_misfit(self.every, "v"))
            return
        for place, schema in enumerate(self.by_place):
            code.fail_if(f"len(v) > {place} and {code.misfits(schema, f'v[{place}]')}")
        if self.rest is not None:
            code.line(f"for x in v[{len(self.by_place)}:]:")
            code.line(f"    if {code.misfits(self.rest, 'x')}: return False")
        elif not self.open:
            code.fail_if(f"len(v) > {len(self.by_place)}")


class UniqueItems(Keyword):
    """Also looks at the values of objects."""

    name = "uniqueItems"
    applies = frozenset((list, dict))

    def reports(self, value: Any, at: str, state: State) -> Reports:
        if self.value is True and value.__class__ in self.applies and not are_distinct(value):
            return self.report(f"{at}: the items in the array must be unique", at)
        return {}

    def emit(self, code: Any, kind: type) -> None:
        if self.value is True:
            code.fail_if(f"not {code.constant(are_distinct)}(v)")


def are_distinct(value: Any) -> bool:
    items = value if isinstance(value, list) else list(value.values())
    return len(items) < 2 or len({frozen(item) for item in items}) == len(items)


ALL: tuple[type[Keyword], ...] = (Items, MaxItems, MinItems, UniqueItems)
