"""Which machines count as Debian."""

from pathlib import Path

import pytest

from pants_launcher.host import find_executable, this_host
from tests.unit.pants_launcher import fakes


@pytest.mark.parametrize(
    ("os_release", "debian", "name"),
    [
        ('PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n', True, "Debian GNU/Linux 12 (bookworm)"),
        ('ID=ubuntu\nID_LIKE=debian\nPRETTY_NAME="Ubuntu 24.04"\n', True, "Ubuntu 24.04"),
        ('ID=neon\nID_LIKE="ubuntu debian"\nPRETTY_NAME=Neon\n', True, "Neon"),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"\nPRETTY_NAME="Rocky Linux 9"\n', False, "Rocky Linux 9"),
        ("ID=debianish\nPRETTY_NAME=Other\n", False, "Other"),
    ],
)
def test_a_system_is_debian_by_its_own_words(os_release: str, debian: bool, name: str, tmp_path: Path) -> None:
    (tmp_path / "os-release").write_text(os_release)
    host = this_host(str(tmp_path / "os-release"))
    assert (host.debian, host.name) == (debian, name)


def test_a_system_without_words_is_not_debian(tmp_path: Path) -> None:
    assert not this_host(str(tmp_path / "missing")).debian


def test_the_first_executable_is_found(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "tool").touch()
    (tmp_path / "b" / "tool").mkdir(parents=True)
    tool = fakes.program(tmp_path / "c" / "tool", "exit 0")
    assert find_executable("tool", [f"{tmp_path}/{name}" for name in "abc"]) == tool


def test_what_is_nowhere_is_none(tmp_path: Path) -> None:
    assert find_executable("tool", [str(tmp_path)]) is None
