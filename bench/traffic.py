"""Realistic traffic for measuring: Thrift records as web collectors write them, the same for the same seed and count.

Of the events 70 % are page views and pings (with web_page and, for the views, PerformanceTiming contexts), the rest
structured and self-describing; about half of the records are single GETs, the others POSTs of one to four events; 2 %
are broken in one way or another. 500 user agents, some thousand visitors, the pages of a small shop; or, ``unseen``,
visitors, agents, addresses and pages that no record before had.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

from fixtures import broken, formats, tracker
from fixtures.agents import BROWSERS
from fixtures.catalogue import SOURCES, TEAS, product_page
from fixtures.dice import Dice
from fixtures.hit import Hit, Parameters
from fixtures.places import PLACES, PROVIDERS
from fixtures.tracker import SNOWPLOW, Json, self_describing

START = 1772409600000  # 2026-03-02T00:00:00Z
AGENTS = 500
VISITORS = 3000
BROKEN_SHARE = 0.02
_VERSION = re.compile(r"(?<!Mozilla)/(\d+)\.\d+")
_SITE = "https://shop.example.com"


def records(
    count: int, seed: str = "bench", unseen: bool = False, parade: int = 0, transactions: bool = False
) -> Iterator[bytes]:
    """``count`` Thrift records; each from a new visitor on a new page where they are to be ``unseen``.

    With ``parade`` so many visitors, each with a user agent of its own, come one after another, again and again. With
    ``transactions`` the structured events are such instead.
    """
    dice = Dice(seed)
    crowd = _Strangers(dice) if unseen else _Parade(dice, parade) if parade else _Crowd(dice)
    crowd.transactions = transactions
    time = START
    for _ in range(count):
        time += dice.between(1, 40)
        if dice.chance(BROKEN_SHARE):
            yield _broken(dice, time)
        else:
            yield crowd.record(time)


def write(path: Path, count: int) -> None:
    """Write ``count`` records in the line format of ``python -m bench library``, compressed where named ``.gz``."""
    with gzip.open(path, "wt", compresslevel=4) if path.suffix == ".gz" else path.open("w") as file:
        for record in records(count):
            line = {"format": "thrift", "record_base64": base64.b64encode(record).decode()}
            file.write(json.dumps(line) + "\n")


def _broken(dice: Dice, time: int) -> bytes:
    requests = [*broken.get_requests(dice, time), *broken.post_requests(dice, time)]
    record = formats.thrift(dice.pick(requests).hit)
    return record[: len(record) // 2] if dice.chance(0.1) else record


class _Crowd:
    """The visitors, and what they do next."""

    transactions = False

    def __init__(self, dice: Dice) -> None:
        self.dice = dice
        known = [self._agent(number) for number in range(AGENTS)]
        self.visitors = [self._visitor(dice.pick(known)) for _ in range(VISITORS)]

    def _agent(self, number: int) -> tuple[str, str]:
        """A user agent and a viewport: a browser of the fixtures in one of many versions."""
        browser = BROWSERS[number % len(BROWSERS)]
        version = f"{number // len(BROWSERS)}.{self.dice.between(0, 9999)}"
        useragent = browser.useragent
        for known in ("132.0", "131.0", "130.0", "134.0", "133.0", "18.2", "18.3", "17.6", "27.0"):
            useragent = useragent.replace(f"/{known}", f"/{known.partition('.')[0]}.{version}", 1)
        return useragent, browser.viewport

    def _visitor(self, agent: tuple[str, str]) -> Hit:
        """A request without content that stands for the visitor: address, agent, id."""
        dice = self.dice
        place = dice.below(len(PLACES))
        ip = self._address(place)
        common = {
            "p": "web",
            "aid": "larkspur-web",
            "tv": "js-3.24.4",
            "tna": "sp",
            "tz": PLACES[place].time_zone,
            "lang": PLACES[place].language,
            "cs": "UTF-8",
            "cd": "24",
            "cookie": "1",
            "res": "1920x1080",
            "vp": agent[1],
            "ds": f"{agent[1].split('x')[0]}x{dice.between(900, 5200)}",
            "vid": str(dice.between(1, 30)),
            "sid": dice.uuid(),
            "duid": dice.uuid(),
            **({"uid": f"customer-{dice.between(1, 9999)}"} if dice.chance(0.3) else {}),
        }
        return Hit(0, ip, agent[0], common, network_userid=dice.uuid())

    def _address(self, place: int) -> str:
        """An address the fixtures' MaxMind databases know."""
        return f"198.18.{place * len(PROVIDERS) + self.dice.below(len(PROVIDERS))}.{self.dice.between(1, 254)}"

    def _next_visitor(self) -> Hit:
        return self.dice.pick(self.visitors)

    def record(self, time: int) -> bytes:
        dice = self.dice
        visitor = self._next_visitor()
        url = self._url()
        if dice.chance(0.5):
            return formats.thrift(visitor._replace(time=time, query=self._event(visitor, url, time), referer=url))
        events = [self._event(visitor, url, time) for _ in range(dice.between(1, 4))]
        return formats.thrift(visitor._replace(time=time, query={}, referer=url, **tracker.batch(events)))

    def _url(self) -> str:
        dice = self.dice
        url = _SITE + product_page(dice.pick(TEAS)).path
        source = dice.pick(SOURCES)
        query = source.landing.format(term="green+tea", n=dice.between(1, 9), id=dice.hex(16))
        return f"{url}?{query}" if query and dice.chance(0.5) else url

    def _event(self, visitor: Hit, url: str, time: int) -> Parameters:
        dice = self.dice
        shown = {"url": url, "page": "Larkspur Tea – leaves worth waiting for"}
        referrer = dice.pick(SOURCES).referrer.format(term="loose+leaf+tea")
        if referrer and dice.chance(0.6):
            shown["refr"] = referrer
        entities = [tracker.web_page(dice.uuid())]
        kind = dice.weighted((35, 35, 12, 18))
        if kind == 0:
            event: Parameters = {"e": "pv"}
            entities.append(tracker.performance_timing(time - 900, dice.between(150, 4000)))
        elif kind == 1:
            down = dice.between(0, 2400)
            event = {"e": "pp", "pp_mix": "0", "pp_max": "0", "pp_miy": str(down // 2), "pp_may": str(down)}
        elif kind == 2 and self.transactions:
            event = {"e": "tr", "tr_id": dice.hex(8), "tr_tt": f"{dice.between(5, 90)}.50", "tr_cu": "GBP"}
        elif kind == 2:
            event = {
                "e": "se",
                "se_ca": "video",
                "se_ac": "play",
                "se_la": "teaser",
                "se_va": f"{dice.between(1, 90)}.5",
            }
        else:
            event = tracker.unstruct(self._self_describing(), dice.chance(0.6))
        if dice.chance(0.3):
            entities.append(self._session(visitor))
        sent = {"eid": dice.uuid(), "dtm": str(time - 400), "stm": str(time - 90)}
        assert not isinstance(visitor.query, str)
        return {**event, **shown, **sent, **visitor.query, **tracker.contexts(entities, dice.chance(0.6))}

    def _self_describing(self) -> Json:
        dice = self.dice
        tea = dice.pick(TEAS)
        if dice.chance(0.5):
            click = {"targetUrl": f"{_SITE}{product_page(tea).path}", "elementId": tea.sku, "elementClasses": ["tile"]}
            return self_describing(SNOWPLOW, "link_click", "1-0-1", click)
        item = {
            "sku": tea.sku,
            "name": tea.name,
            "unitPrice": tea.price,
            "quantity": dice.between(1, 4),
            "currency": "GBP",
        }
        return self_describing(SNOWPLOW, "add_to_cart", "1-0-0", item)

    def _session(self, visitor: Hit) -> Json:
        assert not isinstance(visitor.query, str)
        data = {
            "userId": visitor.query["duid"],
            "sessionId": visitor.query["sid"],
            "sessionIndex": int(visitor.query["vid"]),
            "previousSessionId": None,
            "storageMechanism": "COOKIE_1",
            "firstEventId": self.dice.uuid(),
        }
        return self_describing(SNOWPLOW, "client_session", "1-0-1", data)


class _Various(_Crowd):
    """Visitors of whom no two have the same user agent."""

    def _agent(self, number: int) -> tuple[str, str]:
        useragent, viewport = super()._agent(number)
        return _VERSION.sub(rf"/\1.{number}", useragent, count=1), viewport


class _Parade(_Various):
    """Visitors in turn: whoever looks at as many records has seen all agents."""

    def __init__(self, dice: Dice, agents: int) -> None:
        self.dice = dice
        self._turns = cycle([self._visitor(self._agent(number)) for number in range(agents)])

    def _next_visitor(self) -> Hit:
        return next(self._turns)


class _Strangers(_Various):
    """Visitors who come once, with a browser version, an address and a page of their own.

    Half of the addresses are known to the fixtures' databases (which have a few thousand), the others are any IPv6
    address of the range for documentation.
    """

    def __init__(self, dice: Dice) -> None:
        self.dice = dice
        self._agents = 0

    def _next_visitor(self) -> Hit:
        self._agents += 1
        return self._visitor(self._agent(self._agents))

    def _address(self, place: int) -> str:
        if self.dice.chance(0.5):
            return super()._address(place)
        return "2001:db8:" + ":".join(self.dice.hex(4) for _ in range(6))

    def _url(self) -> str:
        words = "-".join(self.dice.hex(self.dice.between(3, 9)) for _ in range(self.dice.between(1, 4)))
        return f"{super()._url().partition('?')[0]}/{words}?q={self.dice.hex(8)}&page={self.dice.between(1, 90)}"
