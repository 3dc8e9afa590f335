"""The picture as SVG. It stands alone: no script, no font and no style from elsewhere; light and dark."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Iterable, Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

from image_graph import facts, layout, words
from image_graph.model import FILES, IMAGE, LAYER, LOCK, PYTHON, REQUIREMENTS, WHEEL, Model, Node
from image_graph.reach import Reach

CHANGED = "changed"
REACHED = "reached"
UNTOUCHED = "untouched"

# Width of a character as a part of the font's size, for the widest of the fonts named below.
_MONO = 0.61
_SANS = 0.60
_NAME_SIZE = 12.0
_TEXT_SIZE = 10.5
_PADDING = 10.0
_LINE = 15.0
_NAME_LENGTH = 32
_TEXT_LENGTH = 40
_HEADER = 92.0
_RADIUS = 5.0
_FOOT = 34.0
_MARGIN = 16.0
_LEAST_WIDTH = 1080.0


@dataclass(frozen=True)
class Picture:
    """All that is drawn.

    Attributes:
        model: Boxes and arrows.
        facts: By box.
        reach: What the working tree changes; None where there was nothing to compare with.
        compared: The revision in words, or why there is none.
        remarks: What the picture lacks, and why.
    """

    model: Model
    facts: Mapping[str, facts.Fact]
    reach: Reach | None
    compared: str
    remarks: Sequence[str] = field(default_factory=tuple)

    def state(self, address: str) -> str:
        """`changed`, `reached` or `untouched`."""
        members = set(self.model.nodes[address].members)
        if self.reach and members & self.reach.changed:
            return CHANGED
        return REACHED if self.reach and members & self.reach.reached else UNTOUCHED

    def summary(self) -> str:
        """What changed and what that reaches, in one sentence."""
        if self.reach is None:
            return self.compared
        if not self.reach.files:
            return f"Nothing differs from {self.compared}."
        files = words.count(len(self.reach.files), "file differs", "files differ")
        images = f"{len(self.reach.images)} of {words.count(len(self.model.images), 'image')}"
        return f"{files} from {self.compared}: that reaches {images} and {words.count(len(self.reach.tests), 'test')}."


@dataclass(frozen=True)
class _Palette:
    page: str
    lane: str
    box: str
    line: str
    edge: str
    text: str
    dim: str
    changed: str
    changed_line: str
    reached: str
    reached_line: str
    bar: str


_LIGHT = _Palette(
    page="#ffffff",
    lane="#f3f5f8",
    box="#ffffff",
    line="#b4bcc8",
    edge="#a9b2bf",
    text="#1b222c",
    dim="#566170",
    changed="#ffe8d2",
    changed_line="#c2410c",
    reached="#dceafe",
    reached_line="#1d5fd1",
    bar="#8792a2",
)
_DARK = _Palette(
    page="#12161c",
    lane="#1a2029",
    box="#242c37",
    line="#4a5666",
    edge="#5d6a7b",
    text="#e8edf3",
    dim="#a7b2c0",
    changed="#4d2a12",
    changed_line="#fb923c",
    reached="#16335f",
    reached_line="#6ea8fe",
    bar="#8d9aab",
)


def lines_of(picture: Picture, node: Node) -> tuple[str, str, str, str]:
    """The four lines of a box: what it is and where, its name, more of its name, what is known of it."""
    fact = picture.facts.get(node.address, facts.Fact())
    place = f"{node.kind} · {node.folder}" if node.folder else node.kind
    more = ""
    name = node.name
    if node.kind == IMAGE:
        name, tags = facts.names_of(node)
        more = tags[0] + (f" and {len(tags) - 1} more" if len(tags) > 1 else "") if tags else ""
    return (
        words.elided(place, _TEXT_LENGTH),
        words.elided(name, _NAME_LENGTH),
        words.elided(more, _TEXT_LENGTH),
        words.elided(_known(node, fact), _TEXT_LENGTH),
    )


def _known(node: Node, fact: facts.Fact) -> str:
    """The most telling of what is known: what was built, else what it is made of or makes."""
    if fact.size is not None:
        return " · ".join([words.size(fact.size), *([words.short(fact.digest)] if fact.digest else [])])
    fields = node.target.fields
    if fact.remark:
        return fact.remark
    if node.kind in (FILES, LOCK, PYTHON):
        return words.count(len(node.files), "file")
    if node.kind == REQUIREMENTS:
        return words.count(sum("#" in member for member in node.members), "distribution")
    if node.kind == WHEEL:
        version = (fields.get("provides") or {}).get("version")
        return f"version {version}" if version else ""
    return " ".join([*(fields.get("output_files") or ()), *(fields.get("output_directories") or ())])


def description(picture: Picture, node: Node) -> str:
    """A box in words, for those who do not see the picture."""
    fact = picture.facts.get(node.address, facts.Fact())
    parts = [f"{node.kind} {node.address}", picture.state(node.address)]
    parts += [words.size(fact.size)] if fact.size is not None else []
    parts += [fact.digest] if fact.digest else []
    parts += [fact.remark] if fact.remark else []
    inputs, outputs = picture.model.inputs[node.address], picture.model.outputs[node.address]
    parts.append("made from " + (", ".join(inputs) or "nothing else here"))
    parts.append("needed by " + (", ".join(outputs) or "nothing else here"))
    return "; ".join(parts)


def draw(picture: Picture) -> str:
    """The SVG document, without an XML declaration, so that it also goes into a page."""
    texts = {address: lines_of(picture, node) for address, node in picture.model.nodes.items()}
    items = [_item(node, texts[address]) for address, node in picture.model.nodes.items()]
    placed = layout.place(items, picture.model.images, picture.model.inputs)
    width = max(placed.width, _LEAST_WIDTH) + 2 * _MARGIN
    height = placed.height + _HEADER + _FOOT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="graph" role="group" viewBox="0 0 {_n(width)} {_n(height)}"'
        f' width="{_n(width)}" height="{_n(height)}" aria-labelledby="graph-title graph-desc">',
        '<title id="graph-title">Images, layers and what they are made from</title>',
        f'<desc id="graph-desc">{escape(" ".join([picture.summary(), *picture.remarks]))}</desc>',
        f"<style>{_style()}</style>",
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0.5 L8 4 L0 7.5 z" class="head"/></marker>'
        '<marker id="head-lit" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0.5 L8 4 L0 7.5 z" class="head lit"/></marker></defs>',
        f'<rect class="page" width="{_n(width)}" height="{_n(height)}"/>',
        *_header(picture, width),
        f'<g transform="translate({_n((width - placed.width) / 2)} {_n(_HEADER)})">',
        *_lanes(placed),
    ]
    lit = {CHANGED, REACHED}
    # Those in colour last, so that they lie on top.
    for on in (False, True):
        for route in placed.routes:
            reached = picture.state(route.start) in lit and picture.state(route.end) in lit
            if reached == on:
                parts.append(
                    f'<path class="edge{" lit" if reached else ""}" data-start={quoteattr(route.start)}'
                    f' data-end={quoteattr(route.end)} d="{_path(route)}"/>'
                )
    largest = max((fact.size for fact in picture.facts.values() if fact.size), default=0)
    biggest_layer = max(
        (picture.facts[a].size or 0 for a, n in picture.model.nodes.items() if n.kind == LAYER and a in picture.facts),
        default=largest,
    )
    for address in _reading_order(placed):
        parts += _box(picture, picture.model.nodes[address], texts[address], placed.boxes[address], biggest_layer)
    parts += ["</g>", "</svg>"]
    return "\n".join(parts) + "\n"


def _item(node: Node, texts: tuple[str, str, str, str]) -> layout.Item:
    widths = [len(texts[1]) * _MONO * _NAME_SIZE * 1.02]
    widths += [
        len(texts[0]) * _SANS * _TEXT_SIZE,
        len(texts[2]) * _MONO * _TEXT_SIZE,
        len(texts[3]) * _MONO * _TEXT_SIZE,
    ]
    rows = 3 + bool(texts[2])
    return layout.Item(
        node.address,
        math.ceil(max(widths)) + 2 * _PADDING,
        rows * _LINE + 14 + (4 if node.kind == LAYER else 0),
        node.lane,
    )


def _reading_order(placed: layout.Layout) -> list[str]:
    """The order in which the Tab key goes through the boxes: along the columns, from the images to the left."""
    return sorted(
        placed.boxes,
        key=lambda name: (-round(placed.boxes[name].x + placed.boxes[name].width / 2), placed.boxes[name].y),
    )


def _header(picture: Picture, width: float) -> Iterable[str]:
    x = _MARGIN + layout.LANE_PADDING
    yield f'<text class="heading" x="{_n(x)}" y="30">Images, layers and what they are made from</text>'
    line = words.elided(" ".join([picture.summary(), *picture.remarks]), int((width - 2 * x) / (_SANS * 12)))
    yield f'<text class="text" x="{_n(x)}" y="50">{escape(line)}</text>'
    y = 62.0
    for state, meaning in (
        (CHANGED, "changed"),
        (REACHED, "reached by the change"),
        (UNTOUCHED, "untouched"),
    ):
        yield f'<g class="{state}"><rect class="box" x="{_n(x)}" y="{_n(y)}" width="22" height="14" rx="3"/>'
        yield f'<text class="small" x="{_n(x + 29)}" y="{_n(y + 11)}">{meaning}</text></g>'
        x += 50 + len(meaning) * _SANS * 11
    yield f'<path class="edge" d="M{_n(x)} {_n(y + 7)} h26"/>'
    yield f'<text class="small" x="{_n(x + 33)}" y="{_n(y + 11)}">from an input to what is made of it</text>'
    x += 54 + 35 * _SANS * 11
    yield f'<rect class="bar" x="{_n(x)}" y="{_n(y + 5)}" width="26" height="4" rx="2"/>'
    yield f'<text class="small" x="{_n(x + 33)}" y="{_n(y + 11)}">size of a layer beside the largest</text>'


def _lanes(placed: layout.Layout) -> Iterable[str]:
    for lane, box in placed.lanes.items():
        yield f'<rect class="lane" x="0" y="{_n(box.y)}" width="{_n(box.width)}" height="{_n(box.height)}" rx="10"/>'
        if not lane:
            yield (
                f'<text class="small dim" x="{_n(box.width - layout.LANE_PADDING)}" y="{_n(box.y + box.height - 10)}"'
                ' text-anchor="end">what several images need</text>'
            )


def _box(
    picture: Picture, node: Node, texts: tuple[str, str, str, str], box: layout.Box, biggest_layer: int
) -> Iterable[str]:
    state = picture.state(node.address)
    fact = picture.facts.get(node.address, facts.Fact())
    label = escape(description(picture, node))
    yield (
        f'<g class="node {state} kind-{node.kind}" data-address={quoteattr(node.address)} tabindex="0" role="img"'
        f" aria-label={quoteattr(description(picture, node))}>"
    )
    yield f"<title>{label}</title>"
    x, y = box.x, box.y
    yield f'<rect class="box" x="{_n(x)}" y="{_n(y)}" width="{_n(box.width)}" height="{_n(box.height)}" rx="6"/>'
    left = _n(x + _PADDING)
    row = y + 17
    yield f'<text class="text place" x="{left}" y="{_n(row)}">{escape(texts[0])}</text>'
    row += _LINE
    yield f'<text class="name" x="{left}" y="{_n(row)}">{escape(texts[1])}</text>'
    for text in texts[2:]:
        if text:
            row += _LINE
            yield f'<text class="known" x="{left}" y="{_n(row)}">{escape(text)}</text>'
    if node.kind == LAYER and fact.size is not None and biggest_layer:
        full = box.width - 2 * _PADDING
        bottom = _n(y + box.height - 8)
        yield f'<rect class="rail" x="{left}" y="{bottom}" width="{_n(full)}" height="3" rx="1.5"/>'
        part = max(1.5, full * fact.size / biggest_layer)
        yield f'<rect class="bar" x="{left}" y="{bottom}" width="{_n(part)}" height="3" rx="1.5"/>'
    yield "</g>"


def _path(route: layout.Route) -> str:
    """The corners as a line with rounded turns."""
    points = route.points
    parts = [f"M{_n(points[0][0])} {_n(points[0][1])}"]
    for before, corner, after in zip(points, points[1:], points[2:]):
        radius = min(_RADIUS, _distance(before, corner) / 2, _distance(corner, after) / 2)
        parts.append(f"L{_point(_towards(corner, before, radius))}")
        parts.append(f"Q{_point(corner)} {_point(_towards(corner, after, radius))}")
    parts.append(f"L{_point(points[-1])}")
    return " ".join(parts)


def _distance(a: tuple[float, float], b: tuple[float, float]) -> float:
    return math.hypot(a[0] - b[0], a[1] - b[1])


def _towards(start: tuple[float, float], end: tuple[float, float], length: float) -> tuple[float, float]:
    whole = _distance(start, end) or 1.0
    return start[0] + (end[0] - start[0]) * length / whole, start[1] + (end[1] - start[1]) * length / whole


def _point(point: tuple[float, float]) -> str:
    return f"{_n(point[0])} {_n(point[1])}"


def _n(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")


def _style() -> str:
    fonts = (
        ".graph{font-family:system-ui,'Segoe UI','Helvetica Neue',Arial,'DejaVu Sans',sans-serif}"
        ".graph .name,.graph .known{font-family:ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace}"
        ".graph .heading{font-size:19px;font-weight:650}.graph text.text{font-size:12px}"
        f".graph text.place,.graph text.known{{font-size:{_TEXT_SIZE}px}}.graph text.small{{font-size:11px}}"
        f".graph text.name{{font-size:{_NAME_SIZE}px;font-weight:600}}"
        ".graph .edge{fill:none;stroke-width:1.2;marker-end:url(#head)}"
        ".graph .edge.lit{stroke-width:1.8;marker-end:url(#head-lit)}"
        ".graph .box{stroke-width:1}.graph .kind-image .box{stroke-width:2}"
        ".graph .changed .box{stroke-width:2;stroke-dasharray:none}"
        ".graph .node{outline:none}"
    )
    return f"{fonts}{_colours(_LIGHT)}@media (prefers-color-scheme:dark){{{_colours(_DARK)}}}"


def _colours(colours: _Palette) -> str:
    return (
        f".graph .page{{fill:{colours.page}}}.graph .lane{{fill:{colours.lane}}}"
        f".graph text{{fill:{colours.text}}}.graph text.place,.graph text.known,.graph text.dim{{fill:{colours.dim}}}"
        f".graph .box{{fill:{colours.box};stroke:{colours.line}}}"
        f".graph .edge{{stroke:{colours.edge}}}.graph .head{{fill:{colours.edge}}}"
        f".graph .edge.lit{{stroke:{colours.reached_line}}}.graph .head.lit{{fill:{colours.reached_line}}}"
        f".graph .changed .box{{fill:{colours.changed};stroke:{colours.changed_line}}}"
        f".graph .reached .box{{fill:{colours.reached};stroke:{colours.reached_line}}}"
        f".graph .bar{{fill:{colours.bar}}}.graph .rail{{fill:{colours.line};opacity:.35}}"
        f".graph .node:focus .box{{stroke:{colours.text};stroke-width:3}}"
    )
