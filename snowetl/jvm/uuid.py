"""UUIDs as ``java.util.UUID.fromString`` reads them: more leniently than anyone else."""

from __future__ import annotations

from typing import Final

from snowetl.jvm.strings import hex_digit

CANONICAL_FORM: Final = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_SHAPE: Final = b"00000000-0000-0000-0000-000000000000"
_TO_SHAPE: Final = bytes(
    ord("0") if chr(i) in "0123456789abcdefABCDEF" else i if i == ord("-") else ord("?") for i in range(256)
)
_MAX_UNITS: Final = 36
_WIDTHS: Final = (8, 4, 4, 4, 12)
_MAX_LONG: Final = 2**63 - 1


def is_uuid(text: str) -> bool:
    """Hex digits and hyphens in their places, any case, any version."""
    return text.isascii() and text.encode().translate(_TO_SHAPE) == _SHAPE


def parse_uuid(text: str) -> str | None:
    """The UUID in canonical lower case, or ``None``.

    Five groups of hex digits are enough: each is cut to its width from the left and padded with zeros.
    """
    if is_uuid(text):
        return text.lower()
    groups = text.split("-")
    if len(groups) != len(_WIDTHS) or len(text.encode("utf-16-le", "surrogatepass")) > 2 * _MAX_UNITS:
        return None
    numbers = [_long(group) for group in groups]
    if None in numbers:
        return None
    return "-".join(f"{number:0{width}x}"[-width:] for number, width in zip(numbers, _WIDTHS, strict=True))


def _long(group: str) -> int | None:
    """``Long.parseLong(group, 16)`` of a text without ``-``: a leading ``+``, then digits of any script."""
    digits = [hex_digit(char) for char in group.removeprefix("+")]
    if not digits or -1 in digits:
        return None
    number = 0
    for digit in digits:
        number = number << 4 | digit
    return number if number <= _MAX_LONG else None
