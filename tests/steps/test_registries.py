"""Registries that are folders reach workers that see no file of the driver."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from snowetl.iglu.config import Repository, ResolverConfig
from snowetl.iglu.registries import build_registries
from snowetl.model.schema import SchemaKey, SchemaVer
from snowetl.steps import registries
from snowetl.workers.spark_files import _bring, unique_name

ROOT = Path(__file__).parents[2]


@pytest.fixture
def key() -> SchemaKey:
    """Of some schema of the fixtures' registry."""
    path = next((ROOT / "fixtures" / "iglu" / "schemas").glob("*/*/jsonschema/*-*-*"))
    vendor, name, format_, version = path.parts[-4:]
    return SchemaKey(vendor, name, format_, SchemaVer.parse(version))


def resolver(folder: str) -> ResolverConfig:
    embedded = Repository("of a folder", 0, (), path=folder)
    static = Repository("of a file address", 1, (), uri=f"file:{folder}")
    return ResolverConfig((embedded, static, Repository("of the package", 2, (), path="/snowetl/iglu")))


def answers(config: ResolverConfig, key: SchemaKey) -> list[object]:
    """What the registries that are folders say: a schema, a schema that is missing, the versions of a model."""
    missing = SchemaKey(key.vendor, "no_such_thing", "jsonschema", SchemaVer(1, 0, 0))
    _, *given = build_registries(config)
    return [
        answer
        for one in given[:2]
        for answer in (one.schema(key), one.schema(missing), one.schema_list(key.vendor, key.name, key.version.model))
    ]


@pytest.mark.parametrize("sent", [False, True], ids=["on this machine", "sent as an archive"])
def test_a_relative_folder_is_found_by_workers_elsewhere(
    sent: bool, key: SchemaKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "fixtures" / "iglu", tmp_path / "config" / "iglu")
    config = resolver("config/iglu")
    expected = answers(config, key)
    assert "NotFound" not in str(expected[0])
    files = {name: Path(path) for name, path in registries.folders(config).items()}
    assert len(files) == 2
    if sent:
        (tmp_path / "worker").mkdir()
        for name, path in files.items():
            files[name] = tmp_path / "worker" / f"{len(name)}-{unique_name(path)}"
            _bring(path, files[name])
        shutil.rmtree(tmp_path / "config")
    monkeypatch.chdir("/")
    there = registries.located(config, files | {"s3://bucket/an/asset": Path("/asset")})
    assert answers(there, key) == expected
    assert there.repositories[2] == config.repositories[2]
    assert registries.without_folders(files | {"s3://x": Path("/x")}) == {"s3://x": Path("/x")}


def test_an_archive_has_another_name_when_a_schema_changes(tmp_path: Path) -> None:
    """Workers of a session keep files by name."""
    (tmp_path / "schemas" / "acme").mkdir(parents=True)
    (tmp_path / "schemas" / "acme" / "1-0-0").write_text("{}")
    before = unique_name(tmp_path / "schemas")
    assert unique_name(tmp_path / "schemas") == before
    (tmp_path / "schemas" / "acme" / "1-0-0").write_text("{} ")
    assert unique_name(tmp_path / "schemas") != before
