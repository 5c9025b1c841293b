"""How a load into ClickHouse is published: the parts of its own tables are attached to those of the warehouse."""

from __future__ import annotations

import time

from snowetl.ddl.clickhouse import LOAD_ID, qualified, text
from snowetl.load.warehouses.clickhouse.client import Client
from snowetl.load.warehouses.clickhouse.turns import LOADING, Turn, Turns

EVENTS, FAILED_EVENTS, BAD_ROWS, MANIFEST = "events", "failed_events", "bad_rows", "manifest"
PUBLISHED = (EVENTS, FAILED_EVENTS, BAD_ROWS, MANIFEST)
"""In this order: a run is loaded when its row is in the manifest."""


class Stages:
    """The tables that turns fill before they publish them: each made like one of the warehouse."""

    def __init__(self, client: Client, schema: str, turns: Turns) -> None:
        self._client = client
        self._schema = schema
        self._turns = turns

    def publish(self) -> None:
        """Attach the staged parts, table by table, where their rows are not there; say so, and drop the stages.

        What has come in by half, when the server itself died, is deleted first.
        """
        turn = self._turns.stage()
        stages = self.of(turn)
        for table in PUBLISHED:
            stage = turn + table
            if stage not in stages:
                continue
            source, target = qualified(self._schema, stage), qualified(self._schema, table)
            for load, wanted in self._client.rows(f"SELECT {LOAD_ID}, count() FROM {source} GROUP BY {LOAD_ID}"):
                there = self._count(f"SELECT count() FROM {target} WHERE {LOAD_ID} = {text(load)}")
                if there == int(wanted):
                    continue
                if there:
                    self._client.run(f"DELETE FROM {target} WHERE {LOAD_ID} = {text(load)}")
                for partition in self._partitions(stage):
                    self._client.run(f"ALTER TABLE {target} ATTACH PARTITION ID {text(partition)} FROM {source}")
        self._turns.note(LOADING)
        self.drop(turn)

    def _partitions(self, table: str) -> list[str]:
        return self._client.values(
            "SELECT DISTINCT partition_id FROM system.parts WHERE active AND "
            f"database = {text(self._schema)} AND table = {text(table)}"
        )

    def make(self, table: str) -> str:
        """The turn's own table, made like one of the warehouse."""
        stage = qualified(self._schema, self._turns.stage() + table)
        self._client.run(f"CREATE TABLE IF NOT EXISTS {stage} AS {qualified(self._schema, table)}")
        return stage

    def of(self, turn: str) -> list[str]:
        return self._client.values(
            f"SELECT name FROM system.tables WHERE database = {text(self._schema)} AND startsWith(name, {text(turn)})"
        )

    def drop(self, turn: str) -> None:
        for stage in self.of(turn):
            self._client.run(f"DROP TABLE IF EXISTS {qualified(self._schema, stage)} SYNC")

    def adopt(self, turn: Turn) -> None:
        """Take the tables of a turn: its loader, should it live, finds them no more. What it began is waited for."""
        theirs, ours = self._turns.stage(turn.number), self._turns.stage()
        for stage in self.of(theirs):
            new = qualified(self._schema, ours + stage.removeprefix(theirs))
            self._client.run(f"RENAME TABLE {qualified(self._schema, stage)} TO {new}")
        busy = (
            f"SELECT count() FROM system.processes WHERE position(query, {text(theirs)}) > 0 "
            "AND position(query, 'ATTACH PARTITION') > 0 AND position(query, 'system.processes') = 0"
        )
        while int(self._client.values(busy)[0]):
            time.sleep(0.2)

    def _count(self, query: str) -> int:
        return int(self._client.values(query)[0])
