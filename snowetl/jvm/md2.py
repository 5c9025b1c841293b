"""The MD2 digest of RFC 1319, which the JVM has and Python's ``hashlib`` has not."""

from __future__ import annotations

_BLOCK = 16
_ROUNDS = 18
_DIGITS_OF_PI = bytes.fromhex(
    "292e43c9a2d87c013d3654a1ecf0061362a705f3c0c7738c98932bd9bc4c82ca"
    "1e9b573cfdd4e01667426f188a17e512be4ec4d6da9ede49a0fbf58ebb2fee7a"
    "a968799115b2073f94c210890b225f21807f5d9a5a903227353ecce7bff79703"
    "ff1930b348a5b5d1d75e922aac56aac64fb838d296a47db676fc6be29c7404f1"
    "459d705964718720865bcf65e62da8021b6025adaeb0b9f61c46616934407e0f"
    "5547a323dd51af3ac35cf9cebac5ea262c530d6e85288409d3dfcdf441814d52"
    "6adc37c86cc1abfa24e17b080cbdb14a7888958be363e86de9cbd5fe3b001d39"
    "f2efb70e6658d0e4a67772f8eb754b0a314450b48fed1f1adb998d339f118314"
)


def digest(data: bytes) -> bytes:
    """The 16 bytes of the digest of ``data``."""
    padding = _BLOCK - len(data) % _BLOCK
    message = data + bytes([padding]) * padding
    message += _checksum(message)
    state = bytearray(3 * _BLOCK)
    for start in range(0, len(message), _BLOCK):
        block = message[start : start + _BLOCK]
        state[_BLOCK : 2 * _BLOCK] = block
        state[2 * _BLOCK :] = bytes(a ^ b for a, b in zip(state[:_BLOCK], block, strict=True))
        carried = 0
        for turn in range(_ROUNDS):
            for place in range(3 * _BLOCK):
                carried = state[place] = state[place] ^ _DIGITS_OF_PI[carried]
            carried = (carried + turn) % 256
    return bytes(state[:_BLOCK])


def _checksum(message: bytes) -> bytes:
    checksum = bytearray(_BLOCK)
    carried = 0
    for start in range(0, len(message), _BLOCK):
        for place in range(_BLOCK):
            carried = checksum[place] = checksum[place] ^ _DIGITS_OF_PI[message[start + place] ^ carried]
    return bytes(checksum)
