"""``snowetl export --cube``: counts by dimensions, against counts made in the plainest way; CSV, Excel, Parquet."""

from __future__ import annotations

import csv
import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest

from snowetl import read_enriched
from snowetl.analytics import cube as cubes
from snowetl.analytics import tables
from snowetl.analytics.cube import ALL, DIMENSIONS, MEASURES, CubeShape, cube
from snowetl.analytics.settings import CubeSettings
from snowetl.cli.main import main
from snowetl.errors import ConfigError
from snowetl.load.warehouses.bigquery.client import EMULATOR
from snowetl.model.fields import NAMES
from tests.load import clickhouse_server
from tests.load.bigquery_server import PROJECT, bigquery_server
from tests.steps.transform_support import event_id, write_run
from tests.transform.support import line

DAYS = ("2026-03-02", "2026-03-03")


def columns_of(number: int, dice: random.Random) -> dict[str, str]:
    kind = dice.choice(["page_view", "page_view", "page_ping", "transaction", "struct"])
    return {
        "event_id": event_id(number),
        "event": kind,
        "collector_tstamp": f"{dice.choice(DAYS)} 23:59:59.999",
        "derived_tstamp": dice.choice(["", f"{DAYS[0]} 10:00:00.000"]),
        "page_urlpath": dice.choice(["/", "/tea", '/"quoted", =1+1\n'.replace("\n", "")]),
        "mkt_campaign": dice.choice(["", "spring"]),
        "domain_sessionid": dice.choice(["", *(f"s{each}" for each in range(20))]),
        "domain_userid": dice.choice(["", *(f"u{each}" for each in range(7))]),
        "tr_orderid": f"o{number % 5}" if kind == "transaction" else "",
    }


@pytest.fixture
def events(tmp_path: Path) -> list[dict[str, str]]:
    dice = random.Random(5)
    found = [columns_of(number, dice) for number in range(400)]
    write_run(tmp_path / "enriched", [[line(**each) for each in found[:250]], [line(**each) for each in found[250:]]])
    return found


def naive(events: list[dict[str, str]], totals: bool = False) -> dict[tuple[Any, ...], tuple[int, ...]]:
    """Cells of day, page and campaign with the usual measures."""
    groups: dict[tuple[Any, ...], list[dict[str, str]]] = defaultdict(list)
    for each in events:
        day = (each["derived_tstamp"] or each["collector_tstamp"])[:10]
        cell = (day, each["page_urlpath"] or None, each["mkt_campaign"] or None)
        for mask in range(8) if totals else (0,):
            groups[tuple(ALL if mask >> place & 1 else value for place, value in enumerate(cell))].append(each)
    return {
        cell: (
            len(group),
            sum(each["event"] == "page_view" for each in group),
            len({each["domain_sessionid"] for each in group} - {""}),
            len({each["domain_userid"] for each in group} - {""}),
        )
        for cell, group in groups.items()
    }


def counted(folder: Path, shape: CubeShape) -> list[tuple[Any, ...]]:
    return list(cube(read_enriched(folder / "enriched", columns=shape.columns), shape))


@pytest.mark.parametrize("totals", [False, True])
@pytest.mark.parametrize("remembered", [200_000, 3])
def test_counts_are_those_of_plain_sets(
    totals: bool, remembered: int, tmp_path: Path, events: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cubes, "_REMEMBERED", remembered)
    rows = counted(tmp_path, CubeShape.parse(["day", "page", "campaign"], totals=totals))
    assert {row[:3]: row[3:] for row in rows} == naive(events, totals)
    assert len({row[:3] for row in rows}) == len(rows)


def test_cells_come_in_order_and_unknown_values_last(tmp_path: Path, events: list[dict[str, str]]) -> None:
    rows = counted(tmp_path, CubeShape.parse(["campaign", "day"], ["events"]))
    assert [row[0] for row in rows] == ["spring", "spring", None, None]
    assert sum(row[2] for row in rows) == len(events)


@pytest.mark.usefixtures("events")
@pytest.mark.parametrize("name", DIMENSIONS)
def test_every_dimension_reads_columns_that_there_are(name: str, tmp_path: Path) -> None:
    assert set(DIMENSIONS[name].columns) <= set(NAMES)
    assert sum(row[1] for row in counted(tmp_path, CubeShape.parse([name], ["events"]))) == 400


def test_every_measure(tmp_path: Path, events: list[dict[str, str]]) -> None:
    assert {measure.column for measure in MEASURES.values()} <= set(NAMES)
    [row] = counted(tmp_path, CubeShape.parse(["app"], list(MEASURES)))
    orders = {each["tr_orderid"] for each in events} - {""}
    pings = sum(each["event"] == "page_ping" for each in events)
    assert row[3:5] == (pings, len(orders))


def test_the_help_names_all_dimensions_and_measures() -> None:
    told = {each.name: each.help for each in CubeSettings.options()}
    assert told["cube"].removeprefix("Dimensions: ").removesuffix(".").split(", ") == list(DIMENSIONS)
    assert told["measures"].removeprefix("Measures: ").removesuffix(".").split(", ") == list(MEASURES)


def test_years_that_python_does_not_know(tmp_path: Path) -> None:
    write_run(tmp_path / "enriched", [[line(derived_tstamp="+12026-03-02 10:00:00.000", event_id=event_id(1))]])
    found = counted(tmp_path, CubeShape.parse(["day", "hour", "month"], ["events"]))
    assert found == [] or found[0][0].endswith("2026-03-02")


def test_all_that_is_wrong_is_told() -> None:
    with pytest.raises(ConfigError) as told:
        CubeShape.parse(["dayy", "page", "page"], ["visits"])
    text = str(told.value)
    assert "'dayy' is no dimension; did you mean day" in text
    assert "dimension 'page' is given twice" in text and "'visits' is no measure" in text
    with pytest.raises(ConfigError, match="no dimension is given"):
        CubeShape.parse([])


# --- files ----------------------------------------------------------------------------------------------------------


def export(folder: Path, *more: str) -> int:
    return main(["export", "--cube", "day,page,campaign", "-i", str(folder / "enriched"), *more])


def read_csv(text: str) -> list[list[Any]]:
    return [list(row) for row in csv.reader(text.splitlines())]


def read_xlsx(path: Path) -> list[list[Any]]:
    sheet = openpyxl.load_workbook(path).active
    assert sheet is not None
    return [list(row) for row in sheet.iter_rows(values_only=True)]


def as_table(rows: list[list[Any]]) -> dict[tuple[Any, ...], tuple[int, ...]]:
    return {tuple(value or None for value in row[:3]): tuple(map(int, row[3:])) for row in rows}


def written(folder: Path, kind: str) -> Iterator[list[Any]]:
    path = folder / f"cube.{kind}"
    assert export(folder, "--to", kind, "-o", str(path)) == 0
    if kind == "parquet":
        table = pq.ParquetFile(path).read()
        yield table.column_names
        yield from map(list, zip(*(column.to_pylist() for column in table.columns), strict=True))
    else:
        yield from read_xlsx(path) if kind == "xlsx" else read_csv(path.read_text())


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet"])
def test_each_kind_of_file_holds_the_cube(kind: str, tmp_path: Path, events: list[dict[str, str]]) -> None:
    header, *rows = written(tmp_path, kind)
    assert header == ["day", "page", "campaign", "events", "page_views", "sessions", "users"]
    assert as_table(rows) == naive(events)


def test_csv_without_a_file_goes_to_standard_output(
    tmp_path: Path, events: list[dict[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(tmp_path) == 0
    _, *rows = read_csv(capsys.readouterr().out)
    assert as_table(rows) == naive(events)
    assert main(["export", "cube", "--cube", "day,page,campaign", "-i", str(tmp_path / "enriched")]) == 0
    assert as_table(read_csv(capsys.readouterr().out)[1:]) == naive(events)


def test_what_looks_like_a_formula_is_text_in_excel(tmp_path: Path) -> None:
    formula = '=HYPERLINK("https://evil.example","x")'
    write_run(tmp_path / "enriched", [[line(page_urlpath=formula, mkt_campaign="\x01control")]])
    path = tmp_path / "cube.xlsx"
    assert export(tmp_path, "--to", "xlsx", "-o", str(path)) == 0
    cell = openpyxl.load_workbook(path).active["B2"]
    assert (cell.data_type, cell.value) == ("s", formula)


@pytest.mark.usefixtures("events")
def test_more_rows_than_a_sheet_holds_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tables, "_EXCEL_ROWS", 3)
    path = tmp_path / "cube.xlsx"
    assert export(tmp_path, "--to", "xlsx", "-o", str(path)) == 2
    assert "use fewer dimensions, or csv" in " ".join(capsys.readouterr().err.split())
    assert not path.exists()


@pytest.mark.usefixtures("events")
def test_mistakes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export(tmp_path, "--to", "parquet") == 2
    assert "--output cube.parquet" in " ".join(capsys.readouterr().err.split())
    assert export(tmp_path, "--since-timestamp", "2030-01-01-00-00-00") == 3
    assert main(["export", "--cube=day", "-i", str(tmp_path / "nowhere")]) == 2
    assert main(["export", "--cube", "day"]) == 2


def test_lines_that_are_left_out_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_run(tmp_path / "enriched", [[line(), "no event"]])
    assert export(tmp_path) == 0
    assert "1 line left out: 1 loader_parsing_error" in capsys.readouterr().err


# --- of a warehouse ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, list[str]]]:
    """The options of each warehouse that is read back, all with the same events; those of the folder."""
    folder = tmp_path_factory.mktemp("loaded")
    folder.chmod(0o755)  # the database server runs as another user where we are root
    dice = random.Random(5)
    lines = [line(**columns_of(number, dice)) for number in range(400)]
    write_run(folder / "enriched", [lines[:250], lines[250:]])
    target = {
        "postgres": ["--warehouse", "postgres", "--data-folder", str(folder / "pg")],
        "duckdb": ["--database", f"duckdb://{folder}/x.duckdb"],
        "delta": ["--warehouse", "delta", "--database", str(folder / "delta")],
        "iceberg": ["--warehouse", "iceberg", "--database", str(folder / "iceberg")],
    }
    if clickhouse_server.python() is not None:
        target["clickhouse"] = ["--database", clickhouse_server.address(), "--schema", "cubes"]
    registry = ["--iglu-config", str(Path(__file__).parents[2] / "fixtures/resolver.json")]
    for rows in ("shred", "widerow-parquet"):
        enriched, made = ["-i", str(folder / "enriched")], ["--output-folder", str(folder / rows)]
        assert main(["transform", "--transformation", rows, "--master", "none", *registry, *enriched, *made]) == 0
    with bigquery_server() as (address, _), pytest.MonkeyPatch.context() as environment:
        environment.setenv(EMULATOR, address)
        target["bigquery"] = ["--database", f"bigquery://{PROJECT}?location=EU"]
        for name, options in target.items():
            rows = "shred" if name == "postgres" else "widerow-parquet"
            assert main(["load", "-i", str(folder / rows), *registry, *options]) == 0
        yield target | {"folder": ["-i", str(folder / "enriched")]}


@pytest.mark.slow
def test_a_table_of_another_loader_may_lack_columns(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    import psycopg

    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "CREATE SCHEMA atomic; CREATE TABLE atomic.events (event_id uuid, collector_tstamp timestamp)"
        )
    assert main(["export", "--cube", "day", "--measures", "events", "--database", database]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "lacks derived_tstamp" in told and "`snowetl load` into it adds them" in told


@pytest.mark.slow
@pytest.mark.parametrize("name", ["postgres", "duckdb", "delta", "iceberg", "clickhouse", "bigquery"])
def test_a_warehouse_gives_the_numbers_of_the_folder(
    name: str, loaded: dict[str, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    if name not in loaded:
        pytest.skip("there is no chdb here: .ci/find-chdb installs it")
    wanted = ["export", "--cube", "day,page,campaign,event", "--measures", ",".join(MEASURES), "--totals"]
    capsys.readouterr()
    assert main([*wanted, *loaded["folder"]]) == 0
    expected = capsys.readouterr().out
    assert main([*wanted, *loaded[name]]) == 0
    assert capsys.readouterr().out == expected and expected.count("\n") > 100


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], "name one of them"),
        (["-i", "x", "--warehouse", "postgres"], "name one of them"),
        (
            ["--database", "redshift://u:p@h/d"],
            "These are: bigquery, clickhouse, delta, duckdb, iceberg, postgres",
        ),
        (["--database", "duckdb:///x", "--since-age", "2 days"], "a warehouse has all"),
    ],
)
def test_what_cannot_be_counted_is_told(options: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--cube", "day", *options]) == 2
    assert told in " ".join(capsys.readouterr().err.split())


def test_a_table_that_is_not_there_is_nothing_to_do(loaded: dict[str, list[str]]) -> None:
    assert main(["export", "--cube", "day", "--table", "failed_events", *loaded["delta"]]) == 3
