"""Whole bills, written by the program as the build starts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests.support.wheels import build_wheel, locked, sha256_of

MTIME = "1767225600"
# Of this process, and absolute since commands run in other directories.
PYTHONPATH = os.pathsep.join(os.path.abspath(entry) for entry in sys.path)
PARENT = ["--image=below:1", "--lock=all.lock", "--list=below.in", "--wheels=below"]
CHILD = ["--image=above:2", "--lock=all.lock", "--list=above.in", "--wheels=above", "--parent=below.json"]


def _attempt(cwd: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": PYTHONPATH, "PYTHONHASHSEED": "0", "SOURCE_DATE_EPOCH": MTIME, **environ}
    command = [sys.executable, "-B", "-W", "error", "-m", "image_sbom", *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)


def _bill(cwd: Path, arguments: list[str], name: str, **environ: str) -> dict[str, Any]:
    done = _attempt(cwd, *arguments, f"--out={name}.json", f"--licences-out={name}.txt", **environ)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    bill: dict[str, Any] = json.loads((cwd / f"{name}.json").read_text(encoding="utf-8"))
    return bill


@pytest.fixture()
def folder(tmp_path: Path) -> Path:
    """Wheels of two images, their lists, and the lock they come from: `gamma` needs `alpha`, which its parent has, and
    says itself that it needs `omega`, which was excluded; it was built."""
    alpha = build_wheel(tmp_path / "below", "alpha", {"alpha.py": ""}, headers=["License: MIT"])
    beta = build_wheel(tmp_path / "above", "beta_x", {"beta.py": ""}, headers=["License: Apache-2.0 OR MIT"])
    declared = ["alpha (>=0.1<2)", "omega>=1", "sigma; extra == 'more'"]
    build_wheel(
        tmp_path / "above", "gamma", {"gamma.py": ""}, version="2.5", headers=["License: Ours é"], requires=declared
    )
    (tmp_path / "below.in").write_text("alpha\n", encoding="utf-8")
    (tmp_path / "above.in").write_text("gamma\n", encoding="utf-8")
    (tmp_path / "all.lock").write_text(
        locked(alpha, "alpha==1.0", "-r below.in", "gamma")
        + locked(beta, "beta-x==1.0", "gamma")
        + f"gamma==2.5 --hash=sha256:{'ab' * 32}\n    # via -r above.in\n",
        encoding="utf-8",
    )
    return tmp_path


def _components(bill: dict[str, Any]) -> list[str]:
    return [component["bom-ref"] for component in bill["components"]]


def _needs(bill: dict[str, Any]) -> dict[str, list[str]]:
    return {item["ref"]: item.get("dependsOn", []) for item in bill["dependencies"]}


def test_the_layers_that_libraries_are_split_into_make_no_difference(folder: Path) -> None:
    _bill(folder, PARENT, "below")
    whole = _bill(folder, CHILD, "above")
    (folder / "more").mkdir()
    [wheel] = (folder / "above").glob("beta*.whl")
    wheel.rename(folder / "more" / wheel.name)
    assert _bill(folder, [*CHILD, "--wheels=more"], "split") == whole
    assert (folder / "split.json").read_bytes() == (folder / "above.json").read_bytes()


def test_a_child_has_what_its_parent_has_and_its_own(folder: Path) -> None:
    below, above = _bill(folder, PARENT, "below"), _bill(folder, [*CHILD, "--own=our_own==3"], "above")
    assert _components(below) == ["pkg:pypi/alpha@1.0"]
    assert sorted(_components(above)) == [
        "pkg:pypi/alpha@1.0",
        "pkg:pypi/beta-x@1.0",
        "pkg:pypi/gamma@2.5",
        "pkg:pypi/our-own@3",
    ]
    assert _needs(below) == {"below:1": ["pkg:pypi/alpha@1.0"], "pkg:pypi/alpha@1.0": []}
    # What our own distribution needs is not known here, and so not said.
    assert _needs(above) == {
        "above:2": ["pkg:pypi/alpha@1.0", "pkg:pypi/gamma@2.5", "pkg:pypi/our-own@3"],
        "pkg:pypi/alpha@1.0": [],
        "pkg:pypi/beta-x@1.0": [],
        "pkg:pypi/gamma@2.5": ["pkg:pypi/alpha@1.0", "pkg:pypi/beta-x@1.0"],
    }
    image = above["metadata"]["component"]
    assert (image["type"], image["name"], image["version"]) == ("container", "above", "2")
    assert [item["bom-ref"] for item in image["pedigree"]["ancestors"]] == ["below:1"]


def test_hashes_are_those_of_the_archives_that_were_used(folder: Path) -> None:
    _bill(folder, PARENT, "below")
    found = {component["name"]: component for component in _bill(folder, CHILD, "above")["components"]}
    [wheel] = (folder / "above").glob("beta_x-*.whl")
    assert found["beta_x"]["hashes"] == [{"alg": "SHA-256", "content": sha256_of(wheel)}]
    # Built here from the registry's source archive: the wheel's own bytes are nobody's to compare.
    assert "hashes" not in found["gamma"]
    [source] = found["gamma"]["externalReferences"]
    assert (source["type"], source["hashes"]) == ("source-distribution", [{"alg": "SHA-256", "content": "ab" * 32}])


def test_licences_of_all_that_is_in_the_image(folder: Path) -> None:
    _bill(folder, PARENT, "below")
    _bill(folder, [*CHILD, "--own=our_own==3"], "above")
    assert (folder / "below.txt").read_text() == "MIT\n"
    assert (folder / "above.txt").read_text() == "(Apache-2.0 OR MIT) AND LicenseRef-Ours AND MIT\n"


def test_a_bill_is_valid(folder: Path) -> None:
    _bill(folder, PARENT, "below")
    _bill(folder, [*CHILD, "--own=our_own==3"], "above")
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    for name in ("below", "above"):
        assert validator.validate_str((folder / f"{name}.json").read_text(encoding="utf-8")) is None
    spoilt = (folder / "above.json").read_text(encoding="utf-8").replace('"container"', '"box"')
    assert validator.validate_str(spoilt) is not None


def test_the_same_content_gives_the_same_bytes(folder: Path) -> None:
    for seed, name in (("1", "first"), ("2", "second")):
        _bill(folder, PARENT, "below", PYTHONHASHSEED=seed)
        _bill(folder, CHILD, name, PYTHONHASHSEED=seed, TZ="Asia/Tokyo" if seed == "2" else "UTC")
    assert (folder / "first.json").read_bytes() == (folder / "second.json").read_bytes()
    assert (folder / "first.txt").read_bytes() == (folder / "second.txt").read_bytes()


def test_other_content_has_another_serial_number(folder: Path) -> None:
    first, second = _bill(folder, PARENT, "first"), _bill(folder, [*PARENT, "--own=ours==1"], "second")
    assert first["serialNumber"].startswith("urn:uuid:")
    assert first["serialNumber"] != second["serialNumber"]
    assert first["metadata"]["timestamp"] == "2026-01-01T00:00:00+00:00"


def test_what_other_images_lock_does_not_show(folder: Path) -> None:
    _bill(folder, PARENT, "first")
    lock = folder / "all.lock"
    delta = f"delta==1 --hash=sha256:{'cd' * 32}\n    # via -r above.in\n"
    text = lock.read_text(encoding="utf-8").replace("gamma==2.5", "gamma==2.6")
    # An own library that a child's list asks for, too.
    lock.write_text(delta + text.replace("#   gamma", "#   gamma\n    #   -r above.in"), encoding="utf-8")
    _bill(folder, PARENT, "second")
    assert (folder / "first.json").read_bytes() == (folder / "second.json").read_bytes()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (("gamma==2.5", "gamma==2.6"), "above/gamma-2.5-py3-none-any.whl is gamma 2.5, but all.lock has gamma 2.6."),
        (("gamma==2.5", "delta==2.5"), "above/gamma-2.5-py3-none-any.whl is gamma 2.5, but all.lock has no gamma."),
        (("alpha==1.0", "other==1.0"), "gamma needs other by the lock, which neither the image nor its parents have."),
    ],
)
def test_a_lock_that_disagrees_is_named(folder: Path, changed: tuple[str, str], said: str) -> None:
    _bill(folder, PARENT, "below")
    lock = folder / "all.lock"
    lock.write_text(lock.read_text(encoding="utf-8").replace(*changed), encoding="utf-8")
    done = _attempt(folder, *CHILD, "--out=above.json", "--licences-out=above.txt")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"image_sbom above:2: {said} ")
    assert done.stderr.count("\n") == 1
    assert not (folder / "above.json").exists()


def test_a_file_that_is_no_wheel_of_one_distribution_is_named(folder: Path) -> None:
    build_wheel(folder / "below", "twice", {"other-1.dist-info/METADATA": "Name: other\n"})
    done = _attempt(folder, *PARENT, "--out=below.json", "--licences-out=below.txt")
    assert done.returncode == 1
    assert "below/twice-1.0-py3-none-any.whl: it has 2 files *.dist-info/METADATA" in done.stderr


def test_the_time_is_never_the_clocks(folder: Path) -> None:
    done = _attempt(folder, *PARENT, "--out=below.json", "--licences-out=below.txt", SOURCE_DATE_EPOCH="now")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("image_sbom below:1: SOURCE_DATE_EPOCH is 'now'; ")


def test_what_a_library_declares_and_an_image_below_has_is_in_the_graph(folder: Path) -> None:
    """Each image may have a lock of its own, which does not say what is needed of others."""
    _bill(folder, PARENT, "below")
    lock = folder / "all.lock"
    lock.write_text(lock.read_text(encoding="utf-8").replace("    #   gamma\n", "", 1), encoding="utf-8")
    needs = _needs(_bill(folder, CHILD, "above"))
    assert "pkg:pypi/alpha@1.0" in needs["pkg:pypi/gamma@2.5"]
