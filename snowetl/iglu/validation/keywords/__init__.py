"""Every keyword that checks something, by name."""

from snowetl.iglu.validation.keywords import arrays, combining, numbers, objects, strings, types
from snowetl.iglu.validation.schema import Keyword

_ALL: tuple[type[Keyword], ...] = (*types.ALL, *strings.ALL, *numbers.ALL, *arrays.ALL, *objects.ALL, *combining.ALL)

KEYWORDS: dict[str, type[Keyword]] = {keyword.name: keyword for keyword in _ALL}

UNUSABLE = frozenset(("crossEdits", "edits", "dateTime", "uuid", "unionType"))
"""Words the reference takes for keywords it has no validator for."""
