"""L2: a run id under another value of any setting that shapes output is refused, and the setting is named."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from snowetl.cli.main import main
from snowetl.orchestrator.settings import RunSettings
from snowetl.settings import Settings
from snowetl.steps.settings import EnrichSettings, TransformSettings
from tests.integration.support import RESOLVER, RUN, anon_ip, write_json, write_logs

VERBS: dict[str, type[Settings]] = {"enrich": EnrichSettings, "transform": TransformSettings, "run": RunSettings}
OTHER_RESOLVER = {"schema": RESOLVER["schema"], "data": RESOLVER["data"] | {"cacheSize": 7}}
CHANGES: dict[str, dict[str, str | None]] = {
    "iglu-config": {"--iglu-config": "other-resolver.json"},
    "on-registry-failure": {"--on-registry-failure": "bad-rows"},
    "input-folder": {"--input-folder": "more"},
    "transform input-folder": {"--input-folder": f"moved/run={RUN}"},
    "input-format": {"--input-format": "clj-tomcat"},
    "enrichments": {"--enrichments": "anon_ip.json"},
    "local": {"--local": None},
    "adapters": {"--adapters": "adapters.json"},
    "recoveries": {"--recoveries": "recoveries.json", "--input-format": "bad-rows/cloudfront"},
    "etl-timestamp": {"--etl-timestamp": "1767323045001"},
    "accept-invalid": {"--accept-invalid": None},
    "pii-events": {"--pii-events": None},
    "legacy-enrichment-order": {"--legacy-enrichment-order": None},
    "try-base64": {"--try-base64": None},
    "atomic-limits": {"--atomic-limits": "limits.json"},
    "compatibility": {"--compatibility": "6"},
    "webhook-schemas": {"--webhook-schemas": "6"},
    "violations": {"--violations": "one-bad-row"},
    "max-json-depth": {"--max-json-depth": "20"},
    "iab-unknown-clients": {"--iab-unknown-clients": "skip"},
    "max-record-bytes": {"--max-record-bytes": "9MB"},
    "max-output-bytes": {"--max-output-bytes": "9MB"},
    "bad-folder": {"--bad-folder": "elsewhere/bad"},
    "failed-folder": {"--failed-folder": "elsewhere/failed"},
    "failed-events": {"--failed-events": None},
    "enriched-folder": {"--enriched-folder": "elsewhere/enriched"},
    "transformed-folder": {"--transformed-folder": "elsewhere/transformed"},
    "output-format": {"--output-format": "json"},
    "compression": {"--compression": "none"},
    "natural": {"--no-natural": None, "--synthetic": "NONE"},
    "synthetic": {"--synthetic": "NONE"},
    "cardinality": {"--cardinality": "2"},
    "duplicate-storage": {"--duplicate-storage": "postgresql://127.0.0.1:9/events"},
    "minimum-timestamp": {"--minimum-timestamp": "2020-01-01T00:00:00Z"},
    "truncate-atomic-fields": {"--truncate-atomic-fields": None},
    "recovery-tables": {"--recovery-tables": None},
    "disable-recovery": {"--disable-recovery": "iglu:com.acme/click/jsonschema/1-*-*"},
    "transformation": {"--transformation": "widerow-json"},
    "target": {"--target": "redshift"},
    "default-format": {"--default-format": "JSON"},
    "tsv": {"--default-format": "JSON", "--tsv": "iglu:com.acme/click/jsonschema/1-*-*"},
    "json": {"--json": "iglu:com.acme/click/jsonschema/1-*-*"},
    "skip": {"--skip": "iglu:com.acme/click/jsonschema/1-*-*"},
    "legacy-message-format": {"--legacy-message-format": None},
}
"""Another value of each setting, as options of the command line. A new setting that shapes output needs a row."""


def arguments(verb: str, **changes: str | None) -> list[str]:
    base: dict[str, str | None] = {"--iglu-config": "resolver.json", "--master": "none", "--run-id": RUN}
    if verb == "transform":
        base = {key: base[key] for key in base if key != "--run-id"}
        base |= {"--input-folder": f"enriched/run={RUN}", "--output-folder": "transformed"}
    else:
        base |= {"--input-folder": "raw", "--input-format": "cloudfront", "--output-folder": "enriched"}
    if verb == "enrich":
        base |= {"--bad-folder": "bad"}
    if verb == "run":
        base |= {"--output-folder": "out", "--transformation": "widerow-parquet"}  # which needs no warehouse
    return [verb, *(part for option in (base | changes).items() for part in option if part is not None)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which each verb has done the run."""
    folder = tmp_path_factory.mktemp("made")
    write_logs(folder / "raw", files=1, lines=5)
    shutil.copytree(folder / "raw", folder / "more")
    for name, document in {
        "resolver": RESOLVER, "other-resolver": OTHER_RESOLVER, "anon_ip": anon_ip(2), "limits": {"page_url": 10_000},
        "adapters": {"adaptersSchemas": {"hubspot": {}}},
        "recoveries": {"schema": "iglu:com.snowplowanalytics.snowplow/recoveries/jsonschema/4-0-0", "data": {}},
    }.items():  # fmt: skip
        write_json(folder / f"{name}.json", document)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for verb in VERBS:
            assert main(arguments(verb)) == 0
            assert main(arguments(verb)) in (0, 3), "the same again is no mistake"
        shutil.copytree(folder / "enriched", folder / "moved")
        yield folder


def test_every_setting_that_shapes_output_has_another_value_here() -> None:
    shaping = {each.key for kind in VERBS.values() for each in kind.options() if each.shapes_output}
    assert shaping == {key for key in CHANGES if " " not in key}, "a new setting needs a row in CHANGES"


def content(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("verb", "key"),
    [(verb, each.key) for verb, kind in VERBS.items() for each in kind.options() if each.shapes_output],
)
def test_L2_another_value_of_any_setting_that_shapes_output_is_refused(
    verb: str, key: str, made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = content(made)
    assert main(arguments(verb, **CHANGES.get(f"{verb} {key}", CHANGES[key]))) == 2
    error = " ".join(capsys.readouterr().err.split())
    assert "with other settings" in error and key in error.partition("with other settings")[2], error
    assert content(made) == before


def test_L2_settings_that_shape_nothing_change_nothing(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for verb in VERBS:
        assert main(arguments(verb, **{"--workers": "2", "--split-size": "1MB", "--max-bad": "100%"})) in (0, 3)
    assert "other settings" not in capsys.readouterr().err
