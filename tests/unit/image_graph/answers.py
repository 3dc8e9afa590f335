"""Small answers of `peek`, and random ones."""

from __future__ import annotations

from typing import Any, Iterable

from hypothesis import strategies as st

from image_graph import model
from image_graph.targets import Targets


def target(address: str, kind: str, *needs: str, **fields: Any) -> dict[str, Any]:
    """One entry as `peek` prints it."""
    return {"address": address, "target_type": kind, "dependencies": list(needs), **fields}


def file(address: str, path: str, kind: str = "file") -> dict[str, Any]:
    """An entry with one file."""
    return target(address, kind, sources=[path])


def chain() -> list[dict[str, Any]]:
    """Two images, one on the other, with all kinds of targets below them."""
    return [
        target("app:image", "docker_image", "app:code-layer", "os:image", repository="app", image_tags=["1", "2"]),
        target("os:image", "docker_image", "os:os-layer", repository="os", image_tags=["1"]),
        target("os:os-layer", "adhoc_tool", "os/list.txt:lists", runnable="tools:tool", output_files=["os-layer.tar"]),
        target("app:code-layer", "adhoc_tool", "app:wheels", runnable="tools:tool", output_files=["code-layer.tar"]),
        target("app:wheels", "adhoc_tool", "src:wheel", "locks:lock", runnable="//tools:tool"),
        target(
            "src:wheel", "python_distribution", "src/one/a.py", "src/two/deep/c.py:../two", provides={"name": "code"}
        ),
        target("src/one:one", "python_sources", "src/one/a.py", "src/one/b.py"),
        target("src/one/a.py", "python_source", "src/one/b.py", "locks:reqs#lib", sources=["src/one/a.py"]),
        target("src/one/b.py", "python_source", sources=["src/one/b.py"]),
        target("src/two:two", "python_sources", "src/two/deep/c.py:../two"),
        target("src/two/deep/c.py:../two", "python_source", "src/one/b.py", sources=["src/two/deep/c.py"]),
        target("tools:tool", "pex_binary", "tools/main.py"),
        target("tools:tools", "python_sources", "tools/main.py"),
        target("tools/main.py", "python_source", sources=["tools/main.py"]),
        target("os:lists", "files", "os/list.txt:lists", sources=["os/list.txt"]),
        file("os/list.txt:lists", "os/list.txt"),
        file("locks:lock", "locks/runtime.lock"),
        target("locks:reqs", "python_requirements", "locks:reqs#lib", sources=["locks/reqs.txt"]),
        target("locks:reqs#lib", "python_requirement", "locks/reqs.txt:reqs"),
        file("locks/reqs.txt:reqs", "locks/reqs.txt", "_generator_sources_helper"),
        target("tests/test_a.py", "python_test", "src/one/a.py", sources=["tests/test_a.py"]),
        target("tests:tests", "python_tests", "tests/test_a.py", sources=["tests/test_a.py"]),
        target("tests/test_app.py", "python_test", "app:image", sources=["tests/test_app.py"]),
        file("docs:readme", "docs/README.md"),
    ]


def built(answer: Iterable[dict[str, Any]]) -> model.Model:
    """The model of an answer."""
    return model.build(Targets(answer))


@st.composite
def answers(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Images on each other or not, steps and files below them in any order, some in circles as Python's may be."""
    others = [f"o{number:02}:{'n' * draw(st.integers(1, 60))}" for number in range(draw(st.integers(0, 14)))]
    images = [f"i{number}:image" for number in range(draw(st.integers(1, 5)))]
    found = []
    for place, address in enumerate(others):
        kind = draw(
            st.sampled_from(["adhoc_tool", "file", "python_source", "python_distribution", "python_requirement"])
        )
        # Python's files may need each other in circles; an image may be an input of a step.
        pool = [other for other in others if other != address] if kind == "python_source" else others[:place]
        needs = draw(st.lists(st.sampled_from(pool + images[:1]), max_size=4, unique=True))
        found.append(target(address, kind, *needs))
    for place, address in enumerate(images):
        pool = others + images[:place]
        needs = draw(st.lists(st.sampled_from(pool), max_size=6, unique=True)) if pool else []
        found.append(target(address, "docker_image", *needs, repository=f"r{place}", image_tags=["1"]))
    return found
