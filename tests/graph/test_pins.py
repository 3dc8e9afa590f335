"""Facts that must be named in two places are the same in both."""

from __future__ import annotations

import re
from pathlib import Path

from packaging.utils import NormalizedName, canonicalize_name

from image_layers.lock import Pin, read_lock, read_requirements

PYTHON = Path("3rdparty/python")
IMAGES = Path("docker/0.23-1")
LOCKED_IMAGES = ("base", "final", "extension")
FRAMEWORK = "scikit-learn"


def _exact_pin(requirements: Path, name: str) -> str:
    [requirement] = [item for item in read_requirements(requirements) if item.name == name]
    assert str(requirement.specifier).startswith("==")
    return str(requirement.specifier)[2:]


def _shipped() -> dict[NormalizedName, Pin]:
    return {name: pin for image in LOCKED_IMAGES for name, pin in read_lock(PYTHON / f"{image}.lock").items()}


def _tags(image: str) -> list[str]:
    [tags] = re.findall(r"image_tags=\[(.*?)\]", (IMAGES / image / "BUILD").read_text(encoding="utf-8"), re.S)
    return re.findall(r'"([^"]+)"', tags)


def test_framework_version_is_the_same_in_list_lock_and_extension() -> None:
    """L-12, L-14."""
    locked = str(_shipped()[canonicalize_name(FRAMEWORK)].version)
    assert locked == _exact_pin(PYTHON / "base.in", FRAMEWORK) == _exact_pin(PYTHON / "extension.in", FRAMEWORK)


def test_image_version_is_the_frameworks() -> None:
    """L-09, L-15: folder, tags and environment follow from the pin."""
    framework = _exact_pin(PYTHON / "base.in", FRAMEWORK)
    version = IMAGES.name
    assert version.partition("-")[0] == framework.rpartition(".")[0]
    for image in ("foundation", "base", "final"):
        assert _tags(image) == [f"{version}-cpu-py3"]
    dockerfile = (IMAGES / "final/Dockerfile.cpu").read_text(encoding="utf-8")
    assert f"SAGEMAKER_SKLEARN_VERSION={version} " in dockerfile


def test_extension_tags_name_the_library_in_the_lock() -> None:
    """L-15."""
    library = _shipped()[canonicalize_name("sagemaker-scikit-learn-extension")].version
    own, of_library = "0.2-1-cpu-py3", f"{library.major}.{library.minor}-1-cpu-py3"
    assert _tags("extension") == [own, of_library, f"extension-{own}", f"extension-{of_library}"]


def test_everything_that_ships_is_locked_for_the_interpreter_that_ships() -> None:
    """L-12."""
    [constraint] = re.findall(
        r'^interpreter_constraints = \["CPython==(.*)\.\*"\]', Path("pants.toml").read_text(encoding="utf-8"), re.M
    )[:1]
    [shipped] = re.findall(r'^SHIPPED_PYTHON = "(.*)"', (PYTHON / "lock.py").read_text(encoding="utf-8"), re.M)
    assert shipped == constraint


def test_the_launcher_installs_the_pants_that_the_tree_asks_for() -> None:
    """One version of Pants, whoever starts it."""
    [asked] = re.findall(r'^pants_version = "(.*)"', Path("pants.toml").read_text(encoding="utf-8"), re.M)
    assert _exact_pin(PYTHON / "pants.in", "pantsbuild.pants") == asked


def test_workspace_and_tools_run_the_versions_that_ship() -> None:
    """What is tested is what ships."""
    shipped = _shipped()
    for lock in ("workspace", "pytest", "setuptools"):
        for name, pin in read_lock(PYTHON / f"{lock}.lock").items():
            if name in shipped:
                assert (lock, name, pin.version) == (lock, name, shipped[name].version)


def test_locks_name_no_address() -> None:
    """Mirrors are the machine's own business."""
    for lock in PYTHON.glob("*.lock"):
        assert "://" not in lock.read_text(encoding="utf-8"), lock


def test_no_lock_names_another_mlio() -> None:
    """A-03: the package of that name on the index is another project; ours is src/mlio, in a wheel of another name."""
    locks = sorted(PYTHON.glob("*.lock"))
    assert len(locks) > 5
    assert [lock.name for lock in locks if canonicalize_name("mlio") in read_lock(lock)] == []


def test_everything_locked_has_a_hash() -> None:
    """Reading a lock fails on a pin without one."""
    assert [lock.name for lock in sorted(PYTHON.glob("*.lock")) if not read_lock(lock)] == []


def test_one_command_writes_every_lock() -> None:
    """3rdparty/README.md promises it."""
    text = (PYTHON / "lock.py").read_text(encoding="utf-8")
    [images] = re.findall(r"^IMAGES = \((.*)\)", text, re.M)
    assert tuple(re.findall(r'"([a-z]+)"', images)) == LOCKED_IMAGES
    others = set(re.findall(r'Lock\(\s*"([a-z-]+)"', text))
    assert others | set(LOCKED_IMAGES) == {lock.stem for lock in PYTHON.glob("*.lock")}
