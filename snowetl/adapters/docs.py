"""The table of docs/adapters.md, from the code: ``python -m snowetl.adapters.docs docs/adapters.md`` writes it anew."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from snowetl.adapters.base import Adapter
from snowetl.adapters.catalogue import built_in
from snowetl.model.schema import SchemaKey

BEGIN = "<!-- written by python -m snowetl.adapters.docs: begin -->"
END = "<!-- end -->"

_HEAD = (
    "| Adapter | Path | Method | Content type | Event → schema | What is cleaned | `adaptersSchemas` |",
    "|---|---|---|---|---|---|---|",
)


def table() -> str:
    """All built-in adapters as a Markdown table."""
    return "\n".join([*_HEAD, *(_row(adapter) for adapter in built_in())])


def _row(adapter: Adapter) -> str:
    types = f"`{adapter.content_type}`" if "/" in adapter.content_type else adapter.content_type or "–"
    cells = (
        adapter.name,
        f"`{adapter.path}`",
        adapter.method,
        types.replace(", ", "`, `") if "`" in types else types,
        "; ".join(_events(adapter)) or "as sent",
        adapter.cleaned,
        f"`{adapter.group}`" if adapter.group else "–",
    )
    return f"| {' | '.join(cells)} |"


def _events(adapter: Adapter) -> Iterator[str]:
    """Event types by schema vendor and version, then the schemas of entities."""
    keys = [SchemaKey.parse(uri) for uri in adapter.schemas.values()]
    if not adapter.events and keys:
        yield f"`{keys[0].name}` ({keys[0].vendor} {keys[0].version} to {keys[-1].version})"
        return
    families: dict[str, list[str]] = {}
    named = set()
    for event, key in adapter.events.items():
        schema = SchemaKey.parse(adapter.schemas[key])
        named.add(key)
        short = f"`{event}`" if event == schema.name else f"{_quoted(event)} → `{schema.name}`"
        families.setdefault(f"{schema.vendor} {schema.version}", []).append(short)
    for family, events in families.items():
        yield f"{', '.join(events)} ({family})"
    entities = [f"`{SchemaKey.parse(uri).name}`" for key, uri in adapter.schemas.items() if key not in named]
    if entities:
        yield f"entities {', '.join(entities)}"


def _quoted(event: str) -> str:
    return event if event.startswith("(") else f"`{event}`"


def renew(text: str) -> str:
    """``text`` with the table between the two markers written anew."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def main() -> None:
    for name in sys.argv[1:]:
        path = Path(name)
        path.write_text(renew(path.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
