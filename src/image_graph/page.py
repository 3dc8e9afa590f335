"""The picture as a web page that needs nothing else: what it shows in words, and boxes that show what they touch."""

from __future__ import annotations

import json
from html import escape
from importlib import resources
from typing import Iterable, Sequence

from image_graph import drawing, facts, words
from image_graph.drawing import Picture
from image_graph.model import IMAGE, LAYER, Node
from image_graph.reach import Reach


def write(picture: Picture, svg: str) -> str:
    """The HTML document.

    Args:
        picture: What is shown.
        svg: Its drawing.
    """
    style, script = (resources.read_text(__package__, name) for name in ("page.css", "page.js"))
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        # The page asks nobody for anything, whatever is in it.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline';"
        " script-src 'unsafe-inline'; img-src data:\">",
        '<link rel="icon" href="data:,">',
        "<title>Images, layers and what they are made from</title>",
        f"<style>\n{style}</style>",
        "</head>",
        "<body>",
        "<main>",
        f'<div class="picture">\n{svg}</div>',
        '<div id="details" aria-live="polite">',
        '<p class="dim">Point at a box, or go to one with the Tab key, to see what it is made from and what is made'
        " from it. The arrow keys go on to what lies left and right of it. A click or Enter keeps it, Escape lets go."
        "</p>",
        "</div>",
        *_change(picture),
        *_layers(picture),
        *_remarks(picture),
        "</main>",
        f'<script type="application/json" id="facts">{_data(picture)}</script>',
        f"<script>\n{script}</script>",
        "</body>",
        "</html>",
    ]
    return "\n".join(parts) + "\n"


def _change(picture: Picture) -> Iterable[str]:
    yield '<section id="change"><h2>What the working tree changes</h2>'
    yield f"<p>{escape(picture.summary())}</p>"
    if picture.reach and picture.reach.files:
        yield '<div class="scroll"><table><thead><tr><th>Changed file</th><th>Targets that hold it</th>'
        yield "<th>Images that reaches</th><th>Tests</th></tr></thead><tbody>"
        for file in picture.reach.files:
            owners = _codes(file.defined) or '<span class="dim">none: nothing is built or tested from it</span>'
            yield f"<tr><td><code>{escape(file.path)}</code></td><td>{owners}</td>"
            yield f'<td>{_codes(file.images) or "none"}</td><td class="number">{len(file.tests)}</td></tr>'
        yield "</tbody></table></div>"
        yield from _lists(picture.reach)
    yield "</section>"


def _lists(reach: Reach) -> Iterable[str]:
    rest = sorted(reach.reached - {*reach.images, *reach.tests})
    for identity, title, addresses in (
        ("images", "Images that are built anew", reach.images),
        ("tests", "Tests that run", reach.tests),
        ("targets", "Other targets that it reaches", rest),
    ):
        opened = " open" if identity == "images" else ""
        yield f'<details id="reached-{identity}"{opened}><summary>{title}: {len(addresses)}</summary>'
        items = "".join(f"<li><code>{escape(address)}</code></li>" for address in addresses)
        yield f'<ul class="columns">{items}</ul></details>'


def _layers(picture: Picture) -> Iterable[str]:
    yield '<section id="layers"><h2>Images and their layers</h2><div class="scroll"><table><thead><tr><th>Image</th>'
    yield "<th>Layer</th><th>Size</th><th>Digest or id</th><th>Working tree</th></tr></thead><tbody>"
    for image in reversed(picture.model.images):
        rows = [image, *(a for a in picture.model.inputs[image] if picture.model.nodes[a].kind == LAYER)]
        for address in rows:
            node, fact = picture.model.nodes[address], picture.facts.get(address, facts.Fact())
            size = words.size(fact.size) if fact.size is not None else escape(fact.remark)
            state = picture.state(address)
            first = f"<strong>{escape(drawing.lines_of(picture, node)[1])}</strong>" if node.kind == IMAGE else ""
            yield f'<tr><td>{first}</td><td>{"" if node.kind == IMAGE else escape(node.name)}</td>'
            yield f'<td class="number">{size}</td><td><code>{escape(fact.digest)}</code></td>'
            yield f'<td><span class="badge {state}">{state}</span></td></tr>'
    yield "</tbody></table></div>"
    yield '<p class="dim">Sizes are bytes of the unpacked files, as the engine counts them. Images are those that have'
    yield " the tags in the engine now: what is changed or reached here may differ from them until it is built.</p>"
    yield "</section>"


def _remarks(picture: Picture) -> Iterable[str]:
    if picture.remarks:
        yield '<section id="remarks"><h2>What is missing</h2><ul>'
        yield from (f"<li>{escape(remark)}</li>" for remark in picture.remarks)
        yield "</ul></section>"


def _codes(addresses: Sequence[str]) -> str:
    return "<br>".join(f"<code>{escape(address)}</code>" for address in addresses)


def _data(picture: Picture) -> str:
    entries = {}
    for address, node in picture.model.nodes.items():
        entries[address] = {
            "title": f"{node.kind} {address}",
            "state": picture.state(address),
            "rows": _rows(picture, node),
            "inputs": picture.model.inputs[address],
            "outputs": picture.model.outputs[address],
        }
    # No text in it may end the element that it lies in.
    return json.dumps(entries, sort_keys=True).replace("<", "\\u003c")


def _rows(picture: Picture, node: Node) -> list[tuple[str, str]]:
    fact = picture.facts.get(node.address, facts.Fact())
    rows = [
        ("Size", words.size(fact.size) + f" ({fact.size:,} bytes)" if fact.size is not None else ""),
        ("Id" if node.kind == IMAGE else "Digest", fact.digest),
        ("Tags", ", ".join(fact.tags)),
        ("State", fact.remark),
        ("Changed", ", ".join(_changed_files(picture, node))),
        ("Files", _some(node.files)),
        ("Targets", _some(node.members) if node.members != (node.address,) else ""),
    ]
    return [(term, text) for term, text in rows if text]


def _changed_files(picture: Picture, node: Node) -> list[str]:
    files = picture.reach.files if picture.reach else ()
    return [file.path for file in files if set(node.members) & set(file.owners)]


def _some(names: Sequence[str], most: int = 12) -> str:
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
