"""The number that keeps its text. A module of its own: mypyc cannot compile subclasses of ``float``."""

from __future__ import annotations


class JsonNumber(float):
    """A number whose text must be kept: ``1.00``, ``1E5``, ``-0``. Compares as a float; ``text`` is what was read."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> JsonNumber:
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __reduce__(self) -> tuple[type[JsonNumber], tuple[str]]:
        return JsonNumber, (self.text,)
