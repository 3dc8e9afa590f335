"""Whose share of a resolve a pin is, and the lock that each image gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from image_layers.lock import read_lock
from image_layers.shares import share_of, split

LOCK = """\
alpha==1.0 \\
    --hash=sha256:aa \\
    --hash=sha256:ab
    # via -r one.in
beta-lib==2.0rc1 \\
    --hash=sha256:ba
    # via
    #   -r two.in
    #   alpha
gamma==3.0 --hash=sha256:ca
    # via
    #   beta-lib
    #   delta
delta==4.0 \\
    --hash=sha256:da
    # via
    #   -r two.in
"""


@pytest.fixture()
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "images.lock"
    path.write_text(LOCK)
    return path


def test_a_share_is_what_a_list_asks_for_and_all_that_needs(lock: Path) -> None:
    pins = read_lock(lock)
    assert share_of(pins, [Path("some/one.in")]) == {"alpha", "beta-lib", "gamma"}
    assert share_of(pins, [Path("two.in")]) == {"beta-lib", "gamma", "delta"}
    assert share_of(pins, [Path("one.in"), Path("two.in")]) == set(pins)
    assert share_of(pins, []) == set()


def test_two_distributions_that_need_each_other_are_one_share(lock: Path) -> None:
    text = "a==1 --hash=sha256:aa\n    # via\n    #   -r one.in\n    #   b\nb==1 --hash=sha256:bb\n    # via a\n"
    lock.write_text(text)
    assert share_of(read_lock(lock), [Path("one.in")]) == {"a", "b"}


def test_each_image_gets_what_those_below_it_do_not_have(lock: Path) -> None:
    """A later image's wishes do not show in the lock of an earlier one: a change of theirs must not reach it."""
    one, two = split(lock, [Path("one.in"), Path("two.in")])
    assert one == (
        "alpha==1.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:ab\n    # via\n    #   -r one.in\n"
        "beta-lib==2.0rc1 \\\n    --hash=sha256:ba\n    # via\n    #   alpha\n"
        "gamma==3.0 --hash=sha256:ca\n    # via\n    #   beta-lib\n"
    )
    assert two == "delta==4.0 \\\n    --hash=sha256:da\n    # via\n    #   -r two.in\n"


def test_what_was_split_can_be_read_again(tmp_path: Path, lock: Path) -> None:
    texts = split(lock, [Path("one.in"), Path("two.in")])
    lock.write_text("".join(texts))
    assert split(lock, [Path("one.in"), Path("two.in")]) == texts
