"""The Java that scripts written for Nashorn use gives what Java gives, and what Python gives by the same rule."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
import urllib.parse
import uuid
from typing import Any

import pytest

from snowetl.enrich.enrichments.javascript_engine import Script, java_classes
from snowetl.enrich.enrichments.javascript_java import review
from snowetl.model.fields import FIELDS

DIGESTS = ("MD5", "SHA-1", "SHA-224", "SHA-256", "SHA-384", "SHA-512")
SIZES = (*range(0, 200, 13), 55, 56, 63, 64, 111, 112, 119, 120, 127, 128, 1000)


def evaluate(expression: str, text: str = "") -> Any:
    """The value of an expression that may use ``text``, as JSON."""
    script = Script(f"function process(event) {{ const text = event.getApp_id() || ''; return [{expression}]; }}")
    outcome = script.call([text] + [""] * (len(FIELDS) - 1), [])
    if outcome.error is not None:
        return outcome.error
    assert outcome.result is not None
    return json.loads(outcome.result)[0]


def texts() -> list[str]:
    rng = random.Random(1)
    ranges = ((32, 126), (0xA0, 0x7FF), (0x800, 0xD7FF), (0x10000, 0x10FFFF))
    return ["".join(chr(rng.randint(*rng.choice(ranges))) for _ in range(size)) for size in SIZES]


def test_digests_of_texts_of_all_lengths() -> None:
    script = Script(
        """
        const Digest = Java.type('java.security.MessageDigest');
        const Hex = Packages.org.apache.commons.codec.binary.Hex;
        const Utils = org.apache.commons.codec.digest.DigestUtils;
        function process(event) {
          const text = event.getApp_id() || '', made = {};
          for (const name of ['MD5', 'SHA-1', 'SHA-224', 'SHA-256', 'SHA-384', 'SHA-512']) {
            const digest = Digest.getInstance(name);
            digest.update(text.getBytes('UTF-8'));
            made[name] = Hex.encodeHexString(digest.digest());
          }
          const mac = javax.crypto.Mac.getInstance('HmacSHA256');
          mac.init(new javax.crypto.spec.SecretKeySpec('key'.getBytes(), 'HmacSHA256'));
          made.mac = Hex.encodeHexString(mac.doFinal(text.getBytes()));
          made.sha256Hex = Utils.sha256Hex(text);
          made.number = new java.math.BigInteger(1, Digest.getInstance('MD5').digest(text.getBytes())).toString(16);
          made.uuid = java.util.UUID.nameUUIDFromBytes(text.getBytes()).toString();
          return [made];
        }
        """
    )
    for text in texts():
        outcome = script.call([text] + [""] * (len(FIELDS) - 1), [])
        assert outcome.error is None and outcome.result is not None, outcome.error
        made, data = json.loads(outcome.result)[0], text.encode()
        for name in DIGESTS:
            assert made[name] == hashlib.new(name.replace("-", ""), data).hexdigest(), (name, len(data))
        assert made["mac"] == hmac.new(b"key", data, "sha256").hexdigest()
        assert made["sha256Hex"] == made["SHA-256"]
        assert made["number"] == f"{int(made['MD5'], 16):x}"
        named = bytearray(hashlib.md5(data).digest())
        named[6], named[8] = named[6] & 15 | 0x30, named[8] & 63 | 0x80
        assert made["uuid"] == str(uuid.UUID(bytes=bytes(named)))


def test_base64_and_url_coding_there_and_back() -> None:
    encode, decode = "java.util.Base64.getEncoder()", "java.util.Base64.getDecoder()"
    for text in texts()[:12]:
        made = evaluate(
            f"{{b: {encode}.encodeToString(text.getBytes()), u: java.net.URLEncoder.encode(text, 'UTF-8'),"
            f" back: String(new java.lang.String({decode}.decode({encode}.encode(text)), 'UTF-8')),"
            " there: java.net.URLDecoder.decode(java.net.URLEncoder.encode(text, 'UTF-8'), 'UTF-8')}",
            text,
        )
        assert made["b"] == base64.b64encode(text.encode()).decode()
        assert made["u"] == urllib.parse.quote_plus(text, safe="*").replace("~", "%7E")
        assert made["back"] == made["there"] == text


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("'Ab'.equals('Ab') && !'Ab'.equals('ab') && !'1'.equals(1) && 'Ab'.equalsIgnoreCase('aB')", True),
        ("['abc'.contains('b'), ''.isEmpty(), 'ab'.matches('[ab]+'), 'c'.matches('a')]", [True, True, True, False]),
        ("'polygenelubricants'.hashCode()", -(2**31)),
        ("'a.b.c'.replaceAll('.', 'x')", "xxxxx"),
        ("'a.b.c'.replaceAll('\\\\.', '-')", "a-b-c"),
        ("'a-b'.replaceAll(/-/g, '+')", "a+b"),
        ("'john smith'.replaceAll('(\\\\w+) (\\\\w+)', '$2 $1\\\\$')", "smith john$"),
        ("'a1b2'.replaceFirst('[0-9]', '#')", "a#b2"),
        ("'AbC'.replaceAll('(?i)b', '.')", "A.C"),
        ("'a+b'.replaceAll('\\\\Q+\\\\E', '-')", "a-b"),
        ("['b'.compareTo('a'), 'a'.compareTo('abc')]", [1, -2]),
        ("Array.from('é€'.getBytes('UTF-8'))", [-61, -87, -30, -126, -84]),
        ("Array.from('é€'.getBytes('ISO-8859-1'))", [-23, 63]),
        ("String(new java.lang.String('é'.getBytes()))", "é"),
        ("java.lang.String.format('%02x%02X|%-4s|%04d|%.2f', 255, 10, 'a', 42, 1.005)", "ff0A|a   |0042|1.00"),
        ("java.lang.Integer.toHexString(-1)", "ffffffff"),
        ("java.lang.Integer.parseInt('-2a', 16)", -42),
        ("java.lang.Integer.parseInt('4x')", 'NumberFormatException: For input string: "4x"'),
        ("(5).intValue() + (2.7).intValue()", 7),
        ("new java.lang.StringBuilder('a').append(1).append('b').reverse().toString()", "b1a"),
        ("new java.math.BigDecimal('1.10').add(new java.math.BigDecimal('2.205')).toString()", "3.305"),
        ("new java.math.BigDecimal('-1.50').multiply('2').toPlainString()", "-3.00"),
        ("new java.math.BigDecimal('1e3').toPlainString()", "1000"),
        ("[new java.math.BigDecimal('.5'), new java.math.BigDecimal('2.0').compareTo('2')]", [0.5, 0]),
        ("new java.math.BigInteger('-255').toString(16)", "-ff"),
        ("java.util.UUID.fromString('F-1-2-3-4').toString()", "0000000f-0001-0002-0003-000000000004"),
        ("/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab]/.test(java.util.UUID.randomUUID().toString())", True),
        ("java.net.URLDecoder.decode('a+b%20%C3%A9%ff', 'UTF-8')", "a b é�"),
        ("org.apache.commons.codec.binary.Base64.encodeBase64URLSafeString('??>'.getBytes())", "Pz8-"),
        ("java.util.Base64.getDecoder().decode('a*')", "IllegalArgumentException: Illegal base64 character 2a"),
        ("new java.net.URI('a b')", "URISyntaxException: Illegal character at index 1: a b"),
        ("Java.type('java.lang.Ru' + 'ntime')", "TypeError: the class java.lang.Runtime is not there"),
        ("Java.to([1, 200], 'byte[]')[1]", -56),
    ],
)  # fmt: skip
def test_values(expression: str, value: Any) -> None:
    got = evaluate(expression)
    assert (got.rpartition(" (line")[0] or got) == value if isinstance(got, str) else got == value


def test_the_parts_of_a_uri() -> None:
    names = ("Scheme", "UserInfo", "Host", "Port", "Path", "RawQuery", "Query", "Fragment", "Authority")
    parts = ", ".join(f"{name}: uri.get{name}()" for name in names)
    made = evaluate(
        f"(uri => ({{{parts}}}))(new java.net.URI(text))", "http://u:p@shop.example:8080/a%20b?q=%C3%A9&r#top"
    )
    assert made == {
        "Scheme": "http", "UserInfo": "u:p", "Host": "shop.example", "Port": 8080, "Path": "/a b",
        "RawQuery": "q=%C3%A9&r", "Query": "q=é&r", "Fragment": "top", "Authority": "u:p@shop.example:8080",
    }  # fmt: skip
    assert evaluate("[java.net.URI.create('mailto:x@y').getPath(), new java.net.URI('/a').getHost()]") == [None, None]


def test_collections() -> None:
    made = evaluate(
        """(() => {
          const list = new java.util.ArrayList(), map = new java.util.HashMap(), set = new java.util.HashSet();
          list.add('a'); list.add('b'); list.addAll(java.util.Arrays.asList('c', 'd'));
          list.remove('b'); list.remove(0);
          map.put('k', 1); map.put('l', 2); map.remove('l');
          set.add('x'); set.add('x');
          let seen = '';
          for (const item of list) seen += item;
          for (const entry of map.entrySet()) seen += entry.getKey() + entry.getValue();
          return {seen, list, map, size: list.size() + map.size() + set.size(), none: map.get('l'),
            has: list.contains('d'),
            first: list.get(0), key: map.containsKey('k'), or: map.getOrDefault('z', 9), length: list.length};
        })()"""
    )
    assert made == {
        "seen": "cdk1", "list": ["c", "d"], "map": {"k": 1}, "size": 4, "none": None, "has": True, "first": "c",
        "key": True, "or": 9, "length": 2,
    }  # fmt: skip


def test_loops_over_properties_see_none_of_the_added_methods() -> None:
    loop = "for (const list of [['x'], {}, 'y', new Error()]) for (const key in list) keys.push(key);"
    assert evaluate(f"(() => {{ const keys = []; {loop} return keys; }})()") == ["0", "0"]


def test_classes_are_found_wherever_they_are_written_but_in_comments_and_texts() -> None:
    source = """
        /* java.io.File */ // Packages.com.acme.A
        var text = "java.io.Reader", regex = /java.io.Writer/, template = `java.io.Console`;
        var url = new java . net . URL(text);
        var id = java.util.UUID.randomUUID(), other = Packages.com.acme.Thing.make();
        var Socket = Java.type("java.net.Socket");
    """
    found = [(use.name, use.line, use.instead is None) for use in review(source, java_classes()).classes]
    assert found == [
        ("java.net.URL", 4, False),
        ("com.acme.Thing", 5, False),
        ("java.util.UUID", 5, True),
        ("java.net.Socket", 6, False),
    ]


def test_a_variable_that_is_named_like_a_package_is_none() -> None:
    assert review("var org = {apache: {x: {Y: 1}}}; org.apache.x.Y;", java_classes()).classes == []
