"""Tracker parameters to columns: one table, one pass (enrich 3.9.0 ``Transform``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from snowetl.enrich import conversions
from snowetl.enrich.conversions import ConversionError
from snowetl.jvm import jsontext
from snowetl.jvm.commons_codec import decode_base64
from snowetl.jvm.map_order import map_order
from snowetl.jvm.strings import decode_utf8
from snowetl.model import badrow
from snowetl.model.badrow import Message
from snowetl.model.fields import INDEX, NAMES
from snowetl.model.payload import Parameters
from snowetl.model.text import tsv_safe

_TEXT = {
    "aid": "app_id",
    "uid": "user_id",
    "duid": "domain_userid",
    "nuid": "network_userid",
    "ua": "useragent",
    "fp": "user_fingerprint",
    "tna": "name_tracker",
    "tv": "v_tracker",
    "cv": "v_collector",
    "lang": "br_lang",
    "cd": "br_colordepth",
    "tz": "os_timezone",
    "refr": "page_referrer",
    "url": "page_url",
    "page": "page_title",
    "cs": "doc_charset",
    "se_ca": "se_category",
    "ev_ca": "se_category",
    "se_ac": "se_action",
    "ev_ac": "se_action",
    "se_la": "se_label",
    "ev_la": "se_label",
    "se_pr": "se_property",
    "ev_pr": "se_property",
    "tr_id": "tr_orderid",
    "tr_af": "tr_affiliation",
    "tr_ci": "tr_city",
    "tr_st": "tr_state",
    "tr_co": "tr_country",
    "tr_cu": "tr_currency",
    "ti_id": "ti_orderid",
    "ti_sk": "ti_sku",
    "ti_na": "ti_name",
    "ti_nm": "ti_name",
    "ti_ca": "ti_category",
    "ti_cu": "ti_currency",
}
_CONVERTED: dict[Callable[[str], str], dict[str, str]] = {
    conversions.event_type: {"e": "event"},
    conversions.ip_first: {"ip": "user_ipaddress"},
    conversions.platform: {"p": "platform"},
    conversions.uuid: {"eid": "event_id", "sid": "domain_sessionid"},
    conversions.epoch_ms: {"dtm": "dvce_created_tstamp", "stm": "dvce_sent_tstamp", "ttm": "true_tstamp"},
    conversions.int32: {
        "tid": "txn_id",
        "vid": "domain_sessionidx",
        "ti_qu": "ti_quantity",
        "pp_mix": "pp_xoffset_min",
        "pp_max": "pp_xoffset_max",
        "pp_miy": "pp_yoffset_min",
        "pp_may": "pp_yoffset_max",
    },
    conversions.decimal: {
        "se_va": "se_value",
        "ev_va": "se_value",
        "tr_tt": "tr_total",
        "tr_tx": "tr_tax",
        "tr_sh": "tr_shipping",
        "ti_pr": "ti_price",
    },
    conversions.bool01: {
        "f_pdf": "br_features_pdf",
        "f_fla": "br_features_flash",
        "f_java": "br_features_java",
        "f_dir": "br_features_director",
        "f_qt": "br_features_quicktime",
        "f_realp": "br_features_realplayer",
        "f_wma": "br_features_windowsmedia",
        "f_gears": "br_features_gears",
        "f_ag": "br_features_silverlight",
        "cookie": "br_cookies",
    },
}
_DIMENSIONS = {
    "res": ("dvce_screenwidth", "dvce_screenheight"),
    "vp": ("br_viewwidth", "br_viewheight"),
    "ds": ("doc_width", "doc_height"),
}
_JSON = {"co": "contexts", "cx": "contexts", "ue_pr": "unstruct_event", "ue_px": "unstruct_event"}
_BASE64 = frozenset(("cx", "ue_px"))

Convert = Callable[[str], str]
_RULES: dict[str, tuple[int, Convert | None]] = {name: (INDEX[column], None) for name, column in _TEXT.items()} | {
    name: (INDEX[column], convert) for convert, names in _CONVERTED.items() for name, column in names.items()
}
"""Column and conversion of every parameter that fills one column; text columns have no conversion."""
_DIMENSIONS_INDEX = {name: (INDEX[width], INDEX[height]) for name, (width, height) in _DIMENSIONS.items()}
_JSON_INDEX = {name: INDEX[column] for name, column in _JSON.items()}

CONTEXTS = INDEX["contexts"]
UNSTRUCT_EVENT = INDEX["unstruct_event"]
_NETWORK_USERID = INDEX["network_userid"]

# Of two parameters for one column the later in map order wins; each pair has one member that is rarely sent.
_RARE_TWINS = frozenset(("co", "ue_pr", "ti_nm", "ev_ca", "ev_ac", "ev_la", "ev_pr", "ev_va"))

Parsed = dict[int, Any]
"""Parsed JSON of the columns ``contexts`` and ``unstruct_event``, by column index."""


def fill_columns(parameters: Parameters, values: list[str]) -> tuple[Parsed, list[Message]]:
    """Convert every known parameter that has a value and write its column into ``values``.

    Returns the parsed JSON columns and the failure messages, in the reference's map order. A failed parameter writes
    nothing; an empty result writes null over a default.
    """
    parsed: Parsed = {}
    failed: dict[str, Message] = {}
    for name, value in _in_order(parameters):
        if value is None:
            continue
        try:
            rule = _RULES.get(name)
            if rule is not None:
                index, convert = rule
                if convert is not None:
                    values[index] = convert(value)
                else:
                    values[index] = value if value.isprintable() else tsv_safe(value)
            elif name in _DIMENSIONS_INDEX:
                width, height = _DIMENSIONS_INDEX[name]
                values[width], values[height] = conversions.dimensions(value)
            elif name in _JSON_INDEX:
                column = _JSON_INDEX[name]
                text = decode_utf8(decode_base64(value)) if name in _BASE64 else value
                parsed[column], values[column] = jsontext.loads_compact(text)
        except ConversionError as error:
            failed[name] = badrow.enrichment_message(badrow.input_data(name, value, str(error)))
        except jsontext.JsonError as error:
            failed[name] = badrow.enrichment_message(badrow.input_data(name, value, f"invalid json: {error}"))
    collector_user = parameters.get("tnuid")
    if collector_user is not None:
        values[_NETWORK_USERID] = tsv_safe(collector_user)
    if not failed:
        return parsed, []
    return parsed, [failed[name] for name in map_order(parameters) if name in failed]


def columns_of(parameter: str) -> tuple[str, ...]:
    """The columns that a tracker parameter fills; none for one that is not known."""
    if parameter == "tnuid":
        return ("network_userid",)
    if parameter in _DIMENSIONS:
        return _DIMENSIONS[parameter]
    if parameter in _JSON:
        return (_JSON[parameter],)
    return (NAMES[_RULES[parameter][0]],) if parameter in _RULES else ()


@cache
def parameters_of(columns: tuple[str, ...]) -> frozenset[str]:
    """The names of the parameters that fill any of the columns."""
    known = (*_RULES, *_DIMENSIONS, *_JSON, "tnuid")
    return frozenset(name for name in known if not set(columns).isdisjoint(columns_of(name)))


def _in_order(parameters: Parameters) -> Iterable[tuple[str, str | None]]:
    """Insertion order serves as long as no two parameters can meet in one column; else it is map order."""
    if _RARE_TWINS.isdisjoint(parameters):
        return parameters.items()
    return [(name, parameters[name]) for name in map_order(parameters)]
