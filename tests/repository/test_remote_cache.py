"""A cache that machines share: the second downloads and compiles nothing, and no fault of the cache gets in an image.

The second machine is another user with another home, folder and PATH, empty caches, and no network but the wire to the
cache (`tests/support/apart.py`). The engine is the same: what is compared is layers, by digest.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

import pytest

from tests.support import apart
from tests.support.checkout import Checkout, Finished, checkout
from tests.support.remote_cache import INSTANCE, Server, Wire, install_server, server, wire

IMAGE = "docker/0.23-1/extension:image"
# Quick, and in need of libraries.
TEST = "tests/unit/image_layers/test_lock.py"
SOCKET = Path("/var/run/docker.sock")
# Stands for a password in an address.
SECRET = "first-machine.invalid"
FAULTS = ("down", "stalled", "cut", "damaged", "streamed", "full", "wrecked")


@dataclass(frozen=True)
class Machine:
    """A machine with a checkout of its own.

    Attributes:
        checkout: There.
        prefix: What its commands are run through.
    """

    checkout: Checkout
    prefix: tuple[str, ...] = ()

    def pants(self, *arguments: str, **environment: str) -> Finished:
        """Run `./pants` without a daemon; the output ends with Pants' own counters."""
        words = (*self.prefix, "./pants", "--no-pantsd", "--stats-log", *arguments)
        return self.checkout.run(*words, environment=environment, timeout_s=600)

    def layer(self, fault: str, **environment: str) -> tuple[Finished, bytes]:
        """How a run that makes the layer of a fault ended, and the layer."""
        # What hangs is an upload behind the run; how long it may is a setting.
        more = {"PANTS_SESSION_END_TASKS_TIMEOUT": "5", **environment}
        done = self.pants("export-codegen", f"docker/faults:{fault}-layer", **more)
        assert done.exit_code == 0, done.output
        return done, Path(self.checkout.folder, "dist", "codegen", f"{fault}-layer.tar").read_bytes()


def counter(done: Finished, name: str) -> int:
    """One of Pants' counters of a run."""
    found = re.search(rf"^  {name}: (\d+)$", done.output, re.MULTILINE)
    assert found is not None, done.output
    return int(found[1])


def _story(cache: Server, *runs: Finished) -> str:
    """What runs and the server said, and what lies on disk; the first and the last lines of each run tell most."""
    parts = [run.output for run in runs]
    free = shutil.disk_usage(cache.blobs).free >> 20
    return "\n".join([*parts, f"the server's disk has {free} MiB free; the server said:", cache.complaints()])


def layers(image_id: str) -> list[str]:
    command = ["docker", "image", "inspect", "--format", "{{json .RootFS.Layers}}", image_id]
    found: list[str] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return found


def image_id(machine: Machine) -> str:
    """What the last `package` of a machine made."""
    note = machine.checkout.folder / "dist" / "docker.0.23-1.extension" / "image.docker-info.json"
    found: str = json.loads(note.read_text(encoding="utf-8"))["image_id"]
    return found


def _shared(port: int) -> dict[str, str]:
    return {
        "PANTS_CONFIG_FILES": "pants.ci.toml",
        "PANTS_REMOTE_CACHE_READ": "true",
        "PANTS_REMOTE_CACHE_WRITE": "true",
        "PANTS_REMOTE_STORE_ADDRESS": f"grpc://127.0.0.1:{port}",
        "PANTS_REMOTE_INSTANCE_NAME": INSTANCE,
    }


def _caches(folder: Path) -> dict[str, str]:
    # The private install of Pants is the one thing that the machines have in common; it is no part of any key.
    home = os.environ.get("HOME", "/root")
    install = os.environ.get("SKLEARN_IMAGES_CACHE") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache"), "sklearn-images"
    )
    (folder / "home").mkdir(parents=True)
    return {
        "HOME": str(folder / "home"),
        "PYENV_ROOT": os.environ.get("PYENV_ROOT") or os.path.join(home, ".pyenv"),
        "SKLEARN_IMAGES_CACHE": install,
        **_empty(folder),
    }


def _empty(folder: Path) -> dict[str, str]:
    """Caches of Pants' that lie below a folder."""
    return {"PANTS_LOCAL_STORE_DIR": str(folder / "store"), "PANTS_NAMED_CACHES_DIR": str(folder / "named")}


@contextmanager
def _first(folder: Path, port: int) -> Iterator[Machine]:
    # Packages that were downloaded before are; what is measured is the second machine.
    home = os.environ.get("HOME", "/root")
    own = {"NO_PROXY": SECRET, "PIP_CACHE_DIR": os.environ.get("PIP_CACHE_DIR") or os.path.join(home, ".cache", "pip")}
    with checkout(folder / "here", {**_caches(folder), **_shared(port), **own}) as copy:
        _add_layers(copy)
        yield Machine(copy)


@contextmanager
def _second(folder: Path, cable: Wire) -> Iterator[Machine]:
    machine = {
        **_caches(folder),
        **_shared(apart.PORT),
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "de_DE.UTF-8",
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_CONFIG_FILE": "/dev/null",
        "OS_MIRROR": "http://127.0.0.1:9/debian",
    }
    with checkout(folder / "some" / "where" / "else", machine) as copy:
        _add_layers(copy)
        for path in (folder, *folder.rglob("*")):
            os.chown(path, apart.USER, apart.USER, follow_symlinks=False)
        yield Machine(copy, apart.command(cable.path, SOCKET.stat().st_gid))


def _add_layers(copy: Checkout) -> None:
    """A layer for each fault, so that each is met by one that this machine has never built."""
    folder = copy.folder / "docker" / "faults"
    folder.mkdir()
    lines = [f'layer(name="{name}-layer", args=["files", "--directory=/opt/{name}:0755:0:0"])\n' for name in FAULTS]
    Path(folder, "BUILD").write_text("".join(lines), encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    # Another user has to get through to it.
    made = tmp_path_factory.mktemp("machines")
    for above in (made, *made.parents):
        if above.owner() != "root" or above in (Path("/tmp"), Path("/")):
            break
        above.chmod(above.stat().st_mode | 0o011)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@dataclass(frozen=True)
class Setup:
    """Two machines and a cache, after the first has built everything and the second has got it."""

    program: Path
    first: Machine
    second: Machine
    server: Server
    cable: Wire
    built: Finished
    fetched: Finished
    originals: dict[str, bytes]


@pytest.fixture(scope="module")
def setup(folder: Path) -> Iterator[Setup]:
    with ExitStack() as stack:
        program = install_server(folder / "buildgrid")
        cache = stack.enter_context(server(program, folder / "cache"))
        cable = stack.enter_context(wire(folder))
        cable.port = cache.port
        first = stack.enter_context(_first(folder / "first", cache.port))
        built = first.pants("test", "package", "export-codegen", TEST, IMAGE, "docker/faults:")
        assert built.exit_code == 0, built.output
        # What the server did not keep, as of a call that a busy machine did not answer in time, is made and sent again.
        again = first.pants(
            "test", "package", "export-codegen", TEST, IMAGE, "docker/faults:", **_empty(folder / "again")
        )
        assert again.exit_code == 0, again.output
        codegen = first.checkout.folder / "dist" / "codegen"
        originals = {fault: Path(codegen, f"{fault}-layer.tar").read_bytes() for fault in FAULTS}
        second = stack.enter_context(_second(folder / "second", cable))
        fetched = second.pants("test", "package", TEST, IMAGE)
        assert fetched.exit_code == 0, _story(cache, built, again, fetched)
        yield Setup(program, first, second, cache, cable, built, fetched, originals)


def test_a_second_machine_builds_nothing_but_images(setup: Setup) -> None:
    assert counter(setup.built, "remote_cache_write_successes") > 20
    assert counter(setup.fetched, "remote_cache_requests") > 20
    assert counter(setup.fetched, "remote_cache_requests_uncached") == 0, setup.fetched.output
    assert counter(setup.fetched, "remote_cache_read_errors") == 0, setup.fetched.output
    # Looked for and run besides: interpreters and programs of the machine, and images.
    completed = re.findall(r"Completed: (.*)", setup.fetched.output)
    assert [line for line in completed if not re.match(r"Building docker image |Run Pytest", line)] == []


def test_a_second_machine_gets_the_results_of_tests(setup: Setup) -> None:
    assert re.search(rf"{re.escape(TEST)} succeeded in [0-9.]+s \(cached remotely\)", setup.fetched.output)


def test_the_layers_of_both_machines_are_the_same(setup: Setup) -> None:
    assert layers(image_id(setup.second)) == layers(image_id(setup.first))


def test_no_setting_of_a_machine_gets_into_the_cache(setup: Setup) -> None:
    environment = setup.first.checkout.environment
    private = (SECRET, environment["HOME"], environment["PIP_CACHE_DIR"], str(setup.first.checkout.folder))
    # Commands, environments and what programs said are small.
    small = [path for path in setup.server.blobs.rglob("*") if path.is_file() and path.stat().st_size < 2**20]
    assert len(small) > 100
    for path in small:
        content = path.read_bytes()
        assert [word for word in private if word.encode() in content] == [], content[:2000]


def test_a_server_that_is_down_is_told_and_done_without(setup: Setup) -> None:
    setup.cable.port = None
    done, layer = setup.second.layer("down")
    assert layer == setup.originals["down"]
    assert "WARN" in done.output
    setup.cable.port = setup.server.port


def test_a_server_that_never_answers_is_not_waited_for(setup: Setup) -> None:
    setup.cable.stalls = True
    _, layer = setup.second.layer("stalled")
    assert layer == setup.originals["stalled"]
    setup.cable.stalls = False


def test_a_connection_that_ends_in_an_answer_costs_that_answer(setup: Setup) -> None:
    setup.cable.cuts_after = 300
    _, layer = setup.second.layer("cut")
    assert layer == setup.originals["cut"]
    setup.cable.cuts_after = None


def test_a_full_server_is_told_and_done_without(setup: Setup, folder: Path) -> None:
    with server(setup.program, folder / "small", largest_file=100) as small:
        setup.cable.port = small.port
        done, layer = setup.second.layer("full")
    assert layer == setup.originals["full"]
    assert counter(done, "remote_cache_write_errors") > 0, done.output
    setup.cable.port = setup.server.port


@pytest.mark.parametrize(("fault", "batch"), [("damaged", "4194304"), ("streamed", "1")])
def test_damaged_bytes_never_get_into_a_layer(setup: Setup, fault: str, batch: str) -> None:
    original = setup.originals[fault]
    place = hashlib.sha256(original).hexdigest()
    blob = setup.server.blobs / place[:2] / place[2:]
    sound = blob.read_bytes()
    blob.write_bytes(bytes([sound[0] ^ 0xFF]) + sound[1:])
    done, layer = setup.second.layer(fault, PANTS_REMOTE_STORE_BATCH_API_SIZE_LIMIT=batch)
    assert layer == original
    assert counter(done, "remote_cache_requests_cached") == 0, done.output


def test_a_damaged_cache_is_as_good_as_none(setup: Setup) -> None:
    assert setup.server.damage() > 100
    done, layer = setup.second.layer("wrecked")
    assert layer == setup.originals["wrecked"]
    assert counter(done, "remote_cache_requests_cached") == 0, done.output
