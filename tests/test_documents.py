"""Configuration documents: where they come from, what is said about broken ones, variables and secrets."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest

from snowetl import documents
from snowetl.documents import Document
from snowetl.errors import ConfigError
from snowetl.interpolation import interpolate
from snowetl.problems import Problems, did_you_mean, nearest
from snowetl.secret_keys import masked, secrets_in
from tests.iglu.server import Answer, serving

VALUE = {"a": [1, {"b": "ü"}]}
TEXT = json.dumps(VALUE, ensure_ascii=False)


def wrong(source: Any, **options: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        documents.read(source, "the thing", **options)
    return str(caught.value)


# --- sources ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.json", "a.yml", "a.yaml", "a.hocon", "a", "a file.json"])
def test_files(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(TEXT, "utf-8")
    for source in (path, str(path), path.as_uri(), f"\n{path}"[1:]):
        assert documents.read(source, "the thing") == Document(str(path), VALUE, TEXT)


def test_yaml_and_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_bytes(b"\xef\xbb\xbfa: 1 # one\n")
    (tmp_path / "b").write_text("a: 1\n")
    for name in ("a.yml", "b"):
        assert documents.read(tmp_path / name, "the thing").value == {"a": 1}


def test_text_base64_and_parsed_json() -> None:
    plain = base64.b64encode(TEXT.encode()).decode()
    for source in (
        VALUE,
        TEXT,
        f"\n {TEXT}",
        plain,
        plain.rstrip("="),
        base64.urlsafe_b64encode(TEXT.encode()).decode(),
    ):
        assert documents.read(source, "the thing").value == VALUE


def test_a_folder(tmp_path: Path) -> None:
    for name, text in (("b.json", "[2]"), ("a.hocon", "x = 1"), ("c.yml", "- 3"), ("d.txt", "no"), (".hidden", "no")):
        (tmp_path / name).write_text(text)
    (tmp_path / "e.json").mkdir()
    found = documents.read_all(tmp_path, "the things")
    assert [(Path(one.where).name, one.value) for one in found] == [
        ("a.hocon", {"x": 1}),
        ("b.json", [2]),
        ("c.yml", [3]),
    ]
    assert "is a folder of 3 documents" in wrong(tmp_path)


def test_the_web() -> None:
    answers = {"/ok": Answer(body=TEXT.encode()), "/yaml.yml": Answer(body=b"a: 1")}
    with serving(lambda path: answers.get(path.partition("?")[0], Answer(404))) as server:
        assert documents.read(f"{server.uri}/ok", "the thing").value == VALUE
        assert documents.read(f"{server.uri}/yaml.yml?token=s3cr3t", "the thing").value == {"a": 1}
        assert "/none?token=*** cannot be read: the server answers 404" in wrong(f"{server.uri}/none?token=s3cr3t")
    assert "refused" in wrong("http://127.0.0.1:9/x")


def test_s3(aws_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import boto3

    for name, value in {
        "AWS_ENDPOINT_URL_S3": aws_endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    client.create_bucket(Bucket="configurations")
    client.put_object(Bucket="configurations", Key="a/resolver.json", Body=TEXT.encode())
    assert documents.read("s3://configurations/a/resolver.json", "the thing").value == VALUE
    assert "s3://configurations/none.json cannot be read" in wrong("s3://configurations/none.json")


# --- what is said -------------------------------------------------------------------------------------------------


ALIASES = b"a: &a [x,x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (name, name, b",".join([b"*%c" % (name - 1)] * 10)) for name in b"bcdefghij"
)
"""Ten lines that stand for ten thousand million values."""


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.json", b'{\n  "a": 1,\n  "b" 2\n}', "a.json, line 3, column 7 is not JSON"),
        ("a.json", b"", "a.json, line 1, column 1 is not JSON"),
        ("a.json", b"[" * 100_000, "a.json is not JSON"),
        ("a.json", b"[" * 5_000 + b"]" * 5_000, "a.json: it nests deeper than 100 levels"),
        ("a.yml", b"a: " + b"[" * 5_000, "a.yml, line 1, column 103 is not YAML: nested deeper than 100 levels"),
        ("a.yml", b"a: &a\n  b: *a\n", "a.yml, line 2, column 6 is not YAML: the value &a holds itself"),
        ("a.yml", ALIASES, "a.yml, line 6, column 29 is not YAML: more than 1,000,000 values"),
        ("a.yml", b"a: 1\nb: [\n", "a.yml, line 3, column 1 is not YAML"),
        ("a.yml", b"a: 2001-99-99", "a.yml is not YAML"),
        ("a.hocon", b"a = {\n b = ${MISSING_ONE}\n}", "a.hocon"),
        ("a.hocon", b"a = ]", "a.hocon"),
        ("a.json", b'{\n"a": "\xff"}', "a.json, line 2: it is not UTF-8 text"),
    ],
)
def test_broken_files_are_named_with_line_and_column(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert says in wrong(tmp_path / name)


def test_a_file_without_end(tmp_path: Path) -> None:
    path = tmp_path / "endless.json"
    with path.open("wb") as file:
        file.truncate(100 << 20)  # zeros that take no room, as /dev/zero gives them
    assert "endless.json has more than 64 MB, which no configuration has" in wrong(path)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("", "the thing: nothing is given"),
        (7, "the thing: nothing is given"),
        (None, "the thing: nothing is given"),
        ("no/such/file.json", "the thing: there is no file or folder no/such/file.json"),
        ("\0", "the thing: there is no file or folder"),
        ("x" * 10_000, "the thing: there is no file or folder"),
        ("gs://bucket/x", "the thing: gs://bucket/x cannot be read"),
        ("{", "the thing, line 1, column 2 is not JSON"),
        (base64.b64encode(b"[1,").decode(), "the thing in base64, line 1, column 4 is not JSON"),
    ],
)
def test_what_cannot_be_read(source: Any, says: str) -> None:
    text = wrong(source)
    assert says in text and len(text) < 1000


def test_hocon_as_pipelines_have_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Comments, keys without quotes, an include, values of the environment, of the document, and none."""
    monkeypatch.setenv("SALT", "pepper")
    monkeypatch.chdir("/")
    (tmp_path / "names.hocon").write_text('vendor = "com.acme"')
    path = tmp_path / "a.hocon"
    path.write_text(
        """include "names.hocon"
        data { // the enrichment
          owner = ${vendor}, salt = ${SALT}, port = ${?NOT_SET_AT_ALL}
          list = [ a, "b//c" ]     # two
          more = ${data.list} [ d ]
          "dotted.key": 1
        }
        data.enabled = true"""
    )
    assert documents.read(path, "the thing").value == {
        "vendor": "com.acme",
        "data": {
            "owner": "com.acme",
            "salt": "pepper",
            "list": ["a", "b//c"],
            "more": ["a", "b//c", "d"],
            "dotted.key": 1,
            "enabled": True,
        },
    }


def test_a_duration_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.hocon").write_text('a { b = [10s], c = 5 minutes }, d = "10s"')
    text = wrong(tmp_path / "a.hocon")
    assert "a.b.0 is a duration in HOCON; put its text in quotes" in text
    assert "a.c is a duration" in text and "2 problems" in text


def test_hocon_without_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyhocon", None)
    (tmp_path / "a.hocon").write_text("a = 1")
    assert "pip install 'snowetl[hocon]'" in wrong(tmp_path / "a.hocon")


def test_lines_of_values(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{\n "a": {\n  "b": [1,\n   {"c": 2}]},\n "d": 3}')
    found = documents.read(path, "the thing")
    assert [
        found.locate(place).partition(", ")[2] for place in ((), ("a",), ("a", "b", 1, "c"), ("a", "x"), ("d",))
    ] == [
        "",
        "line 2",
        "line 4",
        "line 2",
        "line 5",
    ]
    assert documents.read({"a": 1}, "the thing").locate(("a",)) == "the thing"


def test_problems_are_told_at_once_and_once() -> None:
    problems = Problems()
    problems.check()
    problems.add("one")
    with pytest.raises(ConfigError, match="^one$"):
        problems.check()
    with problems.gathered():
        raise ConfigError("two")
    problems.add("one")
    outer = Problems()
    with outer.gathered():
        problems.check()
    outer.add("three")
    with pytest.raises(ConfigError) as caught:
        outer.check()
    assert str(caught.value) == "3 problems in the configuration:\n  - one\n  - two\n  - three"


@pytest.mark.parametrize(
    ("name", "known", "found"),
    [
        ("annonOctets", ["anonOctets", "anonSegments"], "anonOctets"),
        ("anonip", ["anon_ip", "ip_lookups"], "anon_ip"),
        ("CLOUDFRONT", ["cloudfront", "thrift"], "cloudfront"),
        ("zebra", ["cloudfront", "thrift"], ""),
        ("x", [], ""),
    ],
)
def test_the_nearest_name(name: str, known: list[str], found: str) -> None:
    assert nearest(name, known) == found
    assert did_you_mean(name, known) == (f"; did you mean {found}" if found else "")


# --- variables and secrets ----------------------------------------------------------------------------------------


def test_variables() -> None:
    value = {"a": ["${X}-${Y:-d}", "$X $$ $${X} ${1}", 7, None], "${X}": "{{key}}"}
    assert interpolate(value, {"X": "x"}) == {"a": ["x-d", "$X $$ ${X} ${1}", 7, None], "${X}": "{{key}}"}
    with pytest.raises(ValueError, match=r"^the environment variables B and A are not set\."):
        interpolate(["${B} ${A}", "${B}", "${X}"], {"X": ""})


def test_documents_have_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNOWETL_TEST", 'quoted " text')
    (tmp_path / "a.json").write_text('{"a": "${SNOWETL_TEST}", "b": "${SNOWETL_NONE}"}')
    assert "a.json: the environment variable SNOWETL_NONE is not set" in wrong(tmp_path / "a.json")
    found = documents.read(tmp_path / "a.json", "the thing", variables=False)
    assert found.value["a"] == "${SNOWETL_TEST}"
    monkeypatch.setenv("SNOWETL_NONE", "")
    assert documents.read(tmp_path / "a.json", "the thing").value == {"a": 'quoted " text', "b": ""}
    assert os.environ["SNOWETL_NONE"] == ""


def test_secrets() -> None:
    value = {
        "apikey": "k1",
        "auth": [{"secretAccessKey": "k2", "accessKeyId": "id", "password": "", "token": 7}],
        "strategy": {"pseudonymize": {"salt": "k3"}},
        "uri": "http://me:word@host/x?api_key=k4",
        "keyword": "shown",
    }
    assert list(secrets_in(value)) == ["k1", "k2", "k3"]
    assert masked(value) == {
        "apikey": "***",
        "auth": [{"secretAccessKey": "***", "accessKeyId": "id", "password": "", "token": 7}],
        "strategy": {"pseudonymize": {"salt": "***"}},
        "uri": "http://***@host/x?api_key=***",
        "keyword": "shown",
    }
