"""What a lock pins, and whether it is what a list asks for."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from image_layers.errors import LayerError
from image_layers.lock import Pin, check_against, read_lock, read_requirements

LOCK = """\
# This file was written by a resolver.
alpha==1.0 \\
    --hash=sha256:aa \\
    --hash=sha256:ab
    # via -r one.in
Beta_Lib==2.0rc1 \\
    --hash=sha256:ba
    # via
    #   -c other.lock
    #   -r two.in
    #   alpha
gamma==3.0 --hash=sha256:ca
    # via Beta.Lib
delta==4.0 \\
    --hash=sha256:da
    # via
    #   -r two.in
"""


@pytest.fixture()
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "runtime.lock"
    path.write_text(LOCK)
    return path


def _list(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_pin_has_a_normal_name_its_version_every_hash_and_who_asked_for_it(lock: Path) -> None:
    pins = read_lock(lock)
    assert list(pins) == ["alpha", "beta-lib", "gamma", "delta"]
    assert pins[canonicalize_name("alpha")] == Pin(
        canonicalize_name("alpha"), Version("1.0"), ("sha256:aa", "sha256:ab"), frozenset({"-r one.in"})
    )
    assert pins[canonicalize_name("beta-lib")].via == {"-c other.lock", "-r two.in", "alpha"}
    assert pins[canonicalize_name("gamma")] == Pin(
        canonicalize_name("gamma"), Version("3.0"), ("sha256:ca",), frozenset({"beta-lib"})
    )


def test_a_pin_is_written_as_pip_reads_it(lock: Path) -> None:
    pins = read_lock(lock)
    assert pins[canonicalize_name("alpha")].as_requirement() == "alpha==1.0 --hash=sha256:aa --hash=sha256:ab"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("alpha>=1.0 --hash=sha256:aa", "alpha>=1.0"),
        ("alpha==1.0", "alpha==1.0"),
        ("--index-url=somewhere", "--index-url=somewhere"),
    ],
)
def test_a_line_without_one_version_and_a_hash_is_named(tmp_path: Path, line: str, shown: str) -> None:
    lock = _list(tmp_path, "bad.lock", f"{line}\n    # via -r one.in\n")
    with pytest.raises(LayerError) as caught:
        read_lock(lock)
    assert str(caught.value) == (
        f"{lock}: '{shown}' is not a pinned and hashed requirement (NAME==VERSION --hash=...). "
        "Lock again; 3rdparty/README.md says how."
    )


def test_comments_of_a_list_are_no_requirements(tmp_path: Path) -> None:
    wanted = _list(tmp_path, "one.in", "# Why.\n\nalpha>=1  # and why\nbeta-lib[extra]<3\n")
    assert [str(item) for item in read_requirements(wanted)] == ["alpha>=1", "beta-lib[extra]<3"]


def test_a_list_that_the_lock_was_made_from_passes(tmp_path: Path, lock: Path) -> None:
    check_against({lock: read_lock(lock)}, _list(tmp_path, "two.in", "beta-lib>=2.0rc1\nDelta==4.0\n"))


def test_a_version_that_the_list_does_not_allow_is_named_with_both_files(tmp_path: Path, lock: Path) -> None:
    wanted = _list(tmp_path, "one.in", "alpha==1.1\n")
    with pytest.raises(LayerError) as caught:
        check_against({lock: read_lock(lock)}, wanted)
    assert str(caught.value) == (
        f"{wanted} asks for `alpha==1.1`, but {lock} has alpha 1.0. "
        "Put the version back, or change the list and lock again; 3rdparty/README.md says how."
    )


def test_a_distribution_that_the_lock_lacks_is_named_with_both_files(tmp_path: Path, lock: Path) -> None:
    wanted = _list(tmp_path, "one.in", "omega\n")
    with pytest.raises(LayerError) as caught:
        check_against({lock: read_lock(lock)}, wanted)
    assert str(caught.value) == (
        f"{wanted} asks for `omega`, but {lock} has no omega. "
        "Put the version back, or change the list and lock again; 3rdparty/README.md says how."
    )


def test_what_an_image_below_has_satisfies_the_list(tmp_path: Path, lock: Path) -> None:
    own = _list(tmp_path, "own.lock", "omega==1 --hash=sha256:oo\n    # via -r three.in\n")
    locks = {own: read_lock(own), lock: read_lock(lock)}
    check_against(locks, _list(tmp_path, "three.in", "omega\nalpha>=1\n"))
    with pytest.raises(LayerError) as caught:
        check_against(locks, _list(tmp_path, "three.in", "omega\nalpha>=2\n"))
    assert f"asks for `alpha>=2`, but {lock} has alpha 1.0. " in str(caught.value)
