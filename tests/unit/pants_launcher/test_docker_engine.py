"""The decision about an engine, against a stand-in that listens on a real socket."""

import socket
from pathlib import Path
from typing import Iterator

import pytest

from pants_launcher.docker_engine import Engine, choose_engine, problem_with
from pants_launcher.errors import LauncherError
from pants_launcher.host import Host
from tests.unit.pants_launcher import fakes

DEBIAN_ROOT = Host(debian=True, root=True, systemd=False, name="Debian GNU/Linux 12 (bookworm)")
DEBIAN_USER = DEBIAN_ROOT._replace(root=False)
OTHER_ROOT = Host(debian=False, root=True, systemd=True, name="Rocky Linux 9")
NOWHERE = "unix:///nonexistent/docker.sock"
ELSE = "or set SKLEARN_IMAGES_NEED_ENGINE=no if the targets of this command need no engine."


@pytest.fixture()
def free_port() -> Iterator[int]:
    """A port of the loopback interface on which nothing listens while the test runs."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def refusal(tmp_path: Path, host: Host, **changes: object) -> str:
    with pytest.raises(LauncherError) as caught:
        choose_engine(fakes.settings(tmp_path, **changes), host, NOWHERE)
    return str(caught.value)


@pytest.mark.parametrize("host", [DEBIAN_ROOT, DEBIAN_USER, OTHER_ROOT])
def test_the_default_engine_is_used_where_it_answers(tmp_path: Path, host: Host) -> None:
    with fakes.engine() as address:
        assert choose_engine(fakes.settings(tmp_path), host, address) == Engine(address, answers=True)


def test_the_engine_that_docker_host_names_comes_first(tmp_path: Path) -> None:
    with fakes.engine() as address, fakes.engine() as default:
        settings = fakes.settings(tmp_path, docker_host=address)
        assert choose_engine(settings, DEBIAN_ROOT, default) == Engine(address, answers=True)


def test_nothing_is_started_in_place_of_the_engine_that_docker_host_names(tmp_path: Path) -> None:
    assert refusal(tmp_path, DEBIAN_ROOT, docker_host="unix:///nonexistent/other.sock") == (
        "these goals need a Docker engine, and DOCKER_HOST names one that does not answer:"
        " unix:///nonexistent/other.sock (No such file or directory).\n"
        f"Start that engine, correct DOCKER_HOST, unset it to use {NOWHERE}, {ELSE}"
    )


def test_an_engine_is_started_for_the_superuser_of_debian(tmp_path: Path) -> None:
    assert choose_engine(fakes.settings(tmp_path), DEBIAN_ROOT, NOWHERE) == Engine(NOWHERE, answers=False)


@pytest.mark.parametrize(
    ("host", "start_engine", "reason"),
    [
        (DEBIAN_ROOT, False, "SKLEARN_IMAGES_START_ENGINE says not to start one"),
        (DEBIAN_USER, True, "only the superuser can install and start one"),
        (OTHER_ROOT, True, "one is installed and started only on Debian, and this is Rocky Linux 9"),
    ],
)
def test_elsewhere_the_reason_and_the_ways_out_are_told(
    tmp_path: Path, host: Host, start_engine: bool, reason: str
) -> None:
    assert refusal(tmp_path, host, start_engine=start_engine) == (
        f"these goals need a Docker engine; none answers at {NOWHERE} (No such file or directory), and {reason}.\n"
        f"Start Docker, set DOCKER_HOST to the address of an engine, {ELSE}"
    )


def test_a_socket_that_is_forbidden_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The superuser, as whom tests may run, is forbidden nothing.
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pants_launcher.docker_engine._ping", refuse)
    with fakes.engine() as address, pytest.raises(LauncherError) as caught:
        choose_engine(fakes.settings(tmp_path), DEBIAN_USER, address)
    assert str(caught.value) == (
        f"these goals need a Docker engine; this user may not use the one at {address} (Permission denied).\n"
        f"Join the group that owns the socket, set DOCKER_HOST to the address of another engine, {ELSE}"
    )


def test_a_context_of_the_client_is_left_to_the_client(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"currentContext": "rootless"}')
    settings = fakes.settings(tmp_path, docker_config=str(tmp_path))
    assert choose_engine(settings, DEBIAN_USER, NOWHERE) == Engine("context rootless", answers=True)


def test_a_context_in_the_environment_is_left_to_the_client(tmp_path: Path) -> None:
    settings = fakes.settings(tmp_path, docker_context="far")
    assert choose_engine(settings, DEBIAN_USER, NOWHERE) == Engine("context far", answers=True)


@pytest.mark.parametrize("config", ["", "[]", "{}", '{"currentContext": "default"}', '{"currentContext": ""}'])
def test_a_client_without_a_context_of_its_own_has_none(tmp_path: Path, config: str) -> None:
    (tmp_path / "config.json").write_text(config)
    settings = fakes.settings(tmp_path, docker_config=str(tmp_path))
    assert choose_engine(settings, DEBIAN_ROOT, NOWHERE) == Engine(NOWHERE, answers=False)


def test_an_engine_that_answers_otherwise_is_quoted() -> None:
    with fakes.engine(b"HTTP/1.1 503 Service Unavailable\r\n\r\n") as address:
        assert problem_with(address) == "it answered 'HTTP/1.1 503 Service Unavailable'"


def test_what_is_no_engine_is_quoted() -> None:
    with fakes.engine(b"SSH-2.0-OpenSSH_9.2\r\n") as address:
        assert problem_with(address) == "it answered 'SSH-2.0-OpenSSH_9.2'"


def test_an_engine_that_hangs_up_is_a_problem() -> None:
    with fakes.engine(b"") as address:
        assert problem_with(address) == "it answered ''"


def test_an_engine_that_hangs_is_not_waited_for_long(tmp_path: Path) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        assert problem_with(address, timeout_s=0.1) == "no answer within 0.1 s"


def test_a_port_on_which_nothing_listens_is_a_problem(free_port: int) -> None:
    assert problem_with(f"tcp://127.0.0.1:{free_port}") == "Connection refused"


def test_an_engine_behind_tls_only_has_to_accept_a_connection() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        assert problem_with(f"tcp://127.0.0.1:{server.getsockname()[1]}", tls=True) is None


def test_an_address_with_a_word_for_its_port_is_a_problem() -> None:
    assert problem_with("tcp://localhost:docker") == "the port 'docker' is no number"


@pytest.mark.parametrize("address", ["ssh://ann@far", "npipe:////./pipe/docker_engine"])
def test_what_only_the_client_can_reach_is_trusted(address: str) -> None:
    assert problem_with(address) is None
