"""Tracker parameters to columns: one table, one pass (enrich 3.9.0 ``Transform``)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final

from snowetl.caching import Memo
from snowetl.enrich import conversions
from snowetl.enrich.conversions import ConversionError
from snowetl.jvm import jsontext
from snowetl.jvm.commons_codec import decode_base64
from snowetl.jvm.map_order import map_order
from snowetl.jvm.strings import decode_utf8
from snowetl.model import badrow
from snowetl.model.badrow import Message
from snowetl.model.fields import INDEX
from snowetl.model.payload import Parameters, picker
from snowetl.model.text import tsv_safe

_TEXT: Final = {
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
_CONVERTED: Final[dict[Callable[[str], str], dict[str, str]]] = {
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
_DIMENSIONS: Final = {
    "res": ("dvce_screenwidth", "dvce_screenheight"),
    "vp": ("br_viewwidth", "br_viewheight"),
    "ds": ("doc_width", "doc_height"),
}


def _json(text: str) -> tuple[Any, str]:
    """Parsed JSON, and its compact text."""
    try:
        return jsontext.loads_compact(text)
    except jsontext.JsonError as error:
        raise ConversionError(f"invalid json: {error}") from None


def _encoded_json(text: str) -> tuple[Any, str]:
    return _json(decode_utf8(decode_base64(text)))


_JSON: Final = {
    "co": ("contexts", _json),
    "cx": ("contexts", _encoded_json),
    "ue_pr": ("unstruct_event", _json),
    "ue_px": ("unstruct_event", _encoded_json),
}

CONTEXTS: Final = INDEX["contexts"]
UNSTRUCT_EVENT: Final = INDEX["unstruct_event"]
_NETWORK_USERID: Final = INDEX["network_userid"]

_OF_TEXT: Final = {name: INDEX[column] for name, column in _TEXT.items()}
_OF_VALUE: Final[dict[str, tuple[int | slice, Callable[[str], Any]]]] = {
    **{name: (INDEX[column], convert) for convert, names in _CONVERTED.items() for name, column in names.items()},
    **{name: (slice(INDEX[one], INDEX[two] + 1), conversions.dimensions) for name, (one, two) in _DIMENSIONS.items()},
}
"""Where what a parameter is converted to goes: into one column, or into two neighbours."""
_OF_JSON: Final = {name: (INDEX[column], read) for name, (column, read) in _JSON.items()}

Parsed = dict[int, Any]
"""Parsed JSON of the columns ``contexts`` and ``unstruct_event``, by column index."""


class _Shape:
    """What to do with the parameters of some names, in this order: of two for one column the later one wins."""

    __slots__ = ("columns", "converted", "json", "pick")

    def __init__(self, names: Sequence[str]) -> None:
        texts = [name for name in names if name in _OF_TEXT]
        self.pick = picker(texts)
        self.columns = [_OF_TEXT[name] for name in texts]
        self.converted = [(name, *_OF_VALUE[name]) for name in names if name in _OF_VALUE]
        self.json = [(name, *_OF_JSON[name]) for name in names if name in _OF_JSON]


def _shape(names: tuple[str, ...]) -> _Shape:
    return _Shape(map_order(names))


_shapes: Final = Memo(_shape, 4096, 2048, length=lambda names: sum(map(len, names)))
"""Trackers send the same names again and again."""


def fill_columns(parameters: Parameters, values: list[str]) -> tuple[Parsed, list[Message]]:
    """Convert every known parameter that has a value and write its column into ``values``.

    Returns the parsed JSON columns and the failure messages, in the reference's map order. A failed parameter writes
    nothing; an empty result writes null over a default.
    """
    if not all(parameters.values()) and None in parameters.values():
        shape = _Shape([name for name in map_order(parameters) if parameters[name] is not None])
    else:
        shape = _shapes[tuple(parameters)]
    parsed: Parsed = {}
    failed: dict[str, Message] = {}
    texts: Any = shape.pick(parameters)
    if not "".join(texts).isprintable():
        texts = map(tsv_safe, texts)
    for column, text in zip(shape.columns, texts):  # noqa: B905 (as many as columns; strict costs time)
        values[column] = text
    given: Any = parameters
    for name, where, convert in shape.converted:
        try:
            values[where] = convert(given[name])
        except ConversionError as error:
            failed[name] = _failure(name, given[name], error)
    for name, column, read in shape.json:
        try:
            parsed[column], values[column] = read(given[name])
        except ConversionError as error:
            failed[name] = _failure(name, given[name], error)
    collector_user = parameters.get("tnuid")
    if collector_user is not None:
        values[_NETWORK_USERID] = tsv_safe(collector_user)
    if not failed:
        return parsed, []
    return parsed, [failed[name] for name in map_order(parameters) if name in failed]


def _failure(name: str, value: str, error: ConversionError) -> Message:
    return badrow.enrichment_message(badrow.input_data(name, value, str(error)))


def columns_of(parameter: str) -> tuple[str, ...]:
    """The columns that a tracker parameter fills; none for one that is not known."""
    if parameter == "tnuid":
        return ("network_userid",)
    if parameter in _DIMENSIONS:
        return _DIMENSIONS[parameter]
    return (_SINGLE[parameter],) if parameter in _SINGLE else ()


_SINGLE: Final[dict[str, str]] = {
    **_TEXT,
    **{name: column for names in _CONVERTED.values() for name, column in names.items()},
    **{name: column for name, (column, _) in _JSON.items()},
}


@cache
def parameters_of(columns: tuple[str, ...]) -> frozenset[str]:
    """The names of the parameters that fill any of the columns."""
    known = (*_SINGLE, *_DIMENSIONS, "tnuid")
    return frozenset(name for name in known if not set(columns).isdisjoint(columns_of(name)))
