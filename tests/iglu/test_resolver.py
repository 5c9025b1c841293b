"""Order, memory and patience of the resolver, by an injected clock."""

from __future__ import annotations

from typing import Any

from snowetl.iglu.cache import ResolverCache
from snowetl.iglu.config import Repository
from snowetl.iglu.failures import NOT_FOUND, LookupHistory, RegistryError, ResolutionFailure, repo_failure
from snowetl.iglu.resolver import Resolver, SchemaItem, backoff
from snowetl.model.schema import SchemaKey

KEY = SchemaKey.parse("iglu:com.acme/event/jsonschema/1-0-0")


class Stub:
    """A registry with a settable answer."""

    def __init__(self, name: str, answer: Any = NOT_FOUND, class_priority: int = 100, **more: Any) -> None:
        self.repository = Repository(name, more.get("priority", 0), more.get("prefixes", ()))
        self.class_priority = class_priority
        self.remote = class_priority == 100
        self.answer = answer
        self.asked = 0

    def schema(self, key: SchemaKey) -> Any:
        self.asked += 1
        return self.answer

    def schema_list(self, vendor: str, name: str, model: int) -> list[SchemaKey] | RegistryError:
        self.asked += 1
        return self.answer  # type: ignore[no-any-return]


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000

    def __call__(self) -> int:
        return self.now


def test_the_first_success_wins() -> None:
    one, two, three = Stub("one"), Stub("two", {"two": 2}), Stub("three", {"three": 3})
    found = Resolver([one, two, three], 10, None, Clock()).schema(KEY)
    assert found == SchemaItem({"two": 2}, None)
    assert (one.asked, two.asked, three.asked) == (1, 1, 0)


def test_prefixes_kinds_and_priorities() -> None:
    stubs = [
        Stub("far", priority=9),
        Stub("near", priority=1),
        Stub("folder", class_priority=2, priority=50),
        Stub("own", prefixes=("com.ac",), priority=99),
    ]
    order = [one.repository.name for one in Resolver(stubs, 10, None, Clock()).prioritized("com.acme")]
    assert order == ["own", "folder", "near", "far"]


def test_folders_are_not_asked_again_but_servers_are() -> None:
    clock = Clock()
    folder, server = Stub("folder", class_priority=2), Stub("server")
    resolver = Resolver([folder, server], 10, None, clock)
    for wait, folder_asked, server_asked in ((0, 1, 1), (504, 1, 1), (1, 1, 2), (516, 1, 2), (1, 1, 3)):
        clock.now += wait
        failure = resolver.schema(KEY)
        assert isinstance(failure, ResolutionFailure)
        assert (folder.asked, server.asked) == (folder_asked, server_asked)
        assert failure.history["server"].attempts == server_asked


def test_errors_add_up_once_each() -> None:
    clock = Clock()
    server = Stub("server", repo_failure("a"))
    resolver = Resolver([server], 10, 60, clock)
    resolver.schema(KEY)
    for message in ("b", "a", *map(str, range(60))):
        clock.now += 2_000_000
        server.answer = repo_failure(message)
        failure = resolver.schema(KEY)
    assert isinstance(failure, ResolutionFailure)
    errors = failure.history["server"].errors
    assert [error.message for error in errors[:3]] == ["a", "b", "0"] and len(errors) == 32
    assert failure.history["server"].attempts == 63


def test_an_expired_success_outlives_an_outage() -> None:
    clock = Clock()
    server = Stub("server", {"a": 1})
    resolver = Resolver([server], 10, 60, clock)
    resolver.schema(KEY)
    clock.now += 60_000
    server.answer = repo_failure("down")
    assert resolver.schema(KEY) == SchemaItem({"a": 1}, None)
    clock.now += 59_000
    assert resolver.schema(KEY) == SchemaItem({"a": 1}, None)
    assert server.asked == 2


def test_without_cache_every_call_asks() -> None:
    for size, ttl in ((0, None), (-1, None), (10, 0), (10, -5)):
        server = Stub("server", {"a": 1})
        resolver = Resolver([server], size, ttl, Clock())
        resolver.schema(KEY)
        resolver.schema(KEY)
        assert server.asked == 2


def test_the_least_recently_used_goes() -> None:
    cache: ResolverCache[int] = ResolverCache(2, None)
    cache.put("a", 1, 0)
    cache.put("b", 2, 0)
    assert cache.get("a", 0) == 1
    cache.put("c", 3, 0)
    assert [cache.get(key, 0) for key in "abc"] == [1, None, 3]


def test_histories_combine() -> None:
    one = LookupHistory((NOT_FOUND,), 3, 10)
    other = LookupHistory((repo_failure("x"), NOT_FOUND), 2, 20)
    assert one.combined(other) == LookupHistory((NOT_FOUND, repo_failure("x")), 3, 20)
    assert not ResolutionFailure({"a": one, "b": other}).is_not_found()
    assert ResolutionFailure({"a": one}).is_not_found()


def test_a_list_that_lacks_the_key_counts_as_none() -> None:
    later = KEY._replace(version=KEY.version._replace(addition=1))
    old, new = Stub("old", [KEY]), Stub("new", [KEY, later], priority=1)
    resolver = Resolver([old, new], 10, None, Clock())
    assert resolver.schema_list("com.acme", "event", 1) == [KEY]
    assert resolver.schema_list("com.acme", "event", 1, containing=later) == [KEY, later]
    assert resolver.schema_list("com.acme", "event", 1) == [KEY, later]
    assert (old.asked, new.asked) == (2, 1)


def test_backoff_falls_at_nine_and_at_thirteen() -> None:
    assert [backoff(n) for n in (0, 1, 8, 9, 12, 13, 20, 21)] == [
        501,
        504,
        66036,
        20183,
        531941,
        13692,
        1054076,
        1202100,
    ]
