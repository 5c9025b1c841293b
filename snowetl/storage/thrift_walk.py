"""Where a bare struct of Thrift's binary protocol ends: found by walking it, without looking at values."""

from __future__ import annotations

import struct

from snowetl.storage.records import MAX_RECORD_BYTES

_FIXED_SIZES = {2: 1, 3: 1, 4: 8, 6: 2, 8: 4, 10: 8}
_STRING, _STRUCT, _MAP, _SET, _LIST = 11, 12, 13, 14, 15
TYPES = frozenset({*_FIXED_SIZES, _STRING, _STRUCT, _MAP, _SET, _LIST})
"""Bytes a field, and so a struct that is not empty, can begin with."""

_MAX_DEPTH = 64
_MAX_ELEMENTS = 1_000_000

_i32 = struct.Struct(">i").unpack_from
_field = struct.Struct(">bhi").unpack_from


class Malformed(ValueError):
    """These bytes begin no struct."""


class Incomplete(ValueError):
    """The struct goes on behind the bytes there are."""


class Effort:
    """The cost of walks: ``steps`` of all, and the farthest place one that failed has ``reached``."""

    __slots__ = ("reached", "steps")

    def __init__(self) -> None:
        self.steps = 0
        self.reached = 0

    def stopped(self, steps: int, pos: int, size: int) -> None:
        """A walk found at ``pos`` that it cannot go on, in content of ``size`` bytes."""
        self.steps += steps
        self.reached = max(self.reached, min(pos, size))


def struct_end(data: bytes, start: int = 0, effort: Effort | None = None) -> int:
    """Where the struct at ``start`` ends. Raises :class:`Malformed` or :class:`Incomplete`."""
    effort = effort or Effort()
    try:
        return _skip_struct(data, start, 0, effort)
    except (IndexError, struct.error):
        effort.reached = len(data)
        raise Incomplete from None


def _skip_struct(data: bytes, pos: int, depth: int, effort: Effort) -> int:
    if depth > _MAX_DEPTH:
        raise Malformed
    size = len(data)
    steps = 1
    try:
        while kind := data[pos]:
            steps += 1
            if kind == _STRING:
                length = _field(data, pos)[2]
                if not 0 <= length <= MAX_RECORD_BYTES:
                    raise Malformed
                pos += 7 + length
            else:
                pos = _skip_value(data, pos + 3, kind, depth, effort)
            if pos >= size:
                raise Incomplete
    except (ValueError, IndexError, struct.error):
        effort.stopped(steps, pos, size)
        raise
    effort.steps += steps
    return pos + 1


def _skip_value(data: bytes, pos: int, kind: int, depth: int, effort: Effort) -> int:
    fixed = _FIXED_SIZES.get(kind)
    if fixed is not None:
        return pos + fixed
    if kind == _STRING:
        length = _i32(data, pos)[0]
        if not 0 <= length <= MAX_RECORD_BYTES:
            raise Malformed
        return pos + 4 + int(length)
    if kind == _STRUCT:
        return _skip_struct(data, pos, depth + 1, effort)
    if kind in (_LIST, _SET):
        return _skip_elements(data, pos + 5, (data[pos],), _i32(data, pos + 1)[0], depth, effort)
    if kind == _MAP:
        return _skip_elements(data, pos + 6, (data[pos], data[pos + 1]), _i32(data, pos + 2)[0], depth, effort)
    raise Malformed


def _skip_elements(data: bytes, pos: int, kinds: tuple[int, ...], count: int, depth: int, effort: Effort) -> int:
    if not 0 <= count <= MAX_RECORD_BYTES or depth > _MAX_DEPTH:
        raise Malformed
    if count and not TYPES.issuperset(kinds):
        raise Malformed
    sizes = [_FIXED_SIZES.get(kind) for kind in kinds]
    if None not in sizes:
        return pos + count * sum(size for size in sizes if size is not None)
    if count > _MAX_ELEMENTS:
        raise Malformed
    size, done = len(data), 0
    try:
        while done < count:
            done += 1
            for kind in kinds:
                if kind == _STRING:
                    length = _i32(data, pos)[0]
                    if not 0 <= length <= MAX_RECORD_BYTES:
                        raise Malformed
                    pos += 4 + length
                else:
                    pos = _skip_value(data, pos, kind, depth + 1, effort)
                if pos > size:
                    raise Incomplete
    except (ValueError, IndexError, struct.error):
        effort.stopped(done, pos, size)
        raise
    effort.steps += done
    return pos
