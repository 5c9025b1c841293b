"""Where verbs crash: inputs and outputs on local disks or on S3, always at the same place: bytes can be equal."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from snowetl.load.target import Target
from snowetl.load.warehouses import warehouse_class
from tests.crash.proxy import FaultProxy
from tests.crash.snapshot import OPTIONAL, files_of, local_files, rows_of
from tests.integration.support import ROOT

RUN = "2026-03-05-00-00-02"
LOGS = [path for path in sorted((ROOT / "fixtures/logs/thrift").iterdir()) if "2026-03-05" not in path.name]
"""Some 1,400 records in six tasks."""
BUCKET = "lake"
STEPS = ("enrich", "transform", "load", "run")
LOADING = ("load", "run")
WAREHOUSES = ("postgres", "duckdb", "delta", "iceberg")
_BEFORE = {"enrich": (), "transform": ("enriched/",), "load": ("bad/", "transformed/"), "run": ()}
"""What a step finds done: prefixes of file names."""


class Stage:
    """A folder for all that is local: ``place`` (outputs, warehouse), ``tmp``, ``spark``, the journal; and S3 where
    ``s3`` (the proxy, and a client that goes past it) is given. ``kind`` is that of the warehouse, a local one.
    """

    def __init__(self, folder: Path, s3: tuple[FaultProxy, Any] | None = None, kind: str = "postgres") -> None:
        self.folder = folder
        self.kind = kind
        self.place, self.tmp, self.spark = folder / "place", folder / "tmp", folder / "spark"
        self.journal = folder / "journal"
        self.proxy, self._client = s3 or (None, None)
        self.warehouse = self.place / "warehouse"
        self._kept_warehouse = folder / "kept-warehouse"
        self._kept: Mapping[str, bytes] = {}
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)  # the database server runs as another user where we are root
        self._raw = folder / "raw"
        self._raw.mkdir(exist_ok=True)
        for path in LOGS:
            shutil.copy(path, self._raw)
        if self._client is not None:
            self._client.create_bucket(Bucket=BUCKET)
            for path in LOGS:
                self._client.put_object(Bucket=BUCKET, Key=f"raw/{path.name}", Body=path.read_bytes())

    @property
    def target(self) -> Target:
        """The warehouse: in the data folder where its kind can be embedded, else a folder of that name."""
        embedded = warehouse_class(self.kind).capabilities.embedded
        return Target(
            warehouse=self.kind, database=None if embedded else str(self.warehouse), data_folder=self.warehouse
        )

    @property
    def out(self) -> str:
        return f"s3://{BUCKET}/out" if self.proxy else str(self.place / "out")

    def arguments(self, step: str, master: str, workers: int) -> list[str]:
        logs = f"s3://{BUCKET}/raw" if self.proxy else str(self._raw)
        where = ["--master", master, "--split-size", "64k"]
        where += ["--workers", str(workers)] if master == "none" else []
        registries = ["--iglu-config", "fixtures/resolver.json"]
        reading = ["--input-folder", logs, "--input-format", "thrift", "--enrichments", "fixtures/enrichments"]
        loading = ["--warehouse", self.kind, "--data-folder", str(self.warehouse)]
        loading += ["--database", self.target.database] if self.target.database is not None else []
        rows = ["--transformation", self.target.capabilities.transformation]
        out = self.out
        return [
            step,
            *registries,
            *{
                "enrich": [
                    *(*reading, "--output-folder", f"{out}/enriched", "--bad-folder", f"{out}/bad"),
                    *("--run-id", RUN, *where),
                ],
                "transform": [
                    "--input-folder",
                    f"{out}/enriched",
                    "--output-folder",
                    f"{out}/transformed",
                    *where,
                    *rows,
                ],
                "load": ["--input-folder", f"{out}/transformed", "--bad-rows", f"{out}/bad/run={RUN}", *loading],
                "run": [*reading, "--output-folder", out, "--run-id", RUN, *loading, *where],
            }[step],
        ]

    def environment(self) -> dict[str, str]:
        values = {
            "TMPDIR": str(self.tmp),
            "SPARK_LOCAL_DIRS": str(self.spark),
            "SNOWETL_CRASH_PLACE": str(self.place),
            "SNOWETL_CRASH_JOURNAL": str(self.journal),
        }
        if self.proxy:
            keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
            values |= {"AWS_ENDPOINT_URL_S3": self.proxy.url, "AWS_EC2_METADATA_DISABLED": "true", **keys}
        return values

    def prepare(self, step: str, with_warehouse: bool) -> None:
        """An empty stage, but for what ``step`` finds done, and an empty warehouse if wanted."""
        for folder in (self.place, self.tmp, self.spark):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        self.tmp.chmod(0o777)
        self.journal.unlink(missing_ok=True)
        self.journal.touch()
        self._empty_bucket()
        for name, data in self._kept.items():
            if name.startswith(_BEFORE[step]) and _BEFORE[step] and not name.endswith(OPTIONAL):
                self._put(name, data)
        if with_warehouse and self._kept_warehouse.exists():
            subprocess.run(["cp", "-a", str(self._kept_warehouse), str(self.warehouse)], check=True)

    def keep(self) -> None:
        """What is here now is what later steps find done (``prepare``)."""
        self._kept = self._objects()
        if self.kind == "postgres" and not self._kept_warehouse.exists() and self.warehouse.exists():
            import psycopg

            from snowetl.load.embedded import embedded_postgres

            subprocess.run(["cp", "-a", str(self.warehouse), str(self._kept_warehouse)], check=True)
            with (
                embedded_postgres(self._kept_warehouse) as url,
                psycopg.connect(url, autocommit=True) as connection,
            ):
                connection.execute("DROP SCHEMA atomic CASCADE")

    def snapshot(self, step: str) -> dict[str, Any]:
        """All files and rows, and what nobody should find: open uploads, temporary files."""
        found: dict[str, Any] = files_of(self._objects())
        if step in LOADING:
            found |= rows_of(self.target)
        for path in self.place.iterdir():
            if path.name not in ("out", "warehouse"):
                found[f"beside the outputs: {path.name}"] = True
        return found | dict.fromkeys((*self.uploads(), *self.temporary()), True)

    def temporary(self) -> list[str]:
        return [f"temporary: {path.name}" for path in self.tmp.iterdir() if not path.name.startswith("hsperf")]

    def hidden(self) -> list[str]:
        """Staged files and locks."""
        names = (self._objects() if self._client is None else self._keys()) if self.place.exists() else ()
        return [name for name in names if "/_lock" in name or "/._" in name]

    def uploads(self) -> list[str]:
        """Multipart uploads that are open."""
        if self._client is None:
            return []
        found = self._client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
        return [f"open upload of {upload['Key']}" for upload in found]

    def _objects(self) -> dict[str, bytes]:
        if self._client is None:
            return local_files(self.place / "out") if (self.place / "out").exists() else {}
        return {
            key.removeprefix("out/"): self._client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
            for key in self._keys()
        }

    def _keys(self) -> Iterable[str]:
        for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="out/"):
            yield from (item["Key"] for item in page.get("Contents", ()))

    def _put(self, name: str, data: bytes) -> None:
        if self._client is not None:
            self._client.put_object(Bucket=BUCKET, Key=f"out/{name}", Body=data)
            return
        path = self.place / "out" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def _empty_bucket(self) -> None:
        if self._client is None:
            return
        keys = [{"Key": key} for key in self._keys()]
        for start in range(0, len(keys), 1000):
            self._client.delete_objects(Bucket=BUCKET, Delete={"Objects": keys[start : start + 1000]})
        for upload in self._client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []):
            self._client.abort_multipart_upload(Bucket=BUCKET, Key=upload["Key"], UploadId=upload["UploadId"])
