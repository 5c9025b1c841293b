from hypothesis import given
from hypothesis import strategies as st

from snowetl.jvm.map_order import in_map_order, java_hash, map_order, trie_key


def test_java_hash_counts_utf16_units():
    assert java_hash("") == 0
    assert java_hash("hello") == 99162322
    assert java_hash("😀") == 0xD83D * 31 + 0xDE00


def test_up_to_four_names_keep_insertion_order():
    assert map_order(["p", "tv", "e", "aid"]) == ["p", "tv", "e", "aid"]
    assert map_order(["p", "tv", "p", "e"]) == ["p", "tv", "e"]


def test_five_names_follow_the_hash_trie():
    assert map_order(["e", "tv", "p", "co", "ue_pr", "aid", "tna"]) == ["e", "co", "aid", "tna", "tv", "ue_pr", "p"]


@given(st.sets(st.text(max_size=8), min_size=5, max_size=30))
def test_order_of_two_names_does_not_depend_on_the_others(names):
    ordered = map_order(names)
    assert sorted(ordered, key=trie_key) == ordered
    assert list(in_map_order(dict.fromkeys(names, 1))) == ordered
