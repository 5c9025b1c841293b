"""The 131 columns of the enriched event, once: name, type, length limit (enrich 3.9.0 ``EnrichedEvent``).

Types: ``str``; ``int`` and ``float`` (numbers in bad rows); ``dec`` (decimal, text in bad rows); ``bool`` (1/0);
``ts`` (UTC text); ``json``. ``txn_id`` is an integer that bad rows show as text. Limits count UTF-16 units.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Field(NamedTuple):
    """One column. ``max_length`` is ``None`` where no limit is enforced."""

    name: str
    type: str
    max_length: int | None = None


_TABLE: Final = """
app_id:255 platform:255 etl_tstamp/ts collector_tstamp/ts dvce_created_tstamp/ts event:128 event_id:36 txn_id/txn
name_tracker:128 v_tracker:100 v_collector:100 v_etl:100 user_id:255 user_ipaddress:128 user_fingerprint:128
domain_userid:128 domain_sessionidx/int network_userid:128 geo_country:2 geo_region:3 geo_city:75 geo_zipcode:15
geo_latitude/float geo_longitude/float geo_region_name:100 ip_isp:100 ip_organization:128 ip_domain:128 ip_netspeed:100
page_url:4096 page_title:2000 page_referrer:4096 page_urlscheme:16 page_urlhost:255 page_urlport/int page_urlpath:3000
page_urlquery:6000 page_urlfragment:3000 refr_urlscheme:16 refr_urlhost:255 refr_urlport/int refr_urlpath:6000
refr_urlquery:6000 refr_urlfragment:3000 refr_medium:25 refr_source:50 refr_term:255 mkt_medium:255 mkt_source:255
mkt_term:255 mkt_content:500 mkt_campaign:255 contexts/json se_category:1000 se_action:1000 se_label:4096
se_property:1000 se_value/dec unstruct_event/json tr_orderid:255 tr_affiliation:255 tr_total/dec tr_tax/dec
tr_shipping/dec tr_city:255 tr_state:255 tr_country:255 ti_orderid:255 ti_sku:255 ti_name:255 ti_category:255
ti_price/dec ti_quantity/int pp_xoffset_min/int pp_xoffset_max/int pp_yoffset_min/int pp_yoffset_max/int useragent:1000
br_name:50 br_family:50 br_version:50 br_type:50 br_renderengine:50 br_lang:255 br_features_pdf/bool
br_features_flash/bool br_features_java/bool br_features_director/bool br_features_quicktime/bool
br_features_realplayer/bool br_features_windowsmedia/bool br_features_gears/bool br_features_silverlight/bool
br_cookies/bool br_colordepth:12 br_viewwidth/int br_viewheight/int os_name:50 os_family:50 os_manufacturer:50
os_timezone:255 dvce_type:50 dvce_ismobile/bool dvce_screenwidth/int dvce_screenheight/int doc_charset:128 doc_width/int
doc_height/int tr_currency:3 tr_total_base/dec tr_tax_base/dec tr_shipping_base/dec ti_currency:3 ti_price_base/dec
base_currency:3 geo_timezone:64 mkt_clickid:128 mkt_network:64 etl_tags:500 dvce_sent_tstamp/ts refr_domain_userid:128
refr_dvce_tstamp/ts derived_contexts/json domain_sessionid:128 derived_tstamp/ts event_vendor:1000 event_name:1000
event_format:128 event_version:128 event_fingerprint:128 true_tstamp/ts
"""


def _field(entry: str) -> Field:
    if "/" in entry:
        name, type_ = entry.split("/")
        return Field(name, type_)
    name, limit = entry.split(":")
    return Field(name, "str", int(limit))


FIELDS: Final[tuple[Field, ...]] = tuple(_field(entry) for entry in _TABLE.split())
"""All columns in the order of the enriched TSV."""

NAMES: Final[tuple[str, ...]] = tuple(field.name for field in FIELDS)
INDEX: Final[dict[str, int]] = {name: index for index, name in enumerate(NAMES)}
"""Column name -> position (from 0)."""
LATER_LENGTHS: Final[dict[str, int]] = {"page_url": 10_000, "page_referrer": 10_000, "mkt_clickid": 1_000}
"""Lengths that later releases raised (enrich 4.0.0)."""
