"""Types of option values, and that secrets of documents are known before anything is printed."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import click
import pytest

from snowetl.cli import console
from snowetl.cli.options import ByteSize, Document, adapter_options
from snowetl.errors import ConfigError

KEY = "5fb4713d-73ad-4163-93a9-2b82f0177c5b"
SECRET = {"data": {"connection": {"http": {"apikey": KEY}}}}


@pytest.mark.parametrize(
    ("text", "size"),
    [("64MB", 64 << 20), ("1.5k", 1536), ("1048576", 1 << 20), (" 2 GiB ", 2 << 30), (7, 7), ("1t", 1 << 40)],
)
def test_sizes(text: object, size: int) -> None:
    assert ByteSize().convert(text, None, None) == size


@pytest.mark.parametrize("text", ["", "many", "0", "-1", "1 XB", "0.1", "1e3"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is not a size, such as 64MB"):
        ByteSize().convert(text, None, None)


def as_file(folder: Path) -> Any:
    (folder / "x.json").write_text(json.dumps(SECRET))
    return str(folder / "x.json")


def as_folder(folder: Path) -> Any:
    (folder / "a.json").write_text("{ not json")
    as_file(folder)
    return str(folder)


def as_base64(_: Path) -> Any:
    return base64.b64encode(json.dumps(SECRET).encode()).decode()


def as_document(_: Path) -> Any:
    return SECRET


@pytest.mark.parametrize("make", [as_file, as_folder, as_base64, as_document])
def test_secrets_of_documents_are_masked(tmp_path: Path, make: Any) -> None:
    console._secrets.clear()
    value = make(tmp_path)
    assert Document().convert(value, None, None) == value
    assert console.mask(f"key {KEY}") == "key ***"


@pytest.mark.parametrize("value", ["", "\0", "no/such/file", "x" * 5000, 7])
def test_what_cannot_be_read_is_passed_on(value: object) -> None:
    assert Document().convert(value, None, None) == str(value)


ADAPTERS = {"adaptersSchemas": {"sendgrid": {}}, "remoteAdapters": {"configs": []}}


@pytest.mark.parametrize("form", [lambda _: ADAPTERS, lambda folder: json.dumps(ADAPTERS).encode(), None])
def test_adapters_are_read_from_every_form(tmp_path: Path, form: Any) -> None:
    source = form(tmp_path) if form else str(tmp_path / "adapters.json")
    if isinstance(source, bytes):
        source = base64.b64encode(source).decode()
    (tmp_path / "adapters.json").write_text(json.dumps(ADAPTERS))
    assert adapter_options(source) == {"adapter_schemas": {"sendgrid": {}}, "remote_adapters": {"configs": []}}
    assert adapter_options(None) == {}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"adapterSchemas": {}}, "unknown key 'adapterSchemas'.*Did you mean 'adaptersSchemas'"),
        ([1], "is no JSON object"),
        ("missing.json", "--adapters: missing.json is no JSON object, and no file or base64 of one"),
    ],
)
def test_adapters_that_cannot_be_used(source: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        adapter_options(source)
