"""LZO1X in plain Python: slow, but it delivers what precedes damage, and never more than the expected size."""

from __future__ import annotations

_END_MARKER_DISTANCE = 0x4000


class _Broken(Exception):
    pass


def decompress_prefix(data: bytes, size: int) -> tuple[bytes, str]:
    """Decompress up to ``size`` bytes; (content, what is wrong or ``""``). Never raises.

    Used where the fast decompressor gives up, or could be led to fill the memory.
    """
    decoder = _Decoder(data, size)
    try:
        decoder.run()
    except _Broken as error:
        return bytes(decoder.out), str(error)
    except IndexError:
        return bytes(decoder.out), "the compressed data end too early"
    if len(decoder.out) != size:
        return bytes(decoder.out), f"{len(decoder.out)} bytes instead of {size}"
    return bytes(decoder.out), ""


class _Decoder:
    """Follows the instructions of a stream: runs of literals, and matches (earlier output, copied again).

    The two low bits of a match say how many literals follow it. What a short instruction (below 16) means depends on
    the literals before it: ``literals`` is how many the last instruction copied, 0 to 3 after a match, 4 for a run.
    """

    def __init__(self, data: bytes, size: int) -> None:
        self.out = bytearray()
        self._data = data
        self._size = size
        self._pos = 0
        self._literals = 0

    def run(self) -> None:
        """Raises ``_Broken``, and ``IndexError`` where the data end too early."""
        first = self._data[0]
        if first > 17:
            self._pos = 1
            self._copy_literals(first - 17)
            self._literals = min(first - 17, 4)
        while True:
            code = self._byte()
            if code < 16 and self._literals == 0:
                self._copy_literals(self._long_count(18) if code == 0 else code + 3)
                self._literals = 4
                continue
            match = self._short_match(code) if code < 16 else self._near(code) if code >= 64 else self._far(code)
            if match is None:
                return
            low, distance, length = match
            self._copy_match(distance, length)
            self._literals = low & 3
            self._copy_literals(self._literals)

    def _short_match(self, code: int) -> tuple[int, int, int]:
        """``(low bits, distance, length)``: two bytes from near by; after a run of literals, three from further off."""
        distance = (self._byte() << 2) + (code >> 2) + 1
        return (code, distance + 2048, 3) if self._literals == 4 else (code, distance, 2)

    def _near(self, code: int) -> tuple[int, int, int]:
        """Up to 8 bytes from within the last 2 KiB."""
        return code, (self._byte() << 3) + (code >> 2 & 7) + 1, (code >> 5) + 1

    def _far(self, code: int) -> tuple[int, int, int] | None:
        """Any number of bytes from within the last 48 KiB; ``None`` for the mark that ends the data."""
        most = 31 if code >= 32 else 7
        length = (code & most or self._long_count(most)) + 2
        low = self._byte()
        distance = (self._byte() << 6) + (low >> 2) + 1
        if code >= 32:
            return low, distance, length
        distance += _END_MARKER_DISTANCE - 1 + ((code & 8) << 11)
        if distance != _END_MARKER_DISTANCE:
            return low, distance, length
        if self._pos != len(self._data):
            raise _Broken(f"{len(self._data) - self._pos} bytes after the end of the compressed data")
        return None

    def _byte(self) -> int:
        value = self._data[self._pos]
        self._pos += 1
        return value

    def _long_count(self, base: int) -> int:
        """A count that continues as long as its bytes are zero, each of them 255."""
        count = base
        while not (last := self._byte()):
            count += 255
        return count + last

    def _copy_literals(self, count: int) -> None:
        chunk = self._data[self._pos : self._pos + count]
        room = self._size - len(self.out)
        self.out += chunk[:room]
        if len(chunk) > room:
            raise _Broken(f"more than {self._size} bytes")
        self._pos += count
        if len(chunk) < count:
            raise IndexError

    def _copy_match(self, distance: int, length: int) -> None:
        if distance > len(self.out):
            raise _Broken("a reference before the beginning")
        room = self._size - len(self.out)
        _copy_match(self.out, distance, min(length, room))
        if length > room:
            raise _Broken(f"more than {self._size} bytes")


def _copy_match(out: bytearray, distance: int, length: int) -> None:
    start = len(out) - distance
    if distance >= length:
        out += out[start : start + length]
    else:
        pattern = bytes(out[start:])
        out += (pattern * (length // distance + 1))[:length]
