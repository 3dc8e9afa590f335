"""Installing Debian's packages, with a stand-in for apt."""

from pathlib import Path
from typing import Dict

import pytest

from pants_launcher import debian
from pants_launcher.errors import LauncherError
from tests.unit.pants_launcher import fakes

WORKS = 'echo "$DEBIAN_FRONTEND $*" >>"$CALLS"'


def environment(folder: Path, apt_get: str, packages: str = "docker-doc") -> Dict[str, str]:
    fakes.program(folder / "bin" / "apt-get", apt_get)
    fakes.program(folder / "bin" / "apt-cache", f"echo {packages}")
    return {"PATH": f"{folder}/bin:/usr/bin:/bin", "CALLS": str(folder / "calls")}


def test_packages_are_installed_without_questions_or_recommendations(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = str(tmp_path / "apt.log")
    debian.install(["docker.io", "mmdebstrap"], log, environment(tmp_path, WORKS))
    assert (tmp_path / "calls").read_text().splitlines() == [
        "noninteractive -o DPkg::Lock::Timeout=600 update --quiet",
        "noninteractive -o DPkg::Lock::Timeout=600 install --quiet --yes --no-install-recommends docker.io mmdebstrap",
    ]
    assert capsys.readouterr().err == f"pants: installing Debian's docker.io, mmdebstrap (once, log {log})\n"


def test_the_client_comes_with_the_engine_where_debian_packages_it_apart(tmp_path: Path) -> None:
    env = environment(tmp_path, WORKS, packages="docker-doc docker-cli docker-buildx")
    debian.install(["docker.io"], str(tmp_path / "apt.log"), env)
    assert (tmp_path / "calls").read_text().splitlines()[1].endswith(" docker.io docker-buildx docker-cli")


def test_a_failed_update_alone_is_no_error(tmp_path: Path) -> None:
    env = environment(tmp_path, 'case "$*" in *" update "*) exit 100 ;; esac')
    debian.install(["mmdebstrap"], str(tmp_path / "apt.log"), env)


def test_lists_that_another_process_holds_are_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: (tmp_path / "free").touch())
    held = f'[ -e "{tmp_path}/free" ] || {{ echo "E: Could not get lock /var/lib/apt/lists/lock"; exit 100; }}'
    debian.install(["mmdebstrap"], str(tmp_path / "apt.log"), environment(tmp_path, f"{held}\n{WORKS}"))
    assert len((tmp_path / "calls").read_text().splitlines()) == 2


def test_a_failed_installation_is_quoted(tmp_path: Path) -> None:
    log = str(tmp_path / "apt.log")
    env = environment(tmp_path, 'case "$*" in *install*) echo "E: Unable to locate package"; exit 100 ;; esac')
    with pytest.raises(LauncherError) as caught:
        debian.install(["mmdebstrap"], log, env)
    assert str(caught.value) == (
        "cannot install Debian's mmdebstrap: apt-get failed (status 100). It said:\n  E: Unable to locate package\n"
        f"Correct that (all of its output is in {log}), or install them by hand: apt-get install mmdebstrap"
    )
