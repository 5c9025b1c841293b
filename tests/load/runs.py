"""Transformed runs and registries for the load tests."""

import gzip
import json

import psycopg

from snowetl.ddl.atomic import EVENT_COLUMNS
from snowetl.ddl.models import Version
from snowetl.ddl.schema import parse
from snowetl.load.schemas import NoSchema
from snowetl.model.schema import SchemaKey

ID = "11111111-2222-4333-8444-{:012d}"


class Registry:
    """Versions of models, by hand."""

    def __init__(self, **models):
        self.models = models

    def versions(self, vendor, name, model):
        found = []
        if name not in self.models:
            return NoSchema(f"no registry lists the versions of {name}")
        for version, schema in self.models[name].items():
            found.append(Version(SchemaKey.parse(f"iglu:{vendor}/{name}/jsonschema/{version}"), parse(schema)))
        return found


def schema(required=(), **properties):
    return {"type": "object", "properties": properties, "required": list(required)}


CLICK = {"1-0-0": schema(url={"type": "string", "maxLength": 10}, n={"type": "integer"}, required=["url"])}


def query(url, sql):
    with psycopg.connect(url) as connection:
        return connection.execute(sql).fetchall()


def event_line(number, **columns):
    values = dict.fromkeys(EVENT_COLUMNS, "")
    values |= {
        "event_id": ID.format(number),
        "collector_tstamp": "2026-01-02 03:04:05.678",
        "v_collector": "ssc",
        "v_etl": "snowetl-1",
    }
    return "\t".join((values | columns).values())


def click_line(number, *properties, version="1-0-0", name="click", vendor="com.acme"):
    meta = [vendor, name, "jsonschema", version, ID.format(number), "2026-01-02 03:04:05.678", "events"]
    return "\t".join([*meta, f'["events","{name}"]', "events", *properties])


def make_run(folder, events, clicks=(), types=("1-0-0",), run="run=2026-01-02-03-04-05", gz=True, report=True,
             more=None, good="output=good/", failed=False):  # fmt: skip
    """A run folder. ``clicks`` are rows of com.acme/click; ``more`` those of other models, by name or (vendor, name).

    Without ``report`` it is another transformer's, which only leaves the message. ``failed`` ones are failed events.
    """
    base = folder / run
    written = []

    def write(place, lines):
        path = base / good / place / ("part-0.txt.gz" if gz else "part-0.txt")
        path.parent.mkdir(parents=True)
        written.append({"table": f"output=good/{place}", "rows": len(lines), "parts": 1, "bytes": 1})
        data = "".join(line + "\n" for line in lines).encode()
        path.write_bytes(gzip.compress(data) if gz else data)

    write("vendor=com.snowplowanalytics.snowplow/name=atomic/format=tsv/model=1", events)
    if clicks:
        write("vendor=com.acme/name=click/format=tsv/model=1", clicks)
    models = {name if isinstance(name, tuple) else ("com.acme", name): lines for name, lines in (more or {}).items()}
    for (vendor, name), lines in models.items():
        write(f"vendor={vendor}/name={name}/format=tsv/model=1", lines)
    kinds = [
        {"schemaKey": f"iglu:com.acme/click/jsonschema/{version}", "format": "TSV",
         "snowplowEntity": "SELF_DESCRIBING_EVENT"}
        for version in types if clicks
    ] + [
        {"schemaKey": f"iglu:{vendor}/{name}/jsonschema/1-0-0", "format": "TSV", "snowplowEntity": "CONTEXT"}
        for vendor, name in models
    ]  # fmt: skip
    stamps = {"jobStarted": "2026-01-02T04:00:00Z", "jobCompleted": f"2026-01-02T04:0{1 + failed}:00.5Z",
              "min": "2026-01-02T03:04:05.678Z", "max": "2026-01-02T03:04:05.678Z"}  # fmt: skip
    message = {
        "schema": "iglu:com.snowplowanalytics.snowplow.storage.rdbloader/shredding_complete/jsonschema/2-0-1",
        "data": {
            "base": "s3://elsewhere/",
            "typesInfo": {"transformation": "SHREDDED", "types": kinds},
            "timestamps": stamps,
            "compression": "GZIP" if gz else "NONE",
            "processor": {"artifact": "snowetl", "version": "1.0.0"},
            "count": {"good": len(events)},
            **({"failedEvents": True} if failed else {}),
        },
    }
    (base / "shredding_complete.json").write_text(json.dumps(message))
    if report:
        (base / "_report.json").write_text(json.dumps({"step": "transform", "tables": written}))
    return str(base)
