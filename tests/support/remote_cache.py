"""A shared cache on loopback: BuildGrid, a server of the Remote Execution API, and a wire to it that fails."""

from __future__ import annotations

import os
import resource
import shutil
import socket
import subprocess
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterator

_LOCK = Path("3rdparty/python/buildgrid.lock")
_PYTHON = "python3.11"
INSTANCE = "main"
_STARTS_WITHIN_S = 60
_ENDS_WITHIN_S = 20
# In memory there is only where each result lies in the storage. A call beyond the threads is refused, not queued, and
# Pants asks for all files of a result at once, over two connections: a client is told how many streams each may have.
_CONFIGURATION = """
server:
  - !channel
    address: "127.0.0.1:{port}"
    insecure-mode: true
authorization:
  method: none
storages:
  - !disk-storage &storage
    path: {folder}
caches:
  - !lru-action-cache &results
    storage: *storage
    max-cached-refs: 100000
    allow-updates: true
    cache-failed-actions: false
instances:
  - name: {instance}
    description: A cache without workers
    services:
      - !action-cache
        cache: *results
      - !cas
        storage: *storage
      - !bytestream
        storage: *storage
grpc-server-options:
  grpc.max_concurrent_streams: 30
thread-pool-size: 200
"""


def install_server(folder: Path) -> Path:
    """Install BuildGrid as it is locked; its program.

    Args:
        folder: For a virtual environment; must not exist.
    """
    python = _interpreter()
    subprocess.run([python, "-m", "venv", str(folder)], check=True)
    command = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--requirement", str(_LOCK)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
    assert done.returncode == 0, f"installing {_LOCK} ended with {done.returncode}; pip said:\n{done.stdout}"
    return folder / "bin" / "bgd"


def _interpreter() -> str:
    roots = [Path(root) for root in (os.environ.get("PYENV_ROOT"), os.path.expanduser("~/.pyenv")) if root]
    found = [path for root in roots for path in sorted(root.glob(f"versions/3.11.*/bin/{_PYTHON}"))]
    place = str(found[0]) if found else shutil.which(_PYTHON)
    assert place is not None, (
        f"the shared cache of this test runs on CPython 3.11, and there is no {_PYTHON} in pyenv "
        f"({', '.join(map(str, roots))}) nor on PATH. Install one, for example `pyenv install 3.11`."
    )
    return place


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        port: Where it listens on 127.0.0.1.
        blobs: The folder of everything it holds, each file named by the sha256 of what it held when it was written.
        log: What it says.
    """

    port: int
    blobs: Path
    log: Path

    def complaints(self) -> str:
        """The last of what it says; without a wish for more these are warnings and errors."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-100:])

    def damage(self) -> int:
        """Change the first byte of every blob, in place; how many there are."""
        blobs = [path for path in self.blobs.rglob("*") if path.is_file() and path.stat().st_size]
        for path in blobs:
            with path.open("r+b") as file:
                first = file.read(1)
                file.seek(0)
                file.write(bytes([first[0] ^ 0xFF]))
        return len(blobs)


@contextmanager
def server(program: Path, folder: Path, largest_file: int | None = None) -> Iterator[Server]:
    """A server that is ended with the context.

    Args:
        program: As `install_server` gave it.
        folder: For what it holds; may be that of an earlier server.
        largest_file: Writing a file of more bytes fails for it as on a full disk; None for no limit.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    configuration = folder / "server.yml"
    text = _CONFIGURATION.format(port=port, folder=folder, instance=INSTANCE)
    configuration.write_text(text, encoding="utf-8")

    def limit() -> None:
        if largest_file is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))

    log = folder / "server.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [str(program), "server", "start", str(configuration)],
            stdin=subprocess.DEVNULL,
            # A file of which nothing more can be written would be in the way of what the server is asked for.
            stdout=file if largest_file is None else subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            preexec_fn=limit,
        )
    try:
        deadline = time.monotonic() + _STARTS_WITHIN_S
        while not _listens(port):
            assert process.poll() is None, f"the server ended with {process.returncode}; its settings: {text}"
            assert time.monotonic() < deadline, f"the server does not listen on port {port} after {_STARTS_WITHIN_S} s"
            time.sleep(0.1)
        yield Server(port, folder / "cas" / "objects", log)
    finally:
        process.terminate()
        try:
            process.wait(_ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass
class Wire:
    """What lies between a machine and the server; it may fail in the middle.

    Attributes:
        path: The socket where a machine without a network reaches it.
        port: Where the server listens; None for one that is down.
        stalls: Whether nothing that is sent arrives, and nobody says so.
        cuts_after: Bytes of answers after which a connection ends; None for never.
        carried: Bytes of answers so far.
    """

    path: Path
    port: int | None = None
    stalls: bool = False
    cuts_after: int | None = None
    carried: int = 0
    _open: list[socket.socket] = field(default_factory=list)

    def answer(self, near: socket.socket) -> None:
        """Serve one connection to its end."""
        self._open.append(near)
        if self.stalls:
            return
        try:
            if self.port is None:
                raise ConnectionRefusedError
            far = socket.create_connection(("127.0.0.1", self.port))
        except OSError:
            near.close()
            return
        self._open.append(far)
        threading.Thread(target=self._carry, args=(near, far, False), daemon=True).start()
        threading.Thread(target=self._carry, args=(far, near, True), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, answers: bool) -> None:
        left = self.cuts_after if answers else None
        try:
            while True:
                data = source.recv(1 << 16)
                if left is not None:
                    data, left = data[:left], left - len(data)
                if not data:
                    break
                target.sendall(data)
                if answers:
                    self.carried += len(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def close(self) -> None:
        """End every connection."""
        for end in self._open:
            end.close()


@contextmanager
def wire(folder: Path) -> Iterator[Wire]:
    """A wire to nowhere until it is given a port."""
    path = folder / "wire"
    with socket.socket(socket.AF_UNIX) as listener:
        # The name of a socket may have 107 bytes at most.
        listener.bind(str(path))
        listener.listen(64)
        made = Wire(path)

        def accept() -> None:
            while True:
                try:
                    near, _ = listener.accept()
                except OSError:
                    return
                made.answer(near)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield made
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            made.close()
