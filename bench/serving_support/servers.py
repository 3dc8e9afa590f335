"""The servers that are measured: how each is installed, started and stopped, in a container or on the host."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Callable, Iterator, Mapping, Sequence

from bench.serving_support import processes, scripts
from bench.serving_support.load import Client, together

START_TIMEOUT_S = 60.0
TIMEOUT_S = 300
# Short against the shortest start, and long enough that asking costs the server little of the processor.
_POLL_S = 0.02
_POLL_PATIENCE_S = 0.1
_POLL_CLIENTS = 4
_PORTS = range(20_000, 32_000)

# What the engineer's server needs beside the image's own interpreter and libraries; the last series for CPython 3.8.
BAR_PINS = (
    "anyio==4.5.2",
    "click==8.1.8",
    "exceptiongroup==1.2.2",
    "h11==0.14.0",
    "httptools==0.6.4",
    "idna==3.10",
    "orjson==3.10.15",
    "sniffio==1.3.1",
    "starlette==0.44.0",
    "typing-extensions==4.12.2",
    "uvicorn==0.33.0",
    "uvloop==0.21.0",
)
_BAR_TARGET = (
    "--python-version",
    "3.8",
    "--implementation",
    "cp",
    "--abi",
    "cp38",
    "--only-binary",
    ":all:",
    "--ignore-requires-python",
)

# The replaced image's server for many models, beside what training.PEER_PINS has: both as it pinned them, and what they
# import as pip chose it for CPython 3.7 then. Installed together with those pins, which both would move.
MULTI_MODEL_PINS = (
    "Pillow==9.5.0",
    "enum-compat==0.0.3",
    "future==1.0.0",
    "model-archiver==1.0.3",
    "multi-model-server==1.1.1",
    "sagemaker-inference==1.2.0",
)
# The collector that the replaced image chose, and what comes closest to it in a Java that no longer has it.
_COLLECTORS = ("-XX:+UseParNewGC", "-XX:+UseSerialGC")

REPLACED_START = "from sagemaker_sklearn_container.serving import start; start()"


def bar_packages(pip: Path, folder: Path) -> Path:
    """The folder with the packages of the engineer's server; kept, and made anew when it should hold anything else."""
    note = folder / "made-of.json"
    made_of = json.dumps(BAR_PINS)
    if not note.is_file() or note.read_text(encoding="utf-8") != made_of:
        print(f"bench: installing the engineer's server into {folder} (once)", file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
        # For the image's interpreter, which need not be on the host; all dependencies are listed above.
        done = subprocess.run(
            [
                str(pip),
                "install",
                "--disable-pip-version-check",
                "--no-deps",
                "--target",
                str(folder),
                *_BAR_TARGET,
                *BAR_PINS,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT_S,
        )
        if done.returncode:
            sys.exit(f"bench: installing the engineer's server failed:\n{done.stdout}")
        note.write_text(made_of, encoding="utf-8")
    return folder


@dataclass(frozen=True)
class Variant:
    """One server.

    Attributes:
        name: Its name in tables.
        command: What starts it; {port} and {workers} are filled in.
        script: The user's script.
        environment: Variables beside those that all servers get; {own} stands for a folder of this start's own.
        loads: How many processes load the model before all workers can answer; a server that loads it once and then
            forks has one.
        folders: What it reads, seen at the same paths in a container.
        files: Files of the host by their paths in a container.
    """

    name: str
    command: tuple[str, ...]
    script: str
    environment: Mapping[str, str] = field(default_factory=dict)
    loads: int = 1
    folders: tuple[Path, ...] = ()
    files: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class Start:
    """Seconds from the start of the first process to the first 200 on /ping, and until all workers have the model."""

    first: float
    ready: float


class Place:
    """Where servers run: in containers of one image with the host's network, or on the host itself.

    All are in the same kind of place, so that none alone has a container's layers of files and its filters between
    itself and the kernel.
    """

    def __init__(self, image: str | None, folder: Path) -> None:
        """Nothing is started yet; without an image servers run on the host. What they write goes below the folder."""
        self.folder = folder
        self._label = f"bench-serving={uuid.uuid4().hex}"
        client = shutil.which("docker", path="/usr/bin") or shutil.which("docker")
        if image and client is None:
            sys.exit("bench: no docker client on PATH")
        self._client = client or ""
        self._servers = 0
        # Its id: a build in the meantime may give the tag to another one.
        self.image = self.engine("image", "inspect", "--format", "{{.Id}}", image).strip() if image else None

    def engine(self, *arguments: str) -> str:
        """Standard output of the docker client."""
        done = subprocess.run(
            [self._client, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=TIMEOUT_S
        )
        if done.returncode:
            sys.exit(f"bench: docker {arguments[0]} failed: {done.stderr}")
        return done.stdout

    def run(self, python: str, text: str, *arguments: str, path: Sequence[Path] = ()) -> str:
        """What a Python script prints that is run to its end by the interpreter of ours."""
        script = self.folder / f"{uuid.uuid4().hex}.py"
        script.write_text(text, encoding="utf-8")
        # One thread, as the servers have that the results are compared with.
        variables = {"PYTHONPATH": os.pathsep.join(map(str, path)), "OMP_NUM_THREADS": "1"}
        command = [python, str(script), *arguments]
        if self.image:
            prefix = [self._client, "run", "--rm", "--network", "none", "--label", self._label]
            prefix += _mounts({str(self.folder): (self.folder, ""), **{str(one): (one, "readonly") for one in path}})
            command = [*prefix, *_variables(variables), self.image, *command]
        done = subprocess.run(
            command,
            env={**os.environ, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            timeout=TIMEOUT_S,
        )
        if done.returncode:
            sys.exit(f"bench: a script failed:\n{done.stderr}")
        return done.stdout

    @contextlib.contextmanager
    def serving(
        self,
        variant: Variant,
        model: Path,
        workers: int | None,
        environment: Mapping[str, str] | None = None,
        model_folder: str = "model",
    ) -> Iterator[Server]:
        """The server, ready with all its workers until the block ends.

        Args:
            variant: Which one.
            model: What it sees in place of /opt/ml/model.
            workers: How many; None leaves it to the server.
            environment: More variables.
            model_folder: "models" when many are there: it sees them in place of /opt/ml/models.
        """
        self._servers += 1
        own = self.folder / f"server-{self._servers}"
        for name in ("ml/code", f"ml/{model_folder}", "notes", "nginx", "packages"):
            (own / name).mkdir(parents=True)
        (own / "ml/code/inference.py").write_text(variant.script, encoding="utf-8")
        port = free_port()
        base = own / "ml" if self.image is None else Path("/opt/ml")
        variables = {
            "SAGEMAKER_PROGRAM": "inference.py",
            "SAGEMAKER_SUBMIT_DIRECTORY": str(base / "code"),
            "SAGEMAKER_BIND_TO_PORT": str(port),
            **({"SAGEMAKER_MODEL_SERVER_WORKERS": str(workers)} if workers else {}),
            "BENCH_NOTES": str(own / "notes"),
            "BENCH_MODEL": str(base / "model" / "model.joblib"),
            "PYTHONDONTWRITEBYTECODE": "1",
            **{name: value.replace("{own}", str(own)) for name, value in variant.environment.items()},
            **(environment or {}),
        }
        if self.image is None:
            # Folders of its own, which the server may do away with, and links to the files, which may be large. With a
            # link to the folder they would be outside of its tree, where ours loads no models from.
            shutil.copytree(model, own / "ml" / model_folder, copy_function=os.link, dirs_exist_ok=True)
            variables["SAGEMAKER_BASE_DIR"] = str(base)
            variables["SAGEMAKER_SERVING_MODULE"] = "sagemaker_sklearn_container.serving:main"
            variables["BENCH_NGINX_CONF"] = str(own / "nginx.conf")
        command = [word.format(port=port, workers=workers) for word in variant.command]
        if self.image:
            server = self._in_container(variant, own, {f"/opt/ml/{model_folder}": model}, command, variables)
        else:
            server = self._on_host(own, command, variables)
        server.port = port
        server.base = base
        try:
            server.start = server.wait_until_ready(variant, own / "notes")
            yield server
        finally:
            server.stop()
            shutil.rmtree(own, ignore_errors=True)

    def _in_container(
        self,
        variant: Variant,
        own: Path,
        models: Mapping[str, Path],
        command: Sequence[str],
        variables: Mapping[str, str],
    ) -> Server:
        name = f"bench-serving-{uuid.uuid4().hex}"
        mounts: dict[str, tuple[Path, str]] = {
            str(own): (own, ""),
            "/opt/ml": (own / "ml", ""),
            **{target: (source, "readonly") for target, source in models.items()},
            # On a disk, as in an image: the replaced stack keeps large bodies there.
            "/var/lib/nginx": (own / "nginx", ""),
            **{str(folder): (folder, "readonly") for folder in variant.folders},
            **{target: (source, "readonly") for target, source in variant.files.items()},
        }
        # Logs go to a file: the engine's own way of keeping them would take processor time from the chattier servers.
        shell = ("sh", "-c", f'exec "$@" >> {own}/log 2>&1', "sh")
        self.engine(
            *("run", "--detach", "--network", "host", "--name", name, "--label", self._label),
            *_mounts(mounts),
            *_variables(variables),
            *(str(self.image), *shell, *command),
        )
        # Without --rm: one that ended at once can still be asked when it started, and says why not in its log.
        pid, started = self.engine("inspect", "--format", "{{.State.Pid}} {{.State.StartedAt}}", name).split()
        # Nanoseconds are more than the standard library reads.
        moment = datetime.strptime(started[:26].rstrip("Z"), "%Y-%m-%dT%H:%M:%S.%f").replace(tzinfo=timezone.utc)
        return Server(int(pid), moment.timestamp(), own / "log", lambda: self.engine("rm", "--force", name))

    def _on_host(self, own: Path, command: Sequence[str], variables: Mapping[str, str]) -> Server:
        begin = time.time()
        with open(own / "log", "ab") as log:
            process = subprocess.Popen(
                list(command),
                env={**os.environ, **variables},
                cwd=own,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )

        def stop() -> None:
            left = processes.tree(process.pid)
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
            for pid in reversed(left):
                # Those that ended have left their number free, but it is not given away again so soon.
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.wait()

        return Server(process.pid, begin, own / "log", stop)

    def close(self) -> None:
        """Remove the containers that are left."""
        if self.image:
            left = self.engine("ps", "--all", "--quiet", "--filter", f"label={self._label}").split()
            # One that is being removed already is no reason to fail.
            with contextlib.suppress(SystemExit):
                if left:
                    self.engine("rm", "--force", "--volumes", *left)


class Server:
    """A server that was started."""

    def __init__(self, root: int, begin: float, log: Path, stop: Callable[[], object]) -> None:
        """Its first process, when that started, and how it is stopped."""
        self.root = root
        self.port = 0
        # Its /opt/ml, by the name that it knows.
        self.base = Path()
        self.start = Start(0, 0)
        self._begin = begin
        self._log = log
        self._stop = stop

    def wait_until_ready(self, variant: Variant, notes: Path) -> Start:
        """Ask for /ping until the first 200, and on until as many processes as need to have loaded the model.

        The replaced stack's workers load it when they are first asked, and a 200 means that one has. To its advantage
        nobody waits for a worker that loads: the next request goes to the other one, so that both load at once. Where
        the first 200 is all that counts, one client waits for it: a worker of the replaced stack that is asked again
        while it imports for seconds may never answer.
        """
        clients, patience_s = (_POLL_CLIENTS, _POLL_PATIENCE_S) if variant.loads else (1, START_TIMEOUT_S)
        answered: list[float] = []
        ready: list[float] = []

        def ask() -> None:
            # A process that is gone will not answer.
            while not ready and time.time() < self._begin + START_TIMEOUT_S and Path(f"/proc/{self.root}").exists():
                # A connection of its own each time, so that any worker may get it.
                client = Client(self.port, timeout=patience_s)
                if client.ask("/ping")[0] == 200:
                    answered.append(time.time() - self._begin)
                client.close()
                if answered and len(list(notes.iterdir())) >= variant.loads:
                    ready.append(time.time() - self._begin)
                elif not answered:
                    time.sleep(_POLL_S)

        together([ask] * clients)
        if not ready:
            sys.exit(f"bench: {variant.name} did not start:\n{self.log()}")
        return Start(min(answered), min(ready))

    def log(self) -> str:
        """The end of what it logged, but for lines about pings."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines() if self._log.exists() else []
        return "\n".join([line for line in lines if "/ping" not in line][-40:])

    def cpu_s(self) -> float:
        """Processor time used so far."""
        return processes.cpu_s(self.root)

    def stop(self) -> None:
        """End it, and whatever it started."""
        self._stop()


def free_port() -> int:
    """A TCP port of the host that nobody listens at, of those that no client is given and the Java server takes."""
    for port in random.sample(_PORTS, len(_PORTS)):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    sys.exit("bench: no port is free")


def _mounts(mounts: Mapping[str, tuple[Path, str]]) -> list[str]:
    words = []
    for target, (source, kind) in mounts.items():
        words += ["--mount", f"type=bind,source={source},target={target}" + (f",{kind}" if kind else "")]
    return words


def _variables(variables: Mapping[str, str]) -> list[str]:
    return [word for name, value in variables.items() for word in ("--env", f"{name}={value}")]


def replaced_variant(python: Path, venv: Path, folder: Path) -> Variant:
    """The replaced stack: nginx, gunicorn with gevent, Flask, and the toolkit between them, as its image had them."""
    nginx = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if nginx is None:
        sys.exit("bench: no nginx: apt-get install nginx-light (it need not run)")
    package = folder / "sagemaker_sklearn_container"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "serving.py").write_text(scripts.REPLACED_MODULE, encoding="utf-8")
    # The replaced image had compiled modules, too.
    subprocess.run([str(python), "-m", "compileall", "-q", str(package)], check=True, timeout=TIMEOUT_S)
    environment = {
        "PATH": f"{venv}/bin:{Path(nginx).parent}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "PYTHONPATH": f"{folder}:{{own}}/packages",
        # It installs the user's script at every start: not into the environment, which is kept, but beside it.
        "PIP_TARGET": "{own}/packages",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
    }
    return Variant(
        name="replaced",
        command=(str(venv / "bin" / "python"), "-c", REPLACED_START),
        script=scripts.REPLACED_USER_SCRIPT,
        environment=environment,
        loads=2,
        folders=(folder, venv, python.parent.parent),
        # The image's libraries serve the host's nginx.
        files={nginx: Path(nginx), "/etc/nginx": Path("/etc/nginx")},
    )


def replaced_multi_model_variant(python: Path, venv: Path, java: Path, folder: Path) -> Variant:
    """The replaced server for many models: the Java server, and the toolkit in the workers that it starts.

    Without the plug-in that the replaced image has beside it, for the path /execution-parameters.
    """
    package = folder / "sagemaker_sklearn_container"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "serving.py").write_text(scripts.REPLACED_MULTI_MODEL_MODULE, encoding="utf-8")
    (package / "handler_service.py").write_text(scripts.REPLACED_HANDLER_SERVICE, encoding="utf-8")
    subprocess.run([str(python), "-m", "compileall", "-q", str(package)], check=True, timeout=TIMEOUT_S)
    home = java.resolve().parent.parent
    # Debian keeps what may be edited elsewhere, and links to it.
    settings = {(home / "conf" / name).resolve().parent for name in ("net.properties", "security/java.security")}
    return Variant(
        name="replaced",
        command=(str(venv / "bin" / "python"), "-c", REPLACED_START),
        script=scripts.MULTI_MODEL_SCRIPT,
        environment={
            "PATH": f"{venv}/bin:{home}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "PYTHONPATH": f"{folder}:{{own}}/packages",
            "PIP_TARGET": "{own}/packages",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_ROOT_USER_ACTION": "ignore",
            "SAGEMAKER_MULTI_MODEL": "true",
            "BENCH_CONFIG": "{own}/multi-model-server.properties",
            "BENCH_COLLECTOR": _collector(java),
            # It notes its process there, and refuses to start when that one runs.
            "TMPDIR": "{own}",
        },
        loads=0,
        folders=(folder, venv, python.parent.parent, home, *(one for one in settings if home not in one.parents)),
    )


def java_runtime(chosen: str | None) -> Path:
    """A Java runtime: the chosen one, or the one on PATH."""
    java = shutil.which(chosen or "java")
    if java is None:
        sys.exit("bench: no Java runtime: apt-get install default-jre-headless, or name one with --peer-java")
    return Path(java)


def _collector(java: Path) -> str:
    for option in _COLLECTORS:
        done = subprocess.run(
            [str(java), option, "-version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=TIMEOUT_S
        )
        if done.returncode == 0:
            return option
    sys.exit(f"bench: {java} does not start")


def bar_variant(python: str, packages: Path, folder: Path) -> Variant:
    """What an engineer would write: Starlette under uvicorn."""
    folder.mkdir(parents=True)
    (folder / "engineers_app.py").write_text(scripts.BAR_APP, encoding="utf-8")
    arguments = ("--host", "0.0.0.0", "--port", "{port}", "--workers", "{workers}")
    return Variant(
        name="Starlette",
        command=(python, "-m", "uvicorn", "engineers_app:app", *arguments, "--no-access-log", "--log-level", "warning"),
        script=scripts.USER_SCRIPT,
        environment={"PYTHONPATH": f"{folder}:{packages}"},
        loads=2,
        folders=(folder, packages),
    )
