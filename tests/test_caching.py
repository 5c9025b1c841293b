"""The bounded memo and the cache whose answers age."""

from __future__ import annotations

import pytest

from snowetl.caching import Failed, Memo, TtlCache


class TestMemo:
    def test_each_key_is_computed_once(self) -> None:
        asked: list[str] = []

        def compute(key: str) -> int:
            asked.append(key)
            return len(key)

        memo = Memo(compute, 10)
        assert [memo["a"], memo["bb"], memo["a"]] == [1, 2, 1]
        assert asked == ["a", "bb"]

    def test_it_never_holds_more_than_its_size(self) -> None:
        memo: Memo[int, int] = Memo(lambda key: key, 5)
        for key in range(100):
            assert memo[key] == key
            assert len(memo) <= 5

    def test_long_keys_are_computed_each_time(self) -> None:
        asked: list[str] = []
        memo = Memo(lambda key: asked.append(key) or key, 10, longest=3)
        for key in ("abc", "abcd", "abcd", "abc"):
            assert memo[key] == key
        assert asked == ["abc", "abcd", "abcd"]
        assert list(memo) == ["abc"]

    def test_the_length_of_other_keys_is_given(self) -> None:
        memo: Memo[tuple[str, str], str] = Memo("".join, 10, longest=2, length=lambda key: len(key[0]))
        assert memo["ab", "xyz"] == "abxyz"
        assert memo["abc", ""] == "abc"
        assert list(memo) == [("ab", "xyz")]

    def test_errors_are_not_kept(self) -> None:
        memo: Memo[str, int] = Memo(int, 10)
        for _ in range(2):
            with pytest.raises(ValueError):
                memo["x"]
        assert not memo


class TestTtlCache:
    """The first three are the reference's own cases: answers serve 5 seconds, failures 2."""

    @pytest.mark.parametrize(
        ("steps", "expected"),
        [
            ([(0, "v1"), (4, "v2")], ["v1", "v1"]),
            ([(0, "v1"), (5, "v2")], ["v1", "v1"]),
            ([(0, "v1"), (6, "v2")], ["v1", "v2"]),
            ([(0, "v1"), (6, Failed("e")), (9, "v2")], ["v1", "v1", "v2"]),
            ([(0, "v1"), (6, Failed("e")), (7, "v2")], ["v1", "v1", "v1"]),
            ([(0, Failed("a")), (1, Failed("b")), (3, Failed("c"))], [Failed("a"), Failed("a"), Failed("c")]),
        ],
    )
    def test_how_long_answers_serve(self, steps: list[tuple[int, object]], expected: list[object]) -> None:
        now = 0.0
        cache: TtlCache[str, object, str] = TtlCache(10, 5, 2, clock=lambda: now)
        got = []
        for now, answer in steps:  # noqa: B007
            got.append(cache.get("key", lambda answer=answer: answer))
        assert got == expected

    def test_what_was_not_asked_for_longest_goes_first(self) -> None:
        cache: TtlCache[str, str, str] = TtlCache(2, 60, 6, clock=lambda: 0)
        for key in ("a", "b", "a", "c"):
            cache.get(key, lambda key=key: key)
        assert cache.get("a", lambda: "new") == "a"
        assert cache.get("b", lambda: "new") == "new"

    def test_size_0_keeps_nothing(self) -> None:
        cache: TtlCache[str, int, str] = TtlCache(0, 60, 6)
        assert [cache.get("a", lambda n=n: n) for n in (1, 2)] == [1, 2]
