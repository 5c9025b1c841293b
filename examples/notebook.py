# %% [markdown]
# # What is in these logs?
# Enrich a folder of collector logs in this process, without Spark, and look at the events and at what failed.

# %%
from collections import Counter

from snowetl import BadRow, EnrichConfig, Enricher
from snowetl.storage import Damage, filesystem, splits
from snowetl.testing import Result

config = EnrichConfig.load(
    resolver="fixtures/resolver.json", enrichments="fixtures/enrichments", input_format="cloudfront"
)
enricher = Enricher(config)

# %%
FOLDER = "fixtures/logs/cloudfront"

events, bad_rows = [], []
for file in filesystem(FOLDER).list(FOLDER):
    for record in splits.read(splits.Slice(file.url), binary=False):
        if isinstance(record, Damage):
            print(record.reason)
            continue
        for result in enricher.process(record, file.url):
            (bad_rows if isinstance(result, BadRow) else events).append(result)
print(f"{len(events)} events, {len(bad_rows)} bad rows")

# %% [markdown]
# An event is a mapping: columns by name. `pandas.DataFrame(events)` makes a table of them, if you have pandas.

# %%
Counter(event["event"] for event in events).most_common()

# %%
Counter(event["geo_country"] for event in events).most_common(5)

# %% [markdown]
# Entities come with their schemas.

# %%
pages = [
    page.data["id"]
    for event in events
    for page in event.entities("iglu:com.snowplowanalytics.snowplow/web_page/jsonschema/1-*-*")
]
len(pages), len(set(pages))

# %% [markdown]
# Why did records fail?

# %%
for reason, count in Counter(Result(events, bad_rows).reasons()).most_common(10):
    print(count, reason[:150])

# %% [markdown]
# What happens to one record, step by step?

# %%
record = next(splits.read(splits.Slice(next(iter(filesystem(FOLDER).list(FOLDER))).url), binary=False))
for stage, detail in enricher.explain(record):
    print(stage, str(detail)[:120])
