"""Transformed runs and registries for the load tests."""

import gzip
import json

import psycopg

from snowetl.ddl.schema import parse
from snowetl.load.atomic import EVENT_COLUMNS
from snowetl.load.plan import Version
from snowetl.model.schema import SchemaKey

ID = "11111111-2222-4333-8444-{:012d}"


class Registry:
    """Versions of models, by hand."""

    def __init__(self, **models):
        self.models = models

    def versions(self, vendor, name, model):
        found = []
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


def click_line(number, *properties, version="1-0-0", name="click"):
    meta = ["com.acme", name, "jsonschema", version, ID.format(number), "2026-01-02 03:04:05.678", "events"]
    return "\t".join([*meta, f'["events","{name}"]', "events", *properties])


def make_run(folder, events, clicks=(), types=("1-0-0",), run="run=2026-01-02-03-04-05", gz=True):
    base = folder / run

    def write(place, lines):
        path = base / "output=good" / place / ("part-0.txt.gz" if gz else "part-0.txt")
        path.parent.mkdir(parents=True)
        data = "".join(line + "\n" for line in lines).encode()
        path.write_bytes(gzip.compress(data) if gz else data)

    write("vendor=com.snowplowanalytics.snowplow/name=atomic/format=tsv/model=1", events)
    if clicks:
        write("vendor=com.acme/name=click/format=tsv/model=1", clicks)
    kinds = [
        {"schemaKey": f"iglu:com.acme/click/jsonschema/{version}", "format": "TSV",
         "snowplowEntity": "SELF_DESCRIBING_EVENT"}
        for version in types if clicks
    ]  # fmt: skip
    stamps = {"jobStarted": "2026-01-02T04:00:00Z", "jobCompleted": "2026-01-02T04:01:00.5Z",
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
        },
    }
    (base / "shredding_complete.json").write_text(json.dumps(message))
    return str(base)
