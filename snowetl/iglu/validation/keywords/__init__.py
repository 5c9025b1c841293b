"""The vocabulary of schemas: every keyword that checks something."""

from snowetl.iglu.validation.keywords import arrays, combining, numbers, objects, strings, types
from snowetl.iglu.validation.schema import Keyword, Vocabulary

_ALL: tuple[type[Keyword], ...] = (*types.ALL, *strings.ALL, *numbers.ALL, *arrays.ALL, *objects.ALL, *combining.ALL)

VOCABULARY = Vocabulary(
    {keyword.name: keyword for keyword in _ALL},
    frozenset(("crossEdits", "edits", "dateTime", "uuid", "unionType")),
)
"""The unusable words are those the reference takes for keywords it has no validator for."""
