"""Each image's share of what ships, from the repository's own lists and locks."""

from __future__ import annotations

from pathlib import Path

import pytest

from image_layers.lock import read_lock
from image_layers.shares import share_of
from tests.layers.tool import attempt, run

PYTHON = Path("3rdparty/python").resolve()
PARENTS = {"base": [], "final": ["base"], "extension": ["base", "final"]}


def _select(folder: Path, image: str, parents: list[str]) -> list[str]:
    above = [f"--parent={PYTHON / parent}.lock" for parent in parents]
    outputs = ["--out=own.txt", "--parents-out=parents.txt"]
    run(folder, "select", f"--lock={PYTHON / image}.lock", f"--image={PYTHON / image}.in", *above, *outputs)
    return [line.split()[0] for line in (folder / "own.txt").read_text().splitlines()]


@pytest.fixture()
def shares(tmp_path: Path) -> dict[str, list[str]]:
    return {image: _select(tmp_path, image, parents) for image, parents in PARENTS.items()}


def _locked(lock: Path) -> dict[str, str]:
    return {str(name): str(pin.version) for name, pin in read_lock(lock).items()}


def test_a_childs_layer_holds_nothing_of_its_parents(shares: dict[str, list[str]]) -> None:
    for image, parents in PARENTS.items():
        for parent in parents:
            assert set(shares[image]) & set(shares[parent]) == set(), f"{image} repeats what {parent} has"


@pytest.mark.parametrize("image", PARENTS)
def test_a_lock_holds_what_the_images_lists_ask_for_and_all_that_needs(image: str) -> None:
    """Nothing more: who asked for each is written beside it."""
    images = [*PARENTS[image], image]
    pins = {name: pin for each in images for name, pin in read_lock(PYTHON / f"{each}.lock").items()}
    assert share_of(pins, [PYTHON / f"{each}.in" for each in images]) == set(pins)


def test_a_child_is_told_just_what_its_parents_have(tmp_path: Path, shares: dict[str, list[str]]) -> None:
    _select(tmp_path, "extension", PARENTS["extension"])
    listed = (tmp_path / "parents.txt").read_text().splitlines()
    assert listed == sorted([*shares["base"], *shares["final"]])


def test_every_pin_of_a_share_has_the_hashes_of_the_lock(tmp_path: Path) -> None:
    _select(tmp_path, "base", [])
    pins = {str(name): pin for name, pin in read_lock(PYTHON / "base.lock").items()}
    for line in (tmp_path / "own.txt").read_text().splitlines():
        assert line == pins[line.partition("==")[0]].as_requirement()


def test_code_is_tested_with_the_versions_that_ship() -> None:
    """The two locks are of two resolves; what they share, they share in version."""
    shipped = {name: version for image in PARENTS for name, version in _locked(PYTHON / f"{image}.lock").items()}
    tested = _locked(PYTHON / "workspace.lock")
    shared = shipped.keys() & tested.keys()
    assert "scikit-learn" in shared
    assert {name: tested[name] for name in shared} == {name: shipped[name] for name in shared}


@pytest.mark.parametrize("image", ["base", "extension"])
def test_another_scikit_learn_than_the_image_asks_for_is_named(tmp_path: Path, image: str) -> None:
    lock = tmp_path / "changed.lock"
    text = (PYTHON / "base.lock").read_text()
    assert text.count("\nscikit-learn==0.23.2 ") == 1
    lock.write_text(text.replace("\nscikit-learn==0.23.2 ", "\nscikit-learn==0.24.0 "))
    wanted = PYTHON / f"{image}.in"
    locks = [f"--lock={lock}"] if image == "base" else [f"--lock={PYTHON / image}.lock", f"--parent={lock}"]
    done = attempt(tmp_path, "select", *locks, f"--image={wanted}", "--out=own.txt")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"image_layers select: {wanted} asks for `scikit-learn==0.23.2`, but {lock} has scikit-learn 0.24.0. "
        "Put the version back, or change the list and lock again; 3rdparty/README.md says how.\n"
    )
    assert not (tmp_path / "own.txt").exists()
