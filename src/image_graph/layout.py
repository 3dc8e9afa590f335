"""Places boxes and routes arrows: columns by depth, one lane for each image, no arrow through a box.

Boxes stand in columns, what is made to the right of what it is made from, images in the last one. All arrows from one
box share one line, which branches: it runs to the right between the boxes of the columns that it passes, and upwards
and downwards in the gaps between columns, where each line has a track of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Iterable, Mapping, Sequence

# Pixels.
LANE_PADDING = 18.0
LANE_GAP = 8.0
ROW_GAP = 16.0
_TRACK = 7.0
_GAP_MARGIN = 16.0
# Room for the arrow's head.
_HEAD = 12.0
_PASSAGE = 8.0
_PORT_DISTANCE = 3.0
_SWEEPS = 12


@dataclass(frozen=True)
class Item:
    """What is to be placed.

    Attributes:
        name: Its key.
        width: Pixels that it needs; all boxes of a column are as wide as the widest.
        height: Pixels.
        lane: Name of the image in whose lane it lies; empty for the lane that all share.
    """

    name: str
    width: float
    height: float
    lane: str


@dataclass(frozen=True)
class Box:
    """Where an item lies, in pixels from the top left corner."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Route:
    """One arrow.

    Attributes:
        start: Item it comes from.
        end: Item it leads to.
        points: Its corners; the last is where its head lies.
        straight: Whether it keeps to the columns' gaps; else it is a bow over whatever lies between.
    """

    start: str
    end: str
    points: tuple[tuple[float, float], ...]
    straight: bool = True


@dataclass(frozen=True)
class Layout:
    """The drawing's geometry.

    Attributes:
        boxes: By item.
        lanes: By image, from the top to the bottom; the shared lane, if there is one, is called "".
        routes: One for each arrow.
        width: Pixels.
        height: Pixels.
    """

    boxes: Mapping[str, Box]
    lanes: Mapping[str, Box]
    routes: tuple[Route, ...]
    width: float
    height: float


@dataclass
class _Slot:
    """A place in a column: a box, or a passage for a line that goes further."""

    key: str
    lane: str
    height: float
    column: int
    y: float = 0.0
    lines: list[str] = field(default_factory=list)  # What ends at its left side.


def place(items: Sequence[Item], images: Sequence[str], inputs: Mapping[str, Iterable[str]]) -> Layout:
    """Lay out a graph.

    Args:
        items: In any order; the result does not depend on it.
        images: Names of the items of the last column, each behind those it is built on: the first lies at the bottom.
        inputs: For each item, the items from which arrows lead to it.
    """
    by_name = {item.name: item for item in sorted(items, key=lambda item: item.name)}
    edges = [(start, end) for end in by_name for start in sorted(set(inputs.get(end, ()))) if start != end]
    columns = _columns(by_name, set(images), edges)
    forward = [(start, end) for start, end in edges if columns[start] > columns[end]]
    lanes = [lane for lane in [*reversed(images), ""] if any(item.lane == lane for item in by_name.values())]

    slots, links = _slots(by_name, columns, forward)
    cells = _ordered(slots, links, lanes)
    heights = _place_rows(slots, links, cells, lanes)
    ports = _ports(slots, links, by_name)
    tracks = _tracks(slots, links, ports, max(columns.values(), default=0))
    widths = [
        max((i.width for i in by_name.values() if columns[i.name] == c), default=0.0) for c in range(len(tracks) + 1)
    ]
    lefts, gap_ends, width = _horizontal(widths, tracks)

    boxes = {
        name: Box(lefts[columns[name]], slots[name].y - item.height / 2, widths[columns[name]], item.height)
        for name, item in by_name.items()
    }
    routes = []
    right = width
    for start, end in edges:
        if (start, end) in set(forward):
            routes.append(_route(start, end, slots, boxes, ports, tracks, gap_ends, columns))
        else:
            route, reach = _backward(boxes[start], boxes[end], start, end, boxes)
            routes.append(route)
            right = max(right, reach + LANE_PADDING)
    lane_boxes = {lane: Box(0.0, top, right, height) for lane, (top, height) in heights.items()}
    total = max((top + height for top, height in heights.values()), default=0.0)
    return Layout(boxes, lane_boxes, tuple(routes), right, total)


def _columns(items: Mapping[str, Item], images: set[str], edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    """How many steps each item is from an image, by the longest way; arrows that close a circle do not count."""
    outputs: dict[str, list[str]] = {name: [] for name in items}
    for start, end in edges:
        outputs[start].append(end)
    columns: dict[str, int] = {}
    open_items: set[str] = set()

    def column(name: str) -> int:
        if name in images:
            columns[name] = 0
        if name not in columns:
            open_items.add(name)
            columns[name] = 1 + max((column(end) for end in outputs[name] if end not in open_items), default=0)
            open_items.discard(name)
        return columns[name]

    for name in items:
        column(name)
    return columns


def _passage(start: str, column: int) -> str:
    return f"{start}\0{column}"


def _slots(
    items: Mapping[str, Item], columns: Mapping[str, int], forward: Sequence[tuple[str, str]]
) -> tuple[dict[str, _Slot], dict[str, list[str]]]:
    """All slots, and for each slot with a line to the right, the slots of the next column that the line leads to."""
    slots = {name: _Slot(name, item.lane, item.height, columns[name]) for name, item in items.items()}
    links: dict[str, list[str]] = {}
    ends: dict[str, list[str]] = {}
    for start, end in forward:
        ends.setdefault(start, []).append(end)
    for start, targets in ends.items():
        here = start
        for column in range(columns[start] - 1, min(columns[end] for end in targets) - 1, -1):
            links[here] = [end for end in targets if columns[end] == column]
            further = [end for end in targets if columns[end] < column]
            if further:
                lanes = {items[end].lane for end in further}
                passage = _passage(start, column)
                lane = lanes.pop() if len(lanes) == 1 else items[start].lane
                slots[passage] = _Slot(passage, lane, _PASSAGE, column)
                links[here].append(passage)
                here = passage
    return slots, links


def _ordered(
    slots: Mapping[str, _Slot], links: Mapping[str, Sequence[str]], lanes: Sequence[str]
) -> dict[tuple[int, str], list[str]]:
    """The slots of each column and lane from the top to the bottom, so that few lines cross."""
    cells: dict[tuple[int, str], list[str]] = {}
    for key in sorted(slots):
        cells.setdefault((slots[key].column, slots[key].lane), []).append(key)
    to_left: dict[str, list[str]] = {}
    for start, ends in links.items():
        for end in ends:
            to_left.setdefault(end, []).append(start)
    count = 1 + max((slot.column for slot in slots.values()), default=0)
    for sweep in range(_SWEEPS):
        rank: dict[str, float] = {}
        for column in range(count):
            ordered = [key for lane in lanes for key in cells.get((column, lane), ())]
            rank.update({key: (place + 0.5) / len(ordered) for place, key in enumerate(ordered)})
        rightwards = sweep % 2 == 1
        for column in range(count) if not rightwards else range(count - 1, -1, -1):
            beside = to_left if rightwards else links
            for lane in lanes:
                cell = cells.get((column, lane), [])
                wish = {
                    key: sum(rank[other] for other in beside[key]) / len(beside[key]) if beside.get(key) else rank[key]
                    for key in cell
                }
                cell.sort(key=lambda key: (wish[key], key))
            ordered = [key for lane in lanes for key in cells.get((column, lane), ())]
            rank.update({key: (place + 0.5) / len(ordered) for place, key in enumerate(ordered)})
    return cells


def _place_rows(
    slots: Mapping[str, _Slot],
    links: Mapping[str, Sequence[str]],
    cells: Mapping[tuple[int, str], Sequence[str]],
    lanes: Sequence[str],
) -> dict[str, tuple[float, float]]:
    """Give each slot its centre's height; top and height of each lane."""
    heights: dict[str, tuple[float, float]] = {}
    top = 0.0
    for lane in lanes:
        stacks = [cell for (_, name), cell in cells.items() if name == lane]
        inner = max(sum(slots[key].height for key in cell) + ROW_GAP * (len(cell) - 1) for cell in stacks)
        heights[lane] = (top, inner + 2 * LANE_PADDING)
        top += inner + 2 * LANE_PADDING + LANE_GAP
    # From the images to the left: each as near to what is made from it as the order allows.
    for (_, lane), cell in sorted(cells.items()):
        low = heights[lane][0] + LANE_PADDING
        high = heights[lane][0] + heights[lane][1] - LANE_PADDING
        middle = (low + high) / 2
        wishes = []
        for key in cell:
            ends = [slots[end].y for end in links.get(key, ()) if slots[end].lane == lane]
            wishes.append(sum(ends) / len(ends) if ends else middle)
        _stack([slots[key] for key in cell], wishes, low, high)
    return heights


def _stack(cell: Sequence[_Slot], wishes: Sequence[float], low: float, high: float) -> None:
    """Put slots below each other between two heights, near the heights they wish for."""
    floor = low
    for slot, wish in zip(cell, wishes):
        slot.y = max(wish, floor + slot.height / 2)
        floor = slot.y + slot.height / 2 + ROW_GAP
    ceiling = high
    for slot in reversed(cell):
        slot.y = min(slot.y, ceiling - slot.height / 2)
        ceiling = slot.y - slot.height / 2 - ROW_GAP


def _ports(
    slots: Mapping[str, _Slot], links: Mapping[str, Sequence[str]], items: Mapping[str, Item]
) -> dict[tuple[str, str], float]:
    """At which height each line meets the left side of each slot, by line's start and end."""
    ports: dict[tuple[str, str], float] = {}
    arriving: dict[str, list[str]] = {}
    for start in sorted(links):
        for end in links[start]:
            arriving.setdefault(end, []).append(start)
    leaving: dict[int, list[float]] = {}
    for start in links:
        leaving.setdefault(slots[start].column - 1, []).append(slots[start].y)
    taken: dict[int, list[float]] = {}
    for end in sorted(arriving, key=lambda key: (slots[key].column, slots[key].y)):
        slot = slots[end]
        starts = sorted(arriving[end], key=lambda key: (slots[key].y, key))
        if end not in items:
            ports[starts[0], end] = slot.y
            continue
        for place, start in enumerate(starts):
            wish = slot.y - slot.height / 2 + slot.height * (place + 1) / (len(starts) + 1)
            # A turn by next to nothing looks like a mistake.
            wish = slots[start].y if abs(wish - slots[start].y) < _PORT_DISTANCE else wish
            # Two lines on one height would look like one, except a line that goes straight through.
            others = [y for y in leaving.get(slot.column, []) if y != slots[start].y] + taken.get(slot.column, [])
            ports[start, end] = _free(wish, others, slot.height)
            taken.setdefault(slot.column, []).append(ports[start, end])
    return ports


def _free(wish: float, others: Sequence[float], height: float) -> float:
    """The height next to `wish` that keeps its distance from others, within half a box."""
    for step in range(int(height / 4)):
        for y in (wish + step, wish - step):
            if all(abs(y - other) >= _PORT_DISTANCE for other in others):
                return y
    return wish


def _tracks(
    slots: Mapping[str, _Slot],
    links: Mapping[str, Sequence[str]],
    ports: Mapping[tuple[str, str], float],
    last: int,
) -> list[dict[str, int]]:
    """For each gap, named after the column at its right: the track of each line that turns there, from the left."""
    gaps: list[dict[str, int]] = [{} for _ in range(last)]
    for gap, tracks in enumerate(gaps):
        spans = []
        for start in sorted(links):
            if slots[start].column == gap + 1:
                ys = [slots[start].y, *(ports[start, end] for end in links[start])]
                if max(ys) > min(ys):
                    spans.append((min(ys), max(ys), start))
        free: list[float] = []
        for low, high, start in sorted(spans):
            track = next((place for place, end in enumerate(free) if end + _PORT_DISTANCE < low), len(free))
            free[track : track + 1] = [high]
            tracks[start] = track
    return gaps


def _horizontal(
    widths: Sequence[float], tracks: Sequence[Mapping[str, int]]
) -> tuple[list[float], list[tuple[float, float]], float]:
    """The left edge of each column, the x of each gap's first track with its end, and the width of it all."""
    lefts = [0.0] * len(widths)
    gaps = [(0.0, 0.0)] * len(tracks)
    x = LANE_PADDING
    for column in range(len(widths) - 1, -1, -1):
        lefts[column] = x
        x += widths[column]
        if column > 0:
            room = max(tracks[column - 1].values(), default=-1) + 1
            gaps[column - 1] = (x + _GAP_MARGIN, x + 2 * _GAP_MARGIN + _TRACK * max(room - 1, 0) + _HEAD)
            x = gaps[column - 1][1]
    return lefts, gaps, x + LANE_PADDING


def _route(
    start: str,
    end: str,
    slots: Mapping[str, _Slot],
    boxes: Mapping[str, Box],
    ports: Mapping[tuple[str, str], float],
    tracks: Sequence[Mapping[str, int]],
    gaps: Sequence[tuple[float, float]],
    columns: Mapping[str, int],
) -> Route:
    points = [(boxes[start].x + boxes[start].width, slots[start].y)]
    here = start
    for column in range(columns[start] - 1, columns[end] - 1, -1):
        there = end if column == columns[end] else _passage(start, column)
        y = ports[here, there]
        if here in tracks[column]:
            x = gaps[column][0] + _TRACK * tracks[column][here]
            points += [(x, slots[here].y), (x, y)]
        here = there
    points.append((boxes[end].x, ports[here, end] if here != end else y))
    return Route(start, end, _without_repeats(points))


def _without_repeats(points: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    kept: list[tuple[float, float]] = []
    for point in points:
        if not kept or point != kept[-1]:
            kept.append(point)
    return tuple(kept)


def _backward(start_box: Box, end_box: Box, start: str, end: str, boxes: Mapping[str, Box]) -> tuple[Route, float]:
    """An arrow within a column or to the left, and how far to the right it reaches."""
    x = start_box.x + start_box.width / 2
    same_column = abs(x - (end_box.x + end_box.width / 2)) < 1
    low, high = sorted((start_box.y, end_box.y))
    between = [
        box
        for name, box in boxes.items()
        if name not in (start, end) and box.x < x < box.x + box.width and low < box.y < high
    ]
    if same_column and not between:
        upwards = end_box.y < start_box.y
        from_y = start_box.y if upwards else start_box.y + start_box.height
        to_y = end_box.y + end_box.height if upwards else end_box.y
        return Route(start, end, ((x, from_y), (x, to_y))), x
    from_point = (start_box.x + start_box.width, start_box.y + start_box.height / 2)
    to_point = (end_box.x + end_box.width, end_box.y + end_box.height / 2)
    reach = max(from_point[0], to_point[0]) + 24 + len(between) * 8
    return Route(start, end, (from_point, (reach, from_point[1]), (reach, to_point[1]), to_point), False), reach
