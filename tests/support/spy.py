"""A script's part that tells about the server it runs in: its processes, their memory, what they listen on."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import requests

from tests.support.platform import Server

_MARK = "TESTS_SERVER"
_TIMEOUT_S = 60

# Answers /execution-parameters, so that the functions of an invocation stay the script's own or the defaults. Processes
# of one server are those that were started with the same mark, whatever their tree looks like.
SPY = f"""
def execution_parameters_fn():
    import json, os, re
    def read(path):
        with open(path, "rb") as f:
            return f.read().decode("utf-8", "replace")
    def mark(pid):
        return [line for line in read(f"/proc/{{pid}}/environ").split("\\0") if line.startswith("{_MARK}=")]
    listening, abstract = dict(), dict()
    for name in ("tcp", "tcp6"):
        if os.path.exists("/proc/net/" + name):
            for line in read("/proc/net/" + name).splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A":
                    listening[fields[9]] = int(fields[1].rpartition(":")[2], 16)
    for line in read("/proc/net/unix").splitlines()[1:]:
        fields = line.split(None, 7)
        if len(fields) > 7 and fields[7].startswith("@"):
            abstract[fields[6]] = fields[7]
    mine, found = mark("self"), []
    assert mine, "start the server with the variables of spy.marked()"
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if mark(pid) != mine:
                continue
            sockets = []
            for fd in os.listdir(f"/proc/{{pid}}/fd"):
                try:
                    target = os.readlink(f"/proc/{{pid}}/fd/{{fd}}")
                except OSError:
                    continue
                if target.startswith("socket:["):
                    sockets.append(target[8:-1])
            peak = re.search(r"VmHWM:\\s+(\\d+) kB", read(f"/proc/{{pid}}/status"))
            if peak is None:
                continue
        except OSError:
            continue
        ports = sorted(set(listening[socket] for socket in sockets if socket in listening))
        names = sorted(abstract[socket] for socket in sockets if socket in abstract)
        found.append(dict(pid=int(pid), peak_bytes=1024 * int(peak.group(1)), ports=ports, names=names))
    return json.dumps(dict(MaxPayloadInMB=6, answering=os.getpid(), processes=found))
"""


@dataclass(frozen=True)
class Process:
    """A process of a server, as it sees itself.

    Attributes:
        peak_bytes: The most memory it ever held.
        ports: TCP ports it listens on.
        names: Of its abstract Unix sockets.
    """

    peak_bytes: int
    ports: tuple[int, ...]
    names: tuple[str, ...]


def marked(**environ: str) -> dict[str, str]:
    """Variables of a server whose script holds `SPY`."""
    return {"SAGEMAKER_PROGRAM": "inference.py", **environ, _MARK: uuid.uuid4().hex}


def processes(server: Server) -> dict[int, Process]:
    """The processes of a server whose script holds `SPY`, by their ids."""
    answer = requests.get(f"{server.base_url}/execution-parameters", timeout=_TIMEOUT_S)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    found = {
        item["pid"]: Process(item["peak_bytes"], tuple(item["ports"]), tuple(item["names"]))
        for item in told["processes"]
    }
    assert told["answering"] in found
    return found
