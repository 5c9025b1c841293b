"""What Snowplow's public dbt packages read of tables in PostgreSQL: names of columns, and their kinds of values.

The packages (web 0.15.2, mobile 0.7.4, ecommerce 0.5.4, media-player 0.5.3; docs/dbt.md says how they were run) read
all columns of ``events``. Of tables of entities they read those listed here, beside ``root_id`` and ``root_tstamp``.
"""

from __future__ import annotations

import pytest

from snowetl.ddl import atomic, models, postgres
from snowetl.iglu.client import IgluClient
from snowetl.iglu.config import ResolverConfig
from snowetl.model.fields import FIELDS

KINDS = {
    "text": ("TEXT", "VARCHAR", "CHAR", "UUID"),
    "number": ("INTEGER", "BIGINT", "SMALLINT", "DOUBLE PRECISION", "NUMERIC", "DECIMAL"),
    "boolean": ("BOOLEAN",),
    "time": ("TIMESTAMP",),
    "json": ("JSONB",),
}
READ = {
    "com.snowplowanalytics.snowplow/web_page": "id",
    "com.snowplowanalytics.snowplow/ua_parser_context": "device_family os_family useragent_family os_major os_minor "
    "os_patch os_patch_minor os_version useragent_major useragent_minor useragent_patch useragent_version",
    "com.iab.snowplow/spiders_and_robots": "category primary_impact reason spider_or_robot:boolean",
    "nl.basjes/yauaa_context": "device_class agent_class agent_name agent_name_version agent_name_version_major "
    "agent_version agent_version_major device_brand device_name device_version layout_engine_class "
    "layout_engine_name layout_engine_name_version layout_engine_name_version_major layout_engine_version "
    "layout_engine_version_major operating_system_class operating_system_name operating_system_name_version "
    "operating_system_version",
    "com.snowplowanalytics.snowplow/cmp_visible": "elapsed_time:number",
    "com.snowplowanalytics.snowplow/consent_preferences": "basis_for_processing consent_scopes:json consent_url "
    "consent_version domains_applied:json event_type gdpr_applies:boolean",
    "com.snowplowanalytics.snowplow/client_session": "session_id user_id session_index:number previous_session_id "
    "first_event_id",
    "com.snowplowanalytics.snowplow/mobile_context": "device_manufacturer device_model os_type os_version android_idfa "
    "apple_idfa apple_idfv carrier open_idfa network_technology network_type",
    "com.snowplowanalytics.snowplow/geolocation_context": "latitude:number longitude:number altitude:number "
    "altitude_accuracy:number bearing:number latitude_longitude_accuracy:number speed:number",
    "com.snowplowanalytics.mobile/application": "build version",
    "com.snowplowanalytics.mobile/screen": "id name activity fragment top_view_controller type view_controller",
    "com.snowplowanalytics.mobile/screen_view": "id name previous_id previous_name previous_type transition_type type",
    "com.snowplowanalytics.snowplow/application_error": "message programming_language class_name exception_name "
    "is_fatal:boolean line_number:number stack_trace thread_id:number thread_name",
    "com.snowplowanalytics.snowplow.ecommerce/snowplow_ecommerce_action": "type name",
    "com.snowplowanalytics.snowplow.ecommerce/product": "id category currency price:number brand creative_id "
    "inventory_status list_price:number name position:number quantity:number size variant",
    "com.snowplowanalytics.snowplow.ecommerce/cart": "cart_id currency total_value:number",
    "com.snowplowanalytics.snowplow.ecommerce/checkout_step": "step:number account_type billing_full_address "
    "billing_postcode coupon_code delivery_method delivery_provider marketing_opt_in:boolean payment_method "
    "proof_of_payment shipping_full_address shipping_postcode",
    "com.snowplowanalytics.snowplow.ecommerce/page": "type language locale",
    "com.snowplowanalytics.snowplow.ecommerce/transaction": "transaction_id currency payment_method revenue:number "
    "total_quantity:number credit_order:boolean discount_amount:number discount_code shipping:number tax:number",
    "com.snowplowanalytics.snowplow.ecommerce/user": "id email is_guest:boolean",
    "com.snowplowanalytics.snowplow/media_player": "current_time:number ended:boolean loop:boolean muted:boolean "
    "playback_rate:number volume:number duration:number is_live:boolean percent_progress:number",
    "com.snowplowanalytics.snowplow/media_player_event": "type label",
    "com.youtube/youtube": "playback_quality player_id url",
    "org.whatwg/media_element": "current_src html_id media_type",
    "org.whatwg/video_element": "video_height:number video_width:number",
}
"""Schema -> its columns; what is not said to be of another kind is text."""


@pytest.mark.parametrize("schema", READ)
def test_columns_that_packages_read(schema: str) -> None:
    client = IgluClient(ResolverConfig.default(), now=0)
    versions = models.from_registry(f"iglu:{schema}/jsonschema/1", client)
    table = postgres.table([version.schema for version in versions])
    types = {column.name: column.type.upper() for column in (*postgres.META_COLUMNS, *table.columns)}
    wanted = dict(column.partition(":")[::2] for column in f"root_id root_tstamp:time {READ[schema]}".split())
    assert not wanted.keys() - types.keys()
    for name, kind in wanted.items():
        assert types[name].startswith(KINDS[kind or "text"]), (name, types[name])


def test_columns_of_events_that_packages_read() -> None:
    kinds = {"str": "text", "ts": "time", "int": "number", "txn": "number", "float": "number", "dec": "number"}
    types = {column.name: column.type.upper() for column in atomic.postgres_columns()}
    for field in FIELDS:
        if field.type != "json":
            assert types[field.name].startswith(KINDS[kinds.get(field.type, "boolean")]), field.name
