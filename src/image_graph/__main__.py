"""Writes the graph of the images as a picture and as a page: `./pants run docker:graph`.

    ./pants run docker:graph                       what differs from where this branch left origin/main, in colour
    ./pants run docker:graph -- --since=HEAD~3     what differs from that revision
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Sequence

from image_graph import drawing, engine, facts, model, page, pants, reach, revision
from image_graph.errors import GraphError


def main(arguments: Sequence[str]) -> int:
    """0 when both files were written; otherwise 1, and the reason is on standard error."""
    parser = argparse.ArgumentParser(prog="graph", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--since", metavar="REVISION", help="compare the working tree with this (git's notation)")
    parser.add_argument("--out", metavar="FOLDER", help="where to write graph.svg and graph.html (default: dist)")
    options = parser.parse_args(arguments)
    try:
        root = _root(Path.cwd())
        picture = look(root, options.since)
        folder = root / (options.out or "dist")
        svg = drawing.draw(picture)
        for name, text in (("graph.svg", svg), ("graph.html", page.write(picture, svg))):
            print(f"wrote {_write(folder / name, text)}")
    except GraphError as error:
        print(f"graph: {error}", file=sys.stderr)
        return 1
    for remark in picture.remarks:
        print(f"graph: {remark}", file=sys.stderr)
    print(picture.summary())
    return 0


def look(root: Path, since: str | None) -> drawing.Picture:
    """Ask git, Pants and the engine for all that the picture shows.

    Args:
        root: Top of the repository.
        since: Revision to compare with, or None for the usual one.

    Raises:
        GraphError: the revision does not exist, or Pants cannot answer.
    """
    remarks = []
    comparison = None
    try:
        comparison = revision.compare(root, since)
        compared = comparison.described
        remarks += [comparison.remark] if comparison.remark else []
    except revision.NoGitError as error:
        compared = f"Changes are not shown: {error}."
        remarks.append(compared)
    answers = pants.ask(root, comparison.since if comparison else None)
    images = model.build(answers.targets)
    if not images.images:
        raise GraphError(
            f"drawing the images of {root} failed: Pants knows no target of type `docker_image` there.\n"
            "Look at `./pants list ::`; the backend `pants.backend.docker` brings that type."
        )
    held: Sequence[engine.HeldImage] = ()
    try:
        held = engine.held_images([facts.names_of(images.nodes[image])[0] for image in images.images])
    except engine.NoEngineError as error:
        remarks.append(
            f"Image ids, digests and sizes of layers are not shown, since no Docker engine answered: {error}"
        )
    reached = reach.reach(answers.targets, comparison.files, answers.changed or ()) if comparison else None
    return drawing.Picture(images, facts.gather(images, held, root / "dist"), reached, compared, remarks)


def _root(here: Path) -> Path:
    for folder in (here, *here.parents):
        if (folder / "pants.toml").is_file():
            return folder
    raise GraphError(
        f"drawing the images failed: {here} is in no Pants repository: no `pants.toml` there or above.\n"
        "Start it as `./pants run docker:graph`."
    )


def _write(path: Path, text: str) -> str:
    """Write a file as a whole or not at all; its path as the caller would write it."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        raise GraphError(
            f"writing {path} failed: {error}.\nName a folder that can be written: `-- --out=FOLDER`."
        ) from error
    return os.path.relpath(path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
