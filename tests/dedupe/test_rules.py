from __future__ import annotations

import json
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowetl.dedupe import rules as dedupe
from snowetl.dedupe.rules import Decision, Key, Policy
from snowetl.errors import ConfigError
from tests.transform.support import EVENT_ID, contexts, line, parsed, self_describing


def keys(*given_: tuple[str, str | None, int | None]) -> list[Key]:
    return [Key(event_id, fingerprint, etl, (0, number)) for number, (event_id, fingerprint, etl) in enumerate(given_)]


def lines(decision: Decision) -> tuple[list[int], list[int], list[int]]:
    dropped, known, renamed = (sorted(line for _, line in places) for places in decision)
    return dropped, known, renamed


def test_the_earliest_of_natural_duplicates_stays() -> None:
    batch = keys(("E", "a", 20), ("E", "a", 10), ("E", "a", 10), ("F", "a", 5))
    assert lines(dedupe.decide(batch, Policy())) == ([0, 2], [], [])


def test_one_without_etl_tstamp_comes_before_all() -> None:
    assert lines(dedupe.decide(keys(("E", "a", 10), ("E", "a", None)), Policy())) == ([0], [], [])


def test_events_without_a_fingerprint_are_no_natural_duplicates() -> None:
    batch = keys(("E", None, 1), ("E", None, 1))
    assert lines(dedupe.decide(batch, Policy(synthetic="NONE"))) == ([], [], [])
    assert lines(dedupe.decide(batch, Policy())) == ([], [], [0, 1])


def test_all_synthetic_duplicates_get_new_ids() -> None:
    batch = keys(("E", "a", 1), ("E", "b", 1), ("F", "a", 1), ("E", "a", 2))
    assert lines(dedupe.decide(batch, Policy())) == ([3], [], [0, 1])
    assert lines(dedupe.decide(batch, Policy(cardinality=2))) == ([3], [], [])


def test_events_of_earlier_batches_do_not_count_as_synthetic() -> None:
    batch = keys(("E", "a", 1), ("E", "b", 1))
    assert lines(dedupe.decide(batch, Policy(), lambda key: key.fingerprint == "a")) == ([], [1], [])


def test_each_survivor_is_claimed_once() -> None:
    asked: list[tuple[int, int]] = []
    dedupe.decide(keys(("E", "a", 1), ("E", "a", 2)), Policy(), lambda key: bool(asked.append(key.place)))
    assert asked == [(0, 0)]


def test_without_any_step_nothing_happens() -> None:
    assert lines(dedupe.decide(keys(("E", "a", 1), ("E", "a", 1)), Policy(natural=False, synthetic="NONE"))) == (
        [],
        [],
        [],
    )


def test_an_event_with_a_new_id_tells_the_old_one_first() -> None:
    event = parsed(line(derived_contexts=contexts(self_describing("iglu:com.acme/a/jsonschema/1-0-0", {}))))
    dedupe.reidentify(event, "00000000-0000-4000-8000-000000000000")
    assert event.event_id == "00000000-0000-4000-8000-000000000000"
    assert [entity.key.name for entity in event.derived_contexts] == ["duplicate", "a"]
    assert event.derived_contexts[0].data == {"originalEventId": EVENT_ID}


def test_new_ids_look_random_and_are_not() -> None:
    one, other = dedupe.new_id(EVENT_ID, "0/1"), dedupe.new_id(EVENT_ID, "0/2")
    assert one == dedupe.new_id(EVENT_ID, "0/1") != other
    assert uuid.UUID(one).version == 4


def test_the_key_of_an_event() -> None:
    event = parsed(line(event_fingerprint="abc", etl_tstamp="1970-01-01 00:00:01.000"))
    assert dedupe.key_of(event, (3, 4)) == Key(EVENT_ID, "abc", 1_000_000, (3, 4))
    assert dedupe.key_of(parsed(line()), (3, 4))[1:3] == (None, None)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"natural": False}, "when synthetic deduplication is enabled"),
        ({"natural": False, "synthetic": "NONE", "cross_batch": True}, "when cross batch deduplication is enabled"),
        ({"synthetic": "SOME"}, "BROADCAST, JOIN, NONE"),
        ({"cardinality": 0}, "1 or more"),
    ],
)
def test_settings_that_do_not_go_together(settings: dict[str, object], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        Policy.parse(**settings)  # type: ignore[arg-type]


def test_join_always_has_cardinality_one() -> None:
    assert Policy.parse(synthetic="JOIN", cardinality=5).cardinality == 1


KEYS = st.tuples(st.sampled_from("EFG"), st.sampled_from(["a", "b", None]), st.sampled_from([None, 1, 2]))


@given(st.lists(KEYS, max_size=30))
def test_what_is_left_is_unique(batch: list[tuple[str, str | None, int | None]]) -> None:
    every = keys(*batch)
    decision = dedupe.decide(every, Policy())
    assert not decision.dropped & decision.renamed
    left = [key for key in every if key.place not in decision.dropped]
    names = [(key.event_id, key.fingerprint) for key in left if key.fingerprint is not None]
    assert len(names) == len(set(names))
    assert {key.event_id for key in left} == {key.event_id for key in every}
    unchanged = [key.event_id for key in left if key.place not in decision.renamed]
    assert len(unchanged) == len(set(unchanged))
    assert json.dumps(sorted(decision.dropped)) == json.dumps(sorted(dedupe.decide(every[::-1], Policy()).dropped))
