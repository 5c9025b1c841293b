"""Character sets by the names the JVM knows them under (``java.nio.charset.Charset.forName``, JDK 17)."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from typing import NamedTuple

from snowetl.jvm.text import decode_utf8


class Charset(NamedTuple):
    """A character set: ``name`` is the JVM's canonical one.

    ``decode`` replaces what it cannot read by U+FFFD. ``bytewise``: every byte stands for itself and ASCII bytes for
    ASCII, so a text can be cut at ASCII characters before or after decoding.
    """

    name: str
    decode: Callable[[bytes], str]
    bytewise: bool


class UnknownCharset(LookupError):
    """A name the JVM does not know (or one of a few mainframe sets Python does not); the message is the name."""


# Canonical name, Python codec, aliases; a line that starts with a blank continues the one above. Names are matched
# in any case. The canonical name is part of the reference's error texts.
_TABLE = """
UTF-8 utf-8 unicode-1-1-utf-8 utf8
US-ASCII ascii 646 ansi_x3.4-1968 ansi_x3.4-1986 ascii ascii7 cp367 csascii default ibm367 iso-ir-6 iso646-us
    iso_646.irv:1983 iso_646.irv:1991 us
ISO-8859-1 iso8859-1 819 8859_1 cp819 csisolatin1 ibm-819 ibm819 iso-ir-100 iso8859-1 iso8859_1 iso_8859-1
    iso_8859-1:1987 iso_8859_1 l1 latin1
ISO-8859-2 iso8859-2 8859_2 912 cp912 csisolatin2 ibm-912 ibm912 iso-ir-101 iso8859-2 iso8859_2 iso_8859-2
    iso_8859-2:1987 l2 latin2
ISO-8859-3 iso8859-3 8859_3 913 cp913 csisolatin3 ibm-913 ibm913 iso-ir-109 iso8859-3 iso8859_3 iso_8859-3
    iso_8859-3:1988 l3 latin3
ISO-8859-4 iso8859-4 8859_4 914 cp914 csisolatin4 ibm-914 ibm914 iso-ir-110 iso8859-4 iso8859_4 iso_8859-4
    iso_8859-4:1988 l4 latin4
ISO-8859-5 iso8859-5 8859_5 915 cp915 csisolatincyrillic cyrillic ibm-915 ibm915 iso-ir-144 iso8859-5 iso8859_5
    iso_8859-5 iso_8859-5:1988
ISO-8859-6 iso8859-6 1089 8859_6 arabic asmo-708 cp1089 csisolatinarabic ecma-114 ibm-1089 ibm1089 iso-ir-127
    iso8859-6 iso8859_6 iso_8859-6 iso_8859-6:1987
ISO-8859-7 iso8859-7 813 8859_7 cp813 csisolatingreek ecma-118 elot_928 greek greek8 ibm-813 ibm813 iso-ir-126
    iso8859-7 iso8859_7 iso_8859-7 iso_8859-7:1987 sun_eu_greek
ISO-8859-8 iso8859-8 8859_8 916 cp916 csisolatinhebrew hebrew ibm-916 ibm916 iso-ir-138 iso8859-8 iso8859_8
    iso_8859-8 iso_8859-8:1988
ISO-8859-9 iso8859-9 8859_9 920 cp920 csisolatin5 ibm-920 ibm920 iso-ir-148 iso8859-9 iso8859_9 iso_8859-9
    iso_8859-9:1989 l5 latin5
x-iso-8859-11 iso8859-11 iso-8859-11 iso8859_11
ISO-8859-13 iso8859-13 8859_13 iso8859-13 iso8859_13 iso_8859-13
ISO-8859-15 iso8859-15 8859_15 923 cp923 csiso885915 csisolatin0 csisolatin9 ibm-923 ibm923 iso8859-15 iso8859_15
    iso8859_15_fdis iso_8859-15 l9 latin-9 latin0 latin9
ISO-8859-16 iso8859-16 csiso885916 iso-ir-226 iso8859_16 iso_8859-16 iso_8859-16:2001 l10 latin10
windows-1250 cp1250 cp1250 cp5346
windows-1251 cp1251 ansi-1251 cp1251 cp5347
windows-1252 cp1252 cp1252 cp5348 ibm-1252 ibm1252
windows-1253 cp1253 cp1253 cp5349
windows-1254 cp1254 cp1254 cp5350
windows-1255 cp1255 cp1255
windows-1256 cp1256 cp1256
windows-1257 cp1257 cp1257 cp5353
windows-1258 cp1258 cp1258
x-windows-874 cp874 ms-874 ms874 windows-874
KOI8-R koi8-r cskoi8r koi8 koi8_r
KOI8-U koi8-u koi8_u
IBM437 cp437 437 cp437 cspc8codepage437 ibm-437 windows-437
x-IBM737 cp737 737 cp737 ibm-737 ibm737
IBM775 cp775 775 cp775 ibm-775
IBM850 cp850 850 cp850 cspc850multilingual ibm-850
IBM852 cp852 852 cp852 cspcp852 ibm-852
IBM855 cp855 855 cp855 cspcp855 ibm-855
IBM857 cp857 857 cp857 csibm857 ibm-857
IBM00858 cp858 858 ccsid00858 cp00858 cp858 ibm-858 ibm858 pc-multilingual-850+euro
IBM860 cp860 860 cp860 csibm860 ibm-860
IBM861 cp861 861 cp-is cp861 csibm861 ibm-861
IBM862 cp862 862 cp862 csibm862 cspc862latinhebrew ibm-862
IBM863 cp863 863 cp863 csibm863 ibm-863
IBM864 cp864 864 cp864 csibm864 ibm-864
IBM865 cp865 865 cp865 csibm865 ibm-865
IBM866 cp866 866 cp866 csibm866 ibm-866
IBM869 cp869 869 cp-gr cp869 csibm869 ibm-869
x-MacCentralEurope mac-latin2 maccentraleurope
x-MacRoman mac-roman macroman
TIS-620 tis-620 tis620 tis620.2533
UTF-16 utf-16 unicode unicodebig utf16 utf_16
UTF-16BE utf-16-be iso-10646-ucs-2 unicodebigunmarked utf_16be x-utf-16be
UTF-16LE utf-16-le unicodelittleunmarked utf_16le x-utf-16le
UTF-32 utf-32 utf32 utf_32
UTF-32BE utf-32-be utf_32be x-utf-32be
UTF-32LE utf-32-le utf_32le x-utf-32le
Big5 big5 csbig5
Big5-HKSCS big5hkscs big5_hkscs big5hk big5hkscs
x-windows-950 cp950 ms950 windows-950
EUC-JP euc_jp cseucpkdfmtjapanese euc_jp eucjis eucjp extended_unix_code_packed_format_for_japanese x-euc-jp x-eucjp
Shift_JIS shift_jis csshiftjis ms_kanji shift-jis sjis x-sjis
windows-31j cp932 cswindows31j ms932 windows-932
ISO-2022-JP iso2022_jp csiso2022jp csjisencoding iso2022jp jis jis_encoding
ISO-2022-JP-2 iso2022_jp_2 csiso2022jp2 iso2022jp2
EUC-KR euc_kr 5601 cseuckr euc_kr euckr ks_c_5601-1987 ksc5601 ksc5601-1987 ksc5601_1987 ksc_5601
x-windows-949 cp949 ms949 ms_949 windows-949 windows949
x-Johab johab johab ksc5601-1992 ksc5601_1992 ms1361
ISO-2022-KR iso2022_kr csiso2022kr iso2022kr
GB2312 gb2312 euc-cn euc_cn euccn gb2312-1980 gb2312-80 x-euc-cn
GBK gbk cp936 windows-936
x-mswin-936 gbk ms936 ms_936
GB18030 gb18030 gb18030-2022
"""

_MULTIBYTE = re.compile("utf-|big5|euc_|shift_jis|cp9[345]|iso2022|johab|gb")
_DOUBLE_BYTE = frozenset(("big5", "big5hkscs", "cp949", "cp950", "cp932", "euc_kr", "gb2312", "gbk", "shift_jis"))
_BOMS = {"utf-16": (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE), "utf-32": (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)}
_CACHE_SIZE = 1024


def _read_table() -> dict[str, tuple[str, str]]:
    """Name or alias, lower-case -> (canonical name, codec)."""
    known = {}
    for entry in _TABLE.strip().replace("\n ", " ").splitlines():
        name, codec, *aliases = entry.split()
        for alias in (name.lower(), *aliases):
            known[alias] = (name, codec)
    return known


_KNOWN = _read_table()
_cache: dict[str, Charset] = {}


def lookup(name: str) -> Charset:
    """The character set called ``name`` or an alias of it, in any case. Raises :class:`UnknownCharset`."""
    found = _cache.get(name)
    if found is None:
        found = _find(name)
        if len(_cache) >= _CACHE_SIZE:
            _cache.clear()
        _cache[name] = found
    return found


def _find(name: str) -> Charset:
    known = _KNOWN.get(name.lower()) if name.isascii() else None
    if known is None:
        raise UnknownCharset(name)
    canonical, codec = known
    if codec == "utf-8":
        return Charset(canonical, decode_utf8, True)
    if codec in _BOMS:
        return Charset(canonical, _sensing(codec), False)
    if codec in _DOUBLE_BYTE:
        return Charset(canonical, _double_byte(codec), False)
    bytewise = _MULTIBYTE.match(codec) is None and _decoder(codec)(bytes(range(128))).encode() == bytes(range(128))
    return Charset(canonical, _decoder(codec), bytewise)


def _decoder(codec: str) -> Callable[[bytes], str]:
    decode = codecs.getdecoder(codec)
    return lambda raw: decode(raw, "replace")[0]


def _double_byte(codec: str) -> Callable[[bytes], str]:
    """A charset of one or two bytes: the JVM takes an impossible pair for one character, unless its second byte can
    begin one itself (``sun.nio.cs.DoubleByte``)."""
    decode = codecs.getdecoder(codec)

    def reads(raw: bytes) -> bool:
        try:
            return len(decode(raw)[0]) == 1
        except UnicodeDecodeError:
            return False

    single = frozenset(byte for byte in range(256) if reads(bytes((byte,))))
    leads = frozenset(
        byte
        for byte in range(0x80, 256)
        if byte not in single and any(reads(bytes((byte, b))) for b in range(0x30, 256))
    )

    def skip(error: UnicodeError) -> tuple[str, int]:
        assert isinstance(error, UnicodeDecodeError)
        pair = error.object[error.start : error.start + 2]
        whole = len(pair) == 2 and pair[0] in leads and pair[1] not in leads and pair[1] not in single
        return "\ufffd", error.start + (2 if whole else 1)

    codecs.register_error(f"snowetl-{codec}", skip)
    return lambda raw: decode(raw, f"snowetl-{codec}")[0]


def _sensing(codec: str) -> Callable[[bytes], str]:
    """UTF-16 or UTF-32 with a byte order mark, big-endian without one."""
    little, big = _BOMS[codec]

    def decode(raw: bytes) -> str:
        if raw.startswith(little):
            return raw[len(little) :].decode(f"{codec}-le", "replace")
        return raw.removeprefix(big).decode(f"{codec}-be", "replace")

    return decode
