"""LZO1X in plain Python: slow, but it delivers what precedes damage, and never more than the expected size."""

from __future__ import annotations

_END_MARKER_DISTANCE = 0x4000


class _Broken(Exception):
    pass


def decompress_prefix(data: bytes, size: int) -> tuple[bytes, str]:
    """Decompress up to ``size`` bytes; (content, what is wrong or ``""``). Never raises.

    Used where the fast decompressor gives up, or could be led to fill the memory.
    """
    out = bytearray()
    try:
        _decompress(data, size, out)
    except _Broken as error:
        return bytes(out), str(error)
    except IndexError:
        return bytes(out), "the compressed data end too early"
    if len(out) != size:
        return bytes(out), f"{len(out)} bytes instead of {size}"
    return bytes(out), ""


def _decompress(data: bytes, size: int, out: bytearray) -> None:
    """The instructions of an LZO1X stream: literal runs and four kinds of matches; the low bits of a match say how
    many literals follow it. What a short instruction (below 16) means depends on the literals before it."""
    pos = 0
    literals = 0  # how many the instruction before copied: 0, 1-3 (trailing ones) or 4 (a run)

    def copy_literals(count: int) -> None:
        nonlocal pos
        chunk = data[pos : pos + count]
        if len(out) + len(chunk) > size:
            out.extend(chunk[: size - len(out)])
            raise _Broken(f"more than {size} bytes")
        out.extend(chunk)
        pos += count
        if len(chunk) < count:
            raise IndexError

    def long_count(base: int) -> int:
        nonlocal pos
        count = base
        while not data[pos]:
            count += 255
            pos += 1
        count += data[pos]
        pos += 1
        return count

    first = data[0]
    if first > 17:
        pos = 1
        count = first - 17
        copy_literals(count)
        literals = 4 if count > 3 else count
    while True:
        code = data[pos]
        pos += 1
        if code < 16 and literals == 0:
            copy_literals(long_count(18) if code == 0 else code + 3)
            literals = 4
            continue
        if code < 16:
            low = code
            distance = (data[pos] << 2) + (code >> 2) + 1
            pos += 1
            length = 2
            if literals == 4:
                distance += 2048
                length = 3
        elif code >= 64:
            low = code
            distance = (data[pos] << 3) + (code >> 2 & 7) + 1
            pos += 1
            length = (code >> 5) + 1
        else:
            long = code & (31 if code >= 32 else 7)
            length = (long or long_count(31 if code >= 32 else 7)) + 2
            low = data[pos]
            distance = (data[pos + 1] << 6) + (low >> 2) + 1
            pos += 2
            if code < 32:
                distance += _END_MARKER_DISTANCE - 1 + ((code & 8) << 11)
                if distance == _END_MARKER_DISTANCE:
                    if pos != len(data):
                        raise _Broken(f"{len(data) - pos} bytes after the end of the compressed data")
                    return
        if distance > len(out):
            raise _Broken("a reference before the beginning")
        if len(out) + length > size:
            length = size - len(out)
            _copy_match(out, distance, length)
            raise _Broken(f"more than {size} bytes")
        _copy_match(out, distance, length)
        literals = low & 3
        if literals:
            copy_literals(literals)


def _copy_match(out: bytearray, distance: int, length: int) -> None:
    start = len(out) - distance
    if distance >= length:
        out += out[start : start + length]
    else:
        pattern = bytes(out[start:])
        out += (pattern * (length // distance + 1))[:length]
