"""Recovery tables: versions that break the table of their model, from the enriched line to SQL, in both warehouses."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from snowetl.errors import LoadError
from snowetl.load.run import read_run
from snowetl.steps.base import Unwatched, World
from snowetl.steps.settings import TransformSettings
from snowetl.steps.table import TRANSFORM
from snowetl.workers.in_process import InProcess
from tests.load.places.postgres import InPostgres
from tests.load.runs import schema
from tests.transform.support import contexts, line, self_describing, unstruct

Versions = dict[str, dict[str, Any]]
TEXT, INTEGER = {"type": "string", "maxLength": 20}, {"type": "integer", "minimum": 0, "maximum": 1000}
FIRST: Versions = {"1-0-0": schema(url=TEXT, n=INTEGER)}
ADDED: Versions = FIRST | {"1-0-1": schema(url=TEXT, n=INTEGER, t=TEXT)}
BROKEN: Versions = ADDED | {"1-0-2": schema(url=TEXT, n={"type": "boolean"})}
AFTER: Versions = BROKEN | {"1-0-3": schema(url=TEXT, n=INTEGER, t=TEXT, u=INTEGER)}
META = "http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#"
RUN = "run=2026-01-0{}-00-00-00"


@pytest.fixture
def place(shredded: InPostgres) -> InPostgres:
    return shredded


def click(version: str, **data: Any) -> dict[str, Any]:
    return self_describing(f"iglu:com.acme/click/jsonschema/{version}", data)


def event(number: int, *entities: dict[str, Any]) -> str:
    """An enriched line: the first entity is the event itself, the others are its contexts."""
    id_ = f"00000000-0000-4000-8000-{number:012d}"
    return line(event_id=id_, unstruct_event=unstruct(entities[0]), contexts=contexts(*entities[1:]))


def transformed(
    folder: Path, target: str, lines: Sequence[str], versions: Versions, day: int = 1, **settings: Any
) -> str:
    """The folder of a run that is made by the step itself, with the schemas in a registry."""
    registry = folder / f"registry-{day}"
    for version, document in versions.items():
        own = {"vendor": "com.acme", "name": "click", "format": "jsonschema", "version": version}
        path = registry / "schemas/com.acme/click/jsonschema" / version
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"$schema": META, "self": own} | document))
    repository = {
        "name": "Ours",
        "priority": 0,
        "vendorPrefixes": [],
        "connection": {"embedded": {"path": str(registry)}},
    }
    resolver = {
        "schema": "iglu:com.snowplowanalytics.iglu/resolver-config/jsonschema/1-0-3",
        "data": {"cacheSize": 500, "repositories": [repository]},
    }
    source = folder / "enriched" / RUN.format(day)
    source.mkdir(parents=True)
    (source / "part-0.txt").write_text("".join(f"{text}\n" for text in lines))
    (source / "_SUCCESS").touch()
    given = {"recovery_tables": True, "target": target} | settings
    made = TransformSettings(
        input_folder=str(source), output_folder=str(folder / "transformed"), iglu_config=resolver, **given
    )
    TRANSFORM.execute(TRANSFORM.plan(made, World.of_now()), InProcess(), Unwatched())
    return str(folder / "transformed" / RUN.format(day))


def recovered(place: InPostgres) -> list[str]:
    found = place.query("SELECT tablename FROM pg_tables WHERE tablename ~ 'recovered' ORDER BY 1")
    return [name for (name,) in found]


def test_versions_that_only_add_share_the_table_of_their_model(place: InPostgres, tmp_path: Path) -> None:
    lines = [event(1, click("1-0-0", url="a", n=1)), event(2, click("1-0-1", url="b", n=2, t="c"))]
    report = place.load(transformed(tmp_path, place.kind, lines, ADDED), click=ADDED)
    assert [(table.table, table.rows) for table in report.tables] == [
        ("atomic.events", 2), ("atomic.com_acme_click_1", 2),
    ]  # fmt: skip
    assert place.query("SELECT url, n, t FROM atomic.com_acme_click_1 ORDER BY 1") == [("a", 1, None), ("b", 2, "c")]
    assert recovered(place) == []


def test_a_version_that_breaks_the_table_has_one_of_its_own(place: InPostgres, tmp_path: Path) -> None:
    lines = [
        event(1, click("1-0-0", url="a", n=1), click("1-0-2", url="b", n=True)),
        event(2, click("1-0-3", url="c", n=3, t="d", u=4)),
        event(3, click("1-0-2", url="e", n=False)),
    ]
    report = place.load(transformed(tmp_path, place.kind, lines, AFTER), click=AFTER)
    [name] = recovered(place)
    assert name.startswith("com_acme_click_1_0_2_recovered_") and name.rpartition("_")[2].isdigit()
    assert {table.table: table.rows for table in report.tables} == {
        "atomic.events": 3, "atomic.com_acme_click_1": 2, f"atomic.{name}": 2,
    }  # fmt: skip
    assert (report.rejected, report.aside) == (0, [])
    assert place.query("SELECT url, n, t, u FROM atomic.com_acme_click_1 ORDER BY 1") == [
        ("a", 1, None, None), ("c", 3, "d", 4),
    ]  # fmt: skip
    assert place.query(f"SELECT url, n, schema_version FROM atomic.{name} ORDER BY 1") == [
        ("b", True, "1-0-2"), ("e", False, "1-0-2"),
    ]  # fmt: skip
    assert place.query(f"SELECT count(*) FROM atomic.events e JOIN atomic.{name} r ON r.root_id = e.event_id") == [(2,)]
    assert place.query("SELECT obj_description('atomic.com_acme_click_1'::regclass)") == [
        ("iglu:com.acme/click/jsonschema/1-0-3",)
    ]


def test_a_run_is_loaded_once_and_the_next_one_finds_the_tables(place: InPostgres, tmp_path: Path) -> None:
    run = transformed(tmp_path, place.kind, [event(1, click("1-0-2", url="b", n=True))], BROKEN)
    assert place.load(run, click=BROKEN).outcome == "loaded"
    assert place.load(run, click=BROKEN).outcome == "already loaded"
    lines = [event(2, click("1-0-2", url="c", n=True), click("1-0-3", url="d", n=4, u=5))]
    place.load(transformed(tmp_path, place.kind, lines, AFTER, day=2), click=AFTER)
    [name] = recovered(place)  # a version that is published later renames nothing
    assert place.query(f"SELECT url FROM atomic.{name} ORDER BY 1") == [("b",), ("c",)]
    assert place.query("SELECT url, u FROM atomic.com_acme_click_1") == [("d", 5)]


def test_a_warehouse_of_before_keeps_its_rows_and_its_columns(place: InPostgres, tmp_path: Path) -> None:
    both = [click("1-0-0", url="a", n=1), click("1-0-2", url="b", n=True)]
    place.load(transformed(tmp_path, place.kind, [event(1, *both)], BROKEN, recovery_tables=False), click=BROKEN)
    assert recovered(place) == []
    before = place.query("SELECT url, n FROM atomic.com_acme_click_1 ORDER BY 1")
    report = place.load(transformed(tmp_path, place.kind, [event(2, *both)], BROKEN, day=2), click=BROKEN)
    [name] = recovered(place)
    assert {table.table: table.change for table in report.tables} == {
        "atomic.events": None,
        "atomic.com_acme_click_1": None,
        f"atomic.{name}": "created",
    }
    assert place.query(f"SELECT url, n FROM atomic.{name}") == [("b", True)]
    after = place.query("SELECT url, n FROM atomic.com_acme_click_1 ORDER BY 1")
    assert len(after) == len(before) + 1 and [row for row in after if row[0] == "b"] == [before[1]]
    assert place.query("SELECT obj_description('atomic.com_acme_click_1'::regclass)") == [
        ("iglu:com.acme/click/jsonschema/1-0-2",)
    ]


def test_without_the_option_all_versions_share_one_table(place: InPostgres, tmp_path: Path) -> None:
    entities = [click("1-0-0", url="a", n=1), click("1-0-2", url="b", n=True)]
    for day, settings in enumerate(
        ({"recovery_tables": False}, {"disable_recovery": ("iglu:com.acme/click/jsonschema/1-*-*",)}), 1
    ):
        run = transformed(tmp_path, place.kind, [event(day, *entities)], BROKEN, day, **settings)
        assert not list(Path(run).rglob("revision=*"))
        assert "merged" not in Path(run, "shredding_complete.json").read_text()
        place.load(run, click=BROKEN)
    assert recovered(place) == []
    assert place.query("SELECT count(*) FROM atomic.com_acme_click_1") == [(4,)]


def test_a_run_without_the_option_is_told_of_where_the_warehouse_has_recovery_tables(
    place: InPostgres, tmp_path: Path
) -> None:
    both = [click("1-0-0", url="a", n=1), click("1-0-2", url="b", n=True)]
    assert place.load(transformed(tmp_path, place.kind, [event(1, *both)], BROKEN), click=BROKEN).warnings == []
    [name] = recovered(place)
    report = place.load(
        transformed(tmp_path, place.kind, [event(2, *both)], BROKEN, day=2, recovery_tables=False), click=BROKEN
    )
    assert report.warnings == [
        f"rows of 1 version are in the tables of their models, not in atomic.{name}: the run was transformed without "
        "--recovery-tables; set recovery-tables: true for those to come"
    ]
    assert place.query(f"SELECT count(*) FROM atomic.{name}") == [(1,)]
    others = [event(3, click("1-0-0", url="c", n=2))]  # of versions that have no table of their own
    run = transformed(tmp_path, place.kind, others, BROKEN, day=3, recovery_tables=False)
    assert place.load(run, click=BROKEN).warnings == []


def test_a_part_of_a_recovery_table_that_is_missing_fails_the_load(place: InPostgres, tmp_path: Path) -> None:
    run = transformed(
        tmp_path, place.kind, [event(1, click("1-0-0", url="a", n=1), click("1-0-2", url="b", n=True))], BROKEN
    )
    [part] = [path for path in Path(run).rglob("name=click/**/part-*") if "1-0-2" in _text(path)]
    part.unlink()
    with pytest.raises(LoadError, match="is missing, 1 rows"):
        place.load(run, click=BROKEN)
    assert recovered(place) == []


def _text(path: Path) -> str:
    import gzip

    return gzip.decompress(path.read_bytes()).decode()


def test_rows_put_aside_find_their_recovery_table_later(place: InPostgres, tmp_path: Path) -> None:
    run = transformed(tmp_path, place.kind, [event(1, click("1-0-2", url="b", n=True))], BROKEN)
    report = place.load(run, click=ADDED)  # a registry that does not know the version yet
    assert report.rejected == 1 and recovered(place) == []
    [retried] = place.retry_rejected(click=BROKEN)
    [name] = recovered(place)
    assert [(table.table, table.rows) for table in retried.tables] == [(f"atomic.{name}", 1)]
    assert place.query(f"SELECT url, n FROM atomic.{name}") == [("b", True)]


def test_failed_events_have_recovery_tables_of_their_own(place: InPostgres, tmp_path: Path) -> None:
    run = transformed(tmp_path, place.kind, [event(1, click("1-0-2", url="b", n=True))], BROKEN)
    message = json.loads(Path(run, "shredding_complete.json").read_text())
    message["data"]["failedEvents"] = True
    Path(run, "shredding_complete.json").write_text(json.dumps(message))
    place.load(run, click=BROKEN)
    [name] = recovered(place)
    assert name.startswith("failed_com_acme_click_1_0_2_recovered_")
    good = transformed(tmp_path, place.kind, [event(2, click("1-0-2", url="c", n=True))], BROKEN, day=2)
    place.load(good, click=BROKEN)
    assert recovered(place) == [name.removeprefix("failed_"), name]
    assert place.query(f"SELECT url FROM atomic.{name}") == [("b",)]


def test_the_folders_of_redshift_are_those_of_rdb_loader_6(tmp_path: Path) -> None:
    lines = [event(1, click("1-0-0", url="a", n=1), click("1-0-2", url="b", n=True))]
    run = read_run(transformed(tmp_path, "redshift", lines, BROKEN))
    assert [folder.path for folder in run.row_folders()[1:]] == [
        "output=good/vendor=com.acme/name=click/format=tsv/model=1/revision=0/addition=0/",
        "output=good/vendor=com.acme/name=click/format=tsv/model=1/revision=0/addition=2/",
    ]
    assert [folder.rows for folder in run.row_folders()[1:]] == [1, 1]


def test_a_property_that_was_gone_for_a_version_has_one_column(place: InPostgres, tmp_path: Path) -> None:
    gone: Versions = {
        "1-0-0": schema(url=TEXT, n=INTEGER),
        "1-0-1": schema(url=TEXT),
        "1-0-2": schema(url=TEXT, n=INTEGER),
    }
    lines = [event(1, click("1-0-0", url="a", n=1), click("1-0-1", url="b"), click("1-0-2", url="c", n=3))]
    place.load(transformed(tmp_path, place.kind, lines, gone), click=gone)
    assert recovered(place) == []
    assert place.query("SELECT url, n FROM atomic.com_acme_click_1 ORDER BY 1") == [("a", 1), ("b", None), ("c", 3)]
    columns = "SELECT count(*) FROM information_schema.columns WHERE table_name = 'com_acme_click_1'"
    assert place.query(columns) == [(11,)]


def test_rows_of_redshift_with_such_a_property_fit_a_table_of_postgres(place: InPostgres, tmp_path: Path) -> None:
    if place.kind != "postgres":
        pytest.skip("rows made for another warehouse")
    gone: Versions = {
        "1-0-0": schema(url=TEXT, n=INTEGER),
        "1-0-1": schema(url=TEXT),
        "1-0-2": schema(url=TEXT, n=INTEGER),
    }
    lines = [event(1, click("1-0-0", url="a", n=1), click("1-0-2", url="c", n=3))]
    run = transformed(tmp_path, "redshift", lines, gone, recovery_tables=False)
    assert place.load(run, click=gone).rejected == 0
    assert place.query("SELECT url, n FROM atomic.com_acme_click_1 ORDER BY 1") == [("a", 1), ("c", 3)]


def test_a_version_that_no_registry_lists_is_filed_with_the_latest(place: InPostgres, tmp_path: Path) -> None:
    lines = [event(1, click("1-0-9", url="a", n=1))]
    report = place.load(transformed(tmp_path, place.kind, lines, AFTER), click=AFTER)
    assert report.rejected == 0
    assert place.query("SELECT url, n, schema_version FROM atomic.com_acme_click_1") == [("a", 1, "1-0-9")]
