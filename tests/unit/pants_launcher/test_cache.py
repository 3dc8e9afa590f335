"""The key of an install, and telling a usable install from any other state of its folder."""

import os
from pathlib import Path

import pytest

from pants_launcher.cache import Install, environment_of, install_for, mark_used, write_whole
from tests.unit.pants_launcher.fakes import finished_install

SHAPING = (
    "3rdparty/python/pants.lock",
    "3rdparty/python/external-tools.lock",
    "src/pants_launcher/cache.py",
    "src/pants_launcher/external_tools.py",
    "src/pants_launcher/install.py",
)


@pytest.fixture()
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "checkout"
    for name in (*SHAPING, "src/pants_launcher/goals.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"content of {name}\n")
    return root


def test_the_key_is_stable_and_independent_of_the_checkouts_place(checkout: Path, tmp_path: Path) -> None:
    first = install_for(str(checkout), "/cache/launcher")
    moved = tmp_path / "elsewhere"
    checkout.rename(moved)
    assert install_for(str(moved), "/cache/launcher") == first
    assert os.path.dirname(first.folder) == "/cache/launcher"


@pytest.mark.parametrize("name", SHAPING)
def test_the_key_follows_all_that_shapes_an_install(checkout: Path, name: str) -> None:
    before = install_for(str(checkout), "/cache")
    (checkout / name).write_text("changed\n")
    assert install_for(str(checkout), "/cache") != before


def test_the_key_leaves_other_sources_aside(checkout: Path) -> None:
    before = install_for(str(checkout), "/cache")
    (checkout / "src/pants_launcher/goals.py").write_text("changed\n")
    assert install_for(str(checkout), "/cache") == before


def test_a_finished_install_gives_its_variables(tmp_path: Path) -> None:
    tool = tmp_path / "shfmt"
    tool.touch()
    variables = {"PANTS_SHFMT_VERSION": "v3", "PANTS_SHFMT_URL_TEMPLATE": f"file://{tool}", "X": "a=b"}
    assert environment_of(finished_install(tmp_path / "install", variables)) == variables


def test_no_install_is_none(tmp_path: Path) -> None:
    assert environment_of(Install(str(tmp_path / "install"))) is None


def test_an_install_without_its_marker_is_none(tmp_path: Path) -> None:
    install = finished_install(tmp_path / "install")
    os.remove(install.marker)
    assert environment_of(install) is None


def test_an_empty_marker_is_none(tmp_path: Path) -> None:
    install = finished_install(tmp_path / "install")
    Path(install.marker).write_text("")
    assert environment_of(install) is None


def test_a_moved_install_is_none(tmp_path: Path) -> None:
    finished_install(tmp_path / "install")
    (tmp_path / "install").rename(tmp_path / "moved")
    assert environment_of(Install(str(tmp_path / "moved"))) is None


def test_an_install_whose_base_interpreter_is_gone_is_none(tmp_path: Path) -> None:
    install = finished_install(tmp_path / "install")
    os.remove(install.python)
    os.symlink(tmp_path / "removed" / "python3.9", install.python)
    assert environment_of(install) is None


@pytest.mark.parametrize("missing", ["server", "native_client"])
def test_an_install_without_one_of_its_programs_is_none(tmp_path: Path, missing: str) -> None:
    install = finished_install(tmp_path / "install")
    os.remove(getattr(install, missing))
    assert environment_of(install) is None


def test_an_install_without_one_of_its_tools_is_none(tmp_path: Path) -> None:
    variables = {"PANTS_SHFMT_URL_TEMPLATE": f"file://{tmp_path}/shfmt"}
    assert environment_of(finished_install(tmp_path / "install", variables)) is None


def test_use_is_recorded(tmp_path: Path) -> None:
    install = finished_install(tmp_path / "install")
    os.utime(install.marker, (0, 0))
    mark_used(install)
    assert os.stat(install.marker).st_mtime > 0


def test_use_of_an_install_that_is_gone_is_no_error(tmp_path: Path) -> None:
    mark_used(Install(str(tmp_path)))


def test_a_file_written_whole_leaves_nothing_else(tmp_path: Path) -> None:
    write_whole(str(tmp_path / "file"), "text\n")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "text\n"
