"""Where boxes and arrows lie."""

from __future__ import annotations

import random
from itertools import combinations
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from image_graph import layout, model
from tests.unit.image_graph.answers import answers, built, chain


def _placed(drawn: model.Model, order: int = 0) -> layout.Layout:
    items = [
        layout.Item(address, 60 + 7.0 * len(node.name), 40 + 6.0 * len(node.kind), node.lane)
        for address, node in drawn.nodes.items()
    ]
    random.Random(order).shuffle(items)
    return layout.place(items, drawn.images, drawn.inputs)


def _overlap(one: layout.Box, other: layout.Box, apart: float = 0.0) -> bool:
    return (
        one.x < other.x + other.width + apart
        and other.x < one.x + one.width + apart
        and one.y < other.y + other.height + apart
        and other.y < one.y + one.height + apart
    )


def _segments(route: layout.Route) -> list[layout.Box]:
    return [
        layout.Box(min(a[0], b[0]), min(a[1], b[1]), abs(a[0] - b[0]), abs(a[1] - b[1]))
        for a, b in zip(route.points, route.points[1:])
    ]


@settings(max_examples=300, deadline=None)
@given(answers())
def test_boxes_keep_apart_and_lie_in_their_lanes(answer: list[dict[str, Any]]) -> None:
    drawn = built(answer)
    placed = _placed(drawn)

    assert set(placed.boxes) == set(drawn.nodes)
    for one, other in combinations(placed.boxes.values(), 2):
        assert not _overlap(one, other, apart=layout.ROW_GAP - 0.01)
    for address, box in placed.boxes.items():
        lane = placed.lanes[drawn.nodes[address].lane]
        assert lane.y < box.y
        assert box.y + box.height < lane.y + lane.height
        assert lane.x < box.x
        assert box.x + box.width < lane.x + lane.width
    for one, other in combinations(placed.lanes.values(), 2):
        assert not _overlap(one, other)


@settings(max_examples=300, deadline=None)
@given(answers())
def test_every_arrow_leads_from_box_to_box_and_through_none(answer: list[dict[str, Any]]) -> None:
    drawn = built(answer)
    placed = _placed(drawn)

    assert sorted((route.start, route.end) for route in placed.routes) == sorted(drawn.edges())
    for route in placed.routes:
        for name, point in ((route.start, route.points[0]), (route.end, route.points[-1])):
            box = placed.boxes[name]
            assert box.x <= point[0] <= box.x + box.width
            assert box.y <= point[1] <= box.y + box.height
            on_edge = point[0] in (box.x, box.x + box.width) or point[1] in (box.y, box.y + box.height)
            assert on_edge, (route, box)
        for segment in _segments(route):
            assert segment.x >= 0
            assert segment.x + segment.width <= placed.width
            assert segment.width == 0 or segment.height == 0, route
            if route.straight:
                assert not any(_overlap(segment, box) for box in placed.boxes.values()), route


@settings(max_examples=300, deadline=None)
@given(answers())
def test_lines_of_two_boxes_never_share_an_upright(answer: list[dict[str, Any]]) -> None:
    placed = _placed(built(answer))
    uprights = [(route.start, s) for route in placed.routes if route.straight for s in _segments(route) if s.height > 0]
    for (one, a), (other, b) in combinations(uprights, 2):
        # The line between two images goes up the middle of its column, where no other line turns.
        assert one == other or a.x != b.x or a.y + a.height <= b.y or b.y + b.height <= a.y


@given(answers(), st.integers(0, 1000))
def test_the_order_of_the_input_does_not_matter(answer: list[dict[str, Any]], order: int) -> None:
    drawn = built(answer)
    assert _placed(drawn, order) == _placed(drawn)


def test_an_image_lies_above_the_one_it_is_built_on_and_right_of_all_else() -> None:
    placed = _placed(built(chain()))
    parent, child = placed.boxes["os:image"], placed.boxes["app:image"]
    assert child.y + child.height < parent.y
    assert all(box.x < child.x for name, box in placed.boxes.items() if not name.endswith(":image"))
    (route,) = (route for route in placed.routes if (route.start, route.end) == ("os:image", "app:image"))
    assert route.straight
    assert len(route.points) == 2


def test_a_circle_is_drawn_whole() -> None:
    items = [layout.Item(name, 50, 30, "") for name in "abc"]
    placed = layout.place(items, (), {"a": ["c"], "b": ["a"], "c": ["b"]})
    assert {(route.start, route.end) for route in placed.routes} == {("c", "a"), ("a", "b"), ("b", "c")}
