"""The tables of the Google Analytics Measurement Protocol (enrich 3.9.0 ``GoogleAnalyticsAdapter``).

A field is written ``parameter:name`` and, unless it is text, ``parameter:name:type``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Field(NamedTuple):
    """What a parameter becomes: a member of an event or entity, and its type (``text int cents double bool``)."""

    name: str
    type: str


Fields = Mapping[str, Field]


def _fields(table: str) -> dict[str, Field]:
    fields = {}
    for entry in table.split():
        parameter, name, *type_ = entry.split(":")
        fields[parameter] = Field(name, type_[0] if type_ else "text")
    return fields


_PAGE_VIEW = "dl:documentLocationUrl dh:documentHostName dp:documentPath dt:documentTitle"

HIT_TYPES: dict[str, tuple[str, Fields]] = {
    hit_type: (schema, _fields(table))
    for hit_type, schema, table in (
        ("pageview", "page_view", _PAGE_VIEW),
        ("screenview", "screen_view", "cd:screenName"),
        ("event", "event", "ec:category ea:action el:label ev:value:int"),
        (
            "transaction",
            "transaction",
            "ti:id ta:affiliation tr:revenue:cents ts:shipping:cents tt:tax:cents tcc:couponCode cu:currencyCode",
        ),
        (
            "item",
            "item",
            "ti:transactionId in:name ip:price:cents iq:quantity:int ic:code iv:category cu:currencyCode",
        ),
        ("social", "social", "sn:network sa:action st:actionTarget"),
        ("exception", "exception", "exd:description exf:isFatal:bool"),
        (
            "timing",
            "timing",
            "utc:userTimingCategory utv:userTimingVariableName utt:userTimingTime:int utl:userTimingLabel "
            "plt:pageLoadTime:int dns:dnsTime:int pdt:pageDownloadTime:int rrt:redirectResponseTime:int "
            "tcp:tcpConnectTime:int srt:serverResponseTime:int dit:domInteractiveTime:int clt:contentLoadTime:int",
        ),
    )
}
"""Value of ``t`` -> schema key and fields of the event."""

ENTITIES: dict[str, Fields] = {
    schema: _fields(table)
    for schema, table in (
        ("page_view", _PAGE_VIEW),
        ("undocumented", "a:a jid:jid gjid:gjid"),
        ("private", "_v:v _u:u _gid:gid _s:s:int _r:r:int"),
        (
            "general",
            "v:protocolVersion tid:trackingId aip:anonymizeIp:bool ds:dataSource qt:queueTime:int z:cacheBuster",
        ),
        ("user", "cid:clientId uid:userId"),
        ("session", "sc:sessionControl uip:ipOverride ua:userAgentOverride geoid:geographicalOverride"),
        (
            "traffic_source",
            "dr:documentReferrer cn:campaignName cs:campaignSource cm:campaignMedium ck:campaignKeyword "
            "cc:campaignContent ci:campaignId gclid:googleAdwordsId dclid:googleDisplayAdsId",
        ),
        (
            "system_info",
            "sr:screenResolution vp:viewportSize de:documentEncoding sd:screenColors ul:userLanguage "
            "je:javaEnabled:bool fl:flashVersion",
        ),
        ("link", "linkid:id"),
        ("app", "an:name aid:id av:version aiid:installerId"),
        ("product_action", "pa:productAction pal:productActionList cos:checkoutStep:int col:checkoutStepOption"),
        ("content_experiment", "xid:id xvar:variant"),
        ("hit", "t:type ni:nonInteractionHit:bool"),
        ("promotion_action", "promoa:promotionAction"),
    )
}
"""Schema key -> fields of an entity that is added when one of them is there."""

COMPOSITE: dict[str, Fields] = {
    schema: _fields(table)
    for schema, table in (
        (
            "product",
            "IFpr:index:int prid:sku prnm:name prbr:brand prca:category prva:variant prpr:price:cents "
            "prqt:quantity:int prcc:couponCode prps:position:int cu:currencyCode",
        ),
        ("product_custom_dimension", "IFprcd:productIndex:int IFcd:dimensionIndex:int prcd:value"),
        ("product_custom_metric", "IFprcm:productIndex:int IFcm:metricIndex:int prcm:value:int"),
        ("product_impression_list", "IFil:index:int ilnm:name"),
        (
            "product_impression",
            "IFilpi:listIndex:int IFpi:productIndex:int ilpiid:sku ilpinm:name ilpibr:brand ilpica:category "
            "ilpiva:variant ilpips:position:int ilpipr:price:cents cu:currencyCode",
        ),
        (
            "product_impression_custom_dimension",
            "IFilpicd:listIndex:int IFpicd:productIndex:int IFcd:customDimensionIndex:int ilpicd:value",
        ),
        (
            "product_impression_custom_metric",
            "IFilpicm:listIndex:int IFpicm:productIndex:int IFcm:customMetricIndex:int ilpicm:value:int",
        ),
        ("promotion", "IFpromo:index:int promoid:id promonm:name promocr:creative promops:position"),
        ("custom_dimension", "IFcd:index:int cd:value"),
        ("custom_metric", "IFcm:index:int cm:value:double"),
        ("content_group", "IFcg:index:int cg:value"),
    )
}
"""Schema key -> fields of entities whose parameter names hold numbers; ``IF`` marks a number from inside a name."""

_DIRECT = (
    "uip:ip dr:refr de:cs sd:cd ul:lang je:f_java dl:url dt:page ti:ti_id ta:tr_af tr:tr_tt ts:tr_sh tt:tr_tx "
    "in:ti_nm ip:ti_pr iq:ti_qu ic:ti_sk iv:ti_ca cu:ti_cu ua:ua"
)
DIRECT: dict[str, str] = {parameter: field.name for parameter, field in _fields(_DIRECT).items()}
"""Parameters that are parameters of the tracker protocol under another name."""

DIRECT_OF_TRANSACTION: dict[str, str] = {**DIRECT, "ti": "tr_id", "cu": "tr_cu"}

OTHER_VENDOR = ("undocumented", "private")
"""Schemas of ``com.google.analytics`` itself."""
