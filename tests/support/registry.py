"""Registries on loopback: Debian's, one that loses connections, one that refuses."""

from __future__ import annotations

import atexit
import crypt
import json
import shutil
import socket
import socketserver
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
import requests

_ADVICE = (
    "Publishing is tested with Debian's registry. There is no docker-registry on PATH, and the package could not be "
    "fetched: apt-get update, then apt-get install docker-registry."
)
_STARTS_WITHIN_S = 30.0
_ENDS_WITHIN_S = 20.0
_CHUNK = 65536


@lru_cache(maxsize=None)
def _program() -> str:
    """The installed one, or the package's, unpacked: to install it is to start it, for everyone on the network."""
    installed = shutil.which("docker-registry")
    if installed:
        return installed
    folder = Path(tempfile.mkdtemp(prefix="docker-registry-"))
    atexit.register(shutil.rmtree, folder)
    fetch = ["apt-get", "download", "--quiet", "docker-registry"]
    done = subprocess.run(fetch, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    packages = list(folder.glob("*.deb"))
    if done.returncode or not packages:
        pytest.fail(f"{_ADVICE}\napt-get said: {done.stdout}")
    subprocess.run(["dpkg-deb", "--extract", str(packages[0]), str(folder)], check=True)
    return str(folder / "usr/bin/docker-registry")


@contextmanager
def registry(folder: Path, user: str = "", password: str = "") -> Iterator[str]:
    """A registry, empty at first; its HOST:PORT.

    Args:
        folder: For what it stores; must not exist.
        user: Who may use it; everyone, where this is empty.
        password: The user's.
    """
    program = _program()
    folder.mkdir(parents=True)
    address = f"127.0.0.1:{_free_port()}"
    settings: dict[str, Any] = {
        "version": 0.1,
        "log": {"level": "warn"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
        "http": {"addr": address},
    }
    if user:
        accounts = folder / "accounts"
        # The one form of hash that it takes; the fewest rounds.
        hashed = crypt.crypt(password, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16))
        accounts.write_text(f"{user}:{hashed}\n", encoding="utf-8")
        settings["auth"] = {"htpasswd": {"realm": "test", "path": str(accounts)}}
    # JSON is YAML as well.
    Path(folder, "settings.yml").write_text(json.dumps(settings), encoding="utf-8")
    with Path(folder, "log").open("wb") as log:
        process = subprocess.Popen([program, "serve", str(folder / "settings.yml")], stdout=log, stderr=log)
    try:
        _wait_for(address, process, folder / "log")
        yield address
    finally:
        process.terminate()
        try:
            process.wait(_ENDS_WITHIN_S)
        finally:
            process.kill()


def free_address() -> str:
    """HOST:PORT where nothing listens."""
    return f"127.0.0.1:{_free_port()}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _STARTS_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            requests.get(f"http://{address}/v2/", timeout=5)
            return
        except requests.ConnectionError:
            time.sleep(0.05)
    pytest.fail(f"docker-registry did not answer at {address}. Its log:\n{log.read_text(encoding='utf-8')}")


def tags(address: str, repository: str) -> dict[str, str]:
    """What a registry without accounts serves: the digest of each tag's manifest."""
    listed = requests.get(f"http://{address}/v2/{repository}/tags/list", timeout=30)
    if listed.status_code == 404:
        return {}
    digests = {}
    for tag in listed.json()["tags"] or ():
        found = requests.head(
            f"http://{address}/v2/{repository}/manifests/{tag}",
            headers={"Accept": "application/vnd.docker.distribution.manifest.v2+json"},
            timeout=30,
        )
        digests[tag] = found.headers["Docker-Content-Digest"]
    return digests


@contextmanager
def losing_connections(address: str, after_bytes: int, times: int) -> Iterator[str]:
    """A way to a registry on which uploads are cut off; its HOST:PORT.

    Args:
        address: Of the registry.
        after_bytes: How much of what a client sends gets through on one connection before it is cut.
        times: How many connections are cut; later ones stay.
    """
    host, _, port = address.partition(":")
    lock = threading.Lock()
    left = times

    def may_cut() -> bool:
        nonlocal left
        with lock:
            left -= 1
            return left >= 0

    class Way(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection((host, int(port))) as onward:
                back = threading.Thread(target=_pass_on, args=(onward, self.request), daemon=True)
                back.start()
                _pass_on(self.request, onward, after_bytes, may_cut)
                _shut(onward)
                _shut(self.request)
                back.join(_ENDS_WITHIN_S)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Way) as server:
        yield from _served(server)


def _pass_on(
    source: socket.socket, sink: socket.socket, limit: int | None = None, may_cut: Callable[[], bool] = lambda: False
) -> None:
    passed = 0
    try:
        while True:
            data = source.recv(_CHUNK)
            passed += len(data)
            if not data or (limit is not None and passed > limit and may_cut()):
                return
            sink.sendall(data)
    except OSError:
        return


def _shut(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


@contextmanager
def refusing(status: int, code: str, message: str) -> Iterator[str]:
    """A registry that answers every question alike, as the specification of registries words it; its HOST:PORT."""
    body = json.dumps({"errors": [{"code": code, "message": message}]}).encode("utf-8")

    class Handler(BaseHTTPRequestHandler):
        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def do_GET(self) -> None:  # noqa: N802 - the base class's name
            if self.path == "/v2/":
                self._answer(200, b"{}")
            else:
                self._answer(status, body)

        do_HEAD = do_POST = do_GET  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        yield from _served(server)


def _served(server: socketserver.TCPServer) -> Iterator[str]:
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join(_ENDS_WITHIN_S)
