from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from image_definitions.cycles import cycles

GRAPHS = st.dictionaries(st.integers(0, 7), st.lists(st.integers(0, 9), max_size=4), max_size=8)


def test_a_cycle_begins_with_the_node_that_comes_first() -> None:
    assert cycles({"a": ["b"], "b": ["c"], "c": ["d"], "d": ["b", "e"], "e": []}) == [("b", "c", "d")]


def test_a_node_that_needs_itself() -> None:
    assert cycles({"a": ["a"]}) == [("a",)]


def test_two_cycles() -> None:
    assert cycles({"a": ["b"], "b": ["a", "c"], "c": ["d"], "d": ["c"]}) == [("a", "b"), ("c", "d")]


def test_what_two_need_is_no_cycle() -> None:
    assert cycles({"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": [], "e": ["elsewhere"]}) == []


def test_a_chain_longer_than_the_stack() -> None:
    length = 50_000
    chain = {at: [at + 1] for at in range(length)}
    assert cycles(chain) == []
    assert cycles({**chain, length: [0]}) == [tuple(range(length + 1))]


def reaches(graph: dict[int, list[int]], start: int) -> bool:
    seen, queued = set(), [*graph[start]]
    while queued:
        node = queued.pop()
        if node not in seen:
            seen.add(node)
            queued += graph.get(node, [])
    return start in seen


@settings(deadline=None)
@given(GRAPHS)
def test_cycles_are_real_and_none_is_missed(graph: dict[int, list[int]]) -> None:
    found = cycles(graph)
    for cycle in found:
        assert len(set(cycle)) == len(cycle)
        assert all(after in graph[before] for before, after in zip(cycle, (*cycle[1:], cycle[0])))
    assert bool(found) == any(reaches(graph, node) for node in graph)
