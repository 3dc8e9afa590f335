"""Runs a command as on another machine: another user, processes of its own, and no network but one wire.

Started as a program, by `command`, in namespaces of its own; needs the superuser. The user may read every file, as the
interpreters lie in the home of another one here.

Its name server never answers. One that refuses at once ends a download within seconds, and Pants takes the failure of
a step where the cache, on a busy machine, has not sent all of the result by then.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

# Where the wire ends on the other machine.
PORT = 18980
# `nobody`, whom every Linux has.
USER = 65534

# Seconds that a question for a name takes; pip asks six times.
_NO_NAME_S = 30

_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1


def command(wire: Path, group: int, *words: str) -> tuple[str, ...]:
    """The command line that runs `words` apart.

    Args:
        wire: A socket; what the command sends to `PORT` on loopback arrives there.
        group: A group that the user belongs to besides.
        words: The command.
    """
    apart = ("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
    return (*apart, sys.executable, "-I", str(Path(__file__).resolve()), str(wire), str(group), *words)


def _raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(control, _SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | _IFF_UP))


def _hide_names() -> socket.socket:
    """Where every question for a name ends up, as long as it is open."""
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    silent.bind(("127.0.0.1", 53))
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(f"nameserver 127.0.0.1\noptions timeout:{_NO_NAME_S} attempts:1\n")
        file.flush()
        os.fchmod(file.fileno(), 0o644)
        # In the mount namespace of this program alone.
        subprocess.run(["mount", "--bind", file.name, "/etc/resolv.conf"], check=True)
    return silent


def _serve(listener: socket.socket, wire: str) -> None:
    while True:
        near, _ = listener.accept()
        far = socket.socket(socket.AF_UNIX)
        try:
            far.connect(wire)
        except OSError:
            near.close()
            continue
        for source, target in ((near, far), (far, near)):
            threading.Thread(target=_carry, args=(source, target), daemon=True).start()


def _carry(source: socket.socket, target: socket.socket) -> None:
    try:
        while True:
            data = source.recv(1 << 16)
            if not data:
                break
            target.sendall(data)
    except OSError:
        pass
    for end in (source, target):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            continue


def _main(wire: str, group: str, *words: str) -> int:
    _raise_loopback()
    with _hide_names(), socket.socket() as listener:
        listener.bind(("127.0.0.1", PORT))
        listener.listen(64)
        threading.Thread(target=_serve, args=(listener, wire), daemon=True).start()
        user = ["setpriv", f"--reuid={USER}", f"--regid={USER}", f"--groups={group}", "--no-new-privs"]
        # Without it, access(2) does not count the one capability that is kept.
        user += ["--securebits=+no_setuid_fixup"]
        user += ["--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"]
        return subprocess.run([*user, *words], env={**os.environ, "USER": "nobody"}).returncode


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
