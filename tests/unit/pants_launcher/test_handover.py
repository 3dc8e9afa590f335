"""The environment in which Pants is started."""

import os
import sys
from pathlib import Path
from typing import Dict, Optional

import pytest

from pants_launcher.cache import Install
from pants_launcher.handover import environment_for_pants, interpreters_for_pants, workdirs_for

INSTALL = Install("/cache/launcher/0123456789abcdef")
TOOLS = {
    "PANTS_PEX_CLI_VERSION": "v2.1.137",
    "PANTS_PEX_CLI_URL_TEMPLATE": "file:///tools/pex",
    "PANTS_PEX_CLI_KNOWN_VERSIONS": "['v2.1.137|linux_x86_64|aa|1']",
    "PANTS_SHFMT_VERSION": "v3.13.0",
    "PANTS_SHFMT_URL_TEMPLATE": "file:///tools/shfmt",
    "PANTS_SHFMT_KNOWN_VERSIONS": "['v3.13.0|linux_x86_64|bb|2']",
}
OURS = {"_PANTS_SERVER_EXE": "/cache/launcher/0123456789abcdef/tools/pants-server", "NO_SCIE_WARNING": "1"}


def test_pants_gets_the_users_environment_and_the_tools() -> None:
    assert environment_for_pants({"HOME": "/home/ann"}, TOOLS, INSTALL) == {"HOME": "/home/ann", **TOOLS, **OURS}


def test_a_tool_of_which_the_user_sets_anything_is_the_users() -> None:
    user = {"PANTS_SHFMT_VERSION": "v3.6.0"}
    pex = {name: value for name, value in TOOLS.items() if "PEX_CLI" in name}
    assert environment_for_pants(user, TOOLS, INSTALL) == {**user, **pex, **OURS}


def test_modules_of_the_user_do_not_get_in_front_of_the_install() -> None:
    user = {"PYTHONPATH": "/x", "PYTHONHOME": "/y"}
    assert environment_for_pants(user, {}, INSTALL) == OURS


def test_pants_is_told_of_the_two_interpreters_alone() -> None:
    found = interpreters_for_pants({"PATH": "/bin"}, "/opt/3.8/bin/python3.8")
    assert found == {
        "PANTS_PYTHON_BOOTSTRAP_SEARCH_PATH": str(["/opt/3.8/bin/python3.8", os.path.realpath(sys.executable)])
    }


@pytest.mark.parametrize(
    ("user", "python38"), [({"PANTS_PYTHON_BOOTSTRAP_SEARCH_PATH": "['/x']"}, "/bin/python3.8"), ({}, None)]
)
def test_the_users_own_interpreters_stay_and_none_is_made_up(user: Dict[str, str], python38: Optional[str]) -> None:
    assert interpreters_for_pants(user, python38) == {}


def test_pants_works_in_a_checkout_that_can_be_written(tmp_path: Path) -> None:
    assert workdirs_for(str(tmp_path), "/cache/launcher") == {}


def test_pants_works_beside_a_checkout_that_can_only_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    # The superuser, as whom tests may run, may write everywhere.
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert workdirs_for("/checkout", "/cache/launcher") == {
        "PANTS_WORKDIR": "/cache/launcher/checkouts/3ff05a7ed82155e7/workdir",
        "PANTS_SUBPROCESSDIR": "/cache/launcher/checkouts/3ff05a7ed82155e7/pids",
    }
