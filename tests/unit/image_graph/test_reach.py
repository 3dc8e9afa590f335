"""What a change reaches."""

from __future__ import annotations

from image_graph.reach import Reach, reach
from image_graph.targets import Targets
from tests.unit.image_graph.answers import chain


def test_a_file_reaches_all_that_is_made_from_it() -> None:
    found = reach(Targets(chain()), ["src/one/a.py"], ["src/one/a.py"])
    assert found.changed == {"src/one/a.py"}
    assert found.reached == {
        "src:wheel",
        "app:wheels",
        "app:code-layer",
        "app:image",
        "tests/test_a.py",
        "tests/test_app.py",
        "tests:tests",
    }
    assert found.images == ("app:image",)
    assert found.tests == ("tests/test_a.py", "tests/test_app.py")


def test_a_changed_tool_reaches_all_that_it_makes() -> None:
    found = reach(Targets(chain()), ["tools/main.py"], ["tools/main.py"])
    assert found.images == ("app:image", "os:image")


def test_each_file_has_its_own_reach() -> None:
    files = ["docs/README.md", "os/list.txt", "src/one/b.py", "unowned.txt"]
    changed = ["docs:readme", "os/list.txt:lists", "src/one/b.py"]
    readme, packages, code, unowned = reach(Targets(chain()), files, changed).files
    assert (readme.owners, readme.images, readme.tests) == (("docs:readme",), (), ())
    assert packages.defined == ("os:lists",)
    assert packages.images == ("app:image", "os:image")
    assert code.images == ("app:image",)
    assert code.tests == ("tests/test_a.py", "tests/test_app.py")
    assert (unowned.owners, unowned.images, unowned.tests) == ((), (), ())


def test_a_build_file_stands_for_the_targets_that_it_defines() -> None:
    changed = ["os:image", "os:os-layer", "os:lists", "os/list.txt:lists", "src/one/a.py"]
    (build,) = reach(Targets(chain()), ["os/BUILD"], changed).files
    assert build.owners == ("os/list.txt:lists", "os:image", "os:lists", "os:os-layer")


def test_a_sibling_of_what_changed_is_not_reached() -> None:
    found = reach(Targets(chain()), ["src/one/a.py"], ["src/one/a.py"])
    assert not {"src/one/b.py", "src/one:one"} & (found.reached | found.changed)


def test_nothing_changed_reaches_nothing() -> None:
    found = reach(Targets(chain()), [], [])
    assert found == Reach((), frozenset(), frozenset(), (), ())
