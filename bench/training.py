"""Measures what `train` costs: time to the user's script, memory, output, and the way of SIGTERM to the script.

    python3 bench/training.py [--runs 15] [--image TAG]

The toolkit that this one replaces is measured beside it: its releases are installed, once, into a virtual environment
of CPython 3.7, and run in containers of the same image. Every comparison takes turns, so that both sides see the same
machine. Prints a table and which goals hold; the exit code is 1 when one is missed. Needs the image, an engine on this
machine, and for the first run a package index and a C compiler; takes about five minutes on two cores.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import re
import select
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Iterator, Sequence

IMAGE = "preprod-sklearn:0.23-1-cpu-py3"

START_GOAL_S = 0.35
FASTER_GOAL = 5.0
RSS_GOAL_MB = 40.0
STOP_GOAL_S = 1.0
# "No measurable slowdown": one above this that chance does not explain, or one whose interval reaches beyond the wide
# limit, because then nothing was measured at all.
OUTPUT_GOAL = 1.05
OUTPUT_WIDE_GOAL = 1.25

LINES = 1_000_000
TURNS = 50
# The first turns overlap the start of the other container.
WARM_UP_TURNS = 2
# How long the toolkit that does not pass SIGTERM on is given to do so.
PATIENCE_S = 2.0
# No single call of the engine takes nearly as long.
TIMEOUT_S = 300
KB, MB = 1024, 1_000_000

# What the replaced image had installed, as far as `train` imports it.
PEER_PINS = (
    "Flask==1.1.1",
    "MarkupSafe==2.1.1",
    "Werkzeug==0.15.6",
    "boto3==1.24.17",
    "botocore==1.27.18",
    "cryptography==35.0.0",
    "gunicorn==20.0.4",
    "itsdangerous==2.0.1",
    "jinja2==3.0.3",
    "numpy==1.19.2",
    "pandas==1.1.3",
    "protobuf==3.20.2",
    "psutil==5.7.2",
    "retrying==1.3.3",
    "scikit-learn==0.23.2",
    "scipy==1.5.3",
    "six==1.15.0",
)
# Both toolkits bring a command `train`, and the one installed last has it. In the replaced image that was the older
# one's, as the log of its jobs shows: "sagemaker-containers INFO Imported framework sagemaker_sklearn_container...".
PEER_STEPS = (
    # With it pip builds wheels, whose commands start faster than those of `setup.py install`.
    ("wheel==0.42.0",),
    ("sagemaker-training==4.0.1", *PEER_PINS),
    ("sagemaker-containers==2.8.6.post2", "sagemaker-training==4.0.1", *PEER_PINS),
)
# The replaced image's own package is on no index. `train` calls the function that SAGEMAKER_TRAINING_MODULE names, and
# only that one's way through the newer toolkit is what the replaced image did: without it the older toolkit would run
# the script by itself. The name is the one that the variable has in both images.
PEER_MODULE = """
from sagemaker_training import entry_point, environment, runner


def main():
    job = environment.Environment()
    entry_point.run(
        uri=job.module_dir,
        user_entry_point=job.user_entry_point,
        args=job.to_cmd_args(),
        env_vars=job.to_env_vars(),
        runner_type=runner.ProcessRunnerType,
    )
"""
PEER_FOLDER = "/opt/replaced"

# The user's scripts. Host and containers share one clock.
FIRST_LINE = """
import time
print(time.time())
"""
SLEEPER = """
import signal, time
def stop(number, frame):
    print(time.time())
    raise SystemExit
signal.signal(signal.SIGTERM, stop)
print("ready")
time.sleep(60)
"""
# Two containers print in turns, so that both meet the same load from elsewhere. Opening a named pipe for reading and
# writing waits for nobody. The pause lets the engine write down what the other one has left behind.
PRINTER = f"""
import json, os, sys, time
stream = getattr(sys, os.environ["MEASURED_STREAM"])
mine, others = (os.open("/opt/ml/turns/" + os.environ[name], os.O_RDWR) for name in ("MY_TURN", "OTHERS_TURN"))
taken = []
for first in range(0, {LINES}, {LINES // TURNS}):
    os.read(mine, 1)
    time.sleep(0.02)
    begin = time.perf_counter()
    for number in range(first, first + {LINES // TURNS}):
        print(f"line {{number:06d}} metric=0.5; loss=0.25;", file=stream)
    taken.append(time.perf_counter() - begin)
    os.write(others, b".")
with open("/opt/ml/turns/taken-by-" + os.environ["MY_TURN"], "w") as result:
    json.dump(taken, result)
"""
SCRIPTS = {"first_line.py": FIRST_LINE, "sleeper.py": SLEEPER, "printer.py": PRINTER}


@dataclass(frozen=True)
class Way:
    """One way of running a script: the command in the container, and options of `docker run`."""

    command: tuple[str, ...]
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Goal:
    """One line of the verdict."""

    text: str
    holds: bool


class Engine:
    """Containers of one image, all with the same tree at /opt/ml; those that are left are removed at the end."""

    def __init__(self, image: str, tree: Path) -> None:
        """Nothing is run yet."""
        client = shutil.which("docker", path="/usr/bin") or shutil.which("docker")
        if client is None:
            sys.exit("bench: no docker client on PATH")
        self.client = client
        self._image = image
        self._tree = tree
        self._label = f"bench-training={uuid.uuid4().hex}"

    def call(self, *arguments: str) -> bytes:
        """Standard output of the docker client."""
        done = finished([self.client, *arguments])
        if done.returncode:
            sys.exit(f"bench: docker {arguments[0]} failed: {done.stderr.decode(errors='replace')}")
        return done.stdout

    def run_command(self, way: Way, *options: str) -> list[str]:
        """The command line that runs a container to its end, attached."""
        # The name of the host resolves as it does on the platform; no network has to be set up for it.
        return [
            *(self.client, "run", "--network", "none", "--hostname", "algo-1", "--add-host", "algo-1:127.0.0.1"),
            *("--label", self._label, "--mount", f"type=bind,source={self._tree},target=/opt/ml"),
            *("--workdir", "/opt/ml/code", *way.options, *options, self._image, *way.command),
        ]

    def remove(self) -> None:
        """End and remove the containers that are left."""
        left = self.call("ps", "--all", "--quiet", "--filter", f"label={self._label}").decode().split()
        if left:
            self.call("rm", "--force", "--volumes", *left)

    def close(self) -> None:
        """Remove the containers that are left, and what they wrote if that is not ours to remove."""
        self.remove()
        if os.geteuid():
            wipe = Way(("find", "/opt/ml", "-mindepth", "1", "-delete"), ("--rm",))
            self.call(*self.run_command(wipe)[1:])


def write_tree(tree: Path) -> None:
    """The platform's files below /opt/ml, and the scripts as the user's code."""
    contents = {
        "input/config/hyperparameters.json": "{}",
        "input/config/inputdataconfig.json": "{}",
        "input/config/resourceconfig.json": json.dumps(
            {"current_host": "algo-1", "hosts": ["algo-1"], "network_interface_name": "eth0"}
        ),
        **{f"code/{name}": text for name, text in SCRIPTS.items()},
    }
    for folder in ("code", "input/config", "model", "output", "turns"):
        (tree / folder).mkdir(parents=True)
    for name, text in contents.items():
        (tree / name).write_text(text, encoding="utf-8")


def program(name: str) -> tuple[str, ...]:
    """Options that make `train` run a script."""
    return ("--env", f"SAGEMAKER_PROGRAM={name}")


# The replaced toolkit.


def peer_interpreter(chosen: str | None) -> Path:
    """A CPython 3.7: the chosen one, pyenv's, or one on PATH."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv", "versions")
    candidates = [chosen] if chosen else [*sorted(map(str, pyenv.glob("3.7.*/bin/python3.7"))), "python3.7"]
    question = "import sys; print(sys.version_info[:2] == (3, 7), sys.base_prefix)"
    for candidate in filter(None, map(shutil.which, candidates)):
        answer = subprocess.run(
            [candidate, "-c", question], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=TIMEOUT_S
        ).stdout
        fits, _, prefix = answer.strip().partition(" ")
        # Its folder is mounted in the container at the same place, where nothing of the image may be.
        if fits == "True" and prefix not in ("/usr", "/usr/local"):
            return Path(prefix, "bin", "python3.7")
    sys.exit("bench: no CPython 3.7 in a folder of its own, for example pyenv's; name one with --peer-python")


def peer_venv(interpreter: Path, venv: Path, steps: Sequence[Sequence[str]] = PEER_STEPS) -> Path:
    """The virtual environment with the replaced toolkit; it is kept, and made anew when it should hold anything else.

    The index is pip's own choice; its settings apply.
    """
    note = venv / "made-of.json"
    made_of = json.dumps([str(interpreter), steps])
    if not note.is_file() or note.read_text(encoding="utf-8") != made_of:
        print(f"bench: installing the replaced toolkit into {venv} (once)", file=sys.stderr)
        subprocess.run([str(interpreter), "-m", "venv", "--clear", str(venv)], check=True, timeout=TIMEOUT_S)
        for step in steps:
            done = subprocess.run(
                [str(venv / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check", *step],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=3 * TIMEOUT_S,
            )
            if done.returncode:
                sys.exit(f"bench: installing the replaced toolkit failed:\n{done.stdout}")
        note.write_text(made_of, encoding="utf-8")
    if "sagemaker_containers" not in (venv / "bin" / "train").read_text(encoding="utf-8"):
        sys.exit(f"bench: {venv}/bin/train is not the one of sagemaker-containers; remove the folder and run again")
    return venv


def peer_options(interpreter: Path, venv: Path, folder: Path) -> tuple[str, ...]:
    """Options that bring the replaced toolkit into a container of the same image, read-only at its own paths."""
    package = folder / "sagemaker_sklearn_container"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "training.py").write_text(PEER_MODULE, encoding="utf-8")
    # The replaced image had compiled modules, too.
    subprocess.run([str(interpreter), "-m", "compileall", "-q", str(package)], check=True, timeout=TIMEOUT_S)
    options = ["--env", f"PYTHONPATH={PEER_FOLDER}"]
    for source, target in ((folder, PEER_FOLDER), (venv, venv), (interpreter.parent.parent,) * 2):
        options += ["--mount", f"type=bind,source={source},target={target},readonly"]
    return tuple(options)


# The measurements.


def first_lines(engine: Engine, ways: dict[str, Way], runs: int) -> dict[str, list[float]]:
    """Seconds from `docker run` to the time that each way's first line states, once per run."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    names = list(ways)
    for number in range(runs + 1):
        # Every way comes first in turn: none always follows the slowest one.
        first = number % len(names)
        for name in names[first:] + names[:first]:
            command = engine.run_command(ways[name], "--rm")
            begin = time.time()
            done = finished(command)
            if done.returncode:
                sys.exit(f"bench: {name} failed:\n{done.stderr.decode(errors='replace')}")
            if number:  # the first of each warms up
                taken[name].append(float(done.stdout) - begin)
    return taken


@dataclass(frozen=True)
class Asleep:
    """What was seen of a launcher whose script sleeps: memory in bytes; seconds to the handler, None for not at all."""

    rss: int
    pss: int
    stopped: float | None


def asleep(engine: Engine, way: Way) -> Asleep:
    """Memory of a launcher while its script sleeps, and how soon the script's handler runs after SIGTERM."""
    name = f"bench-training-{uuid.uuid4().hex}"
    process = subprocess.Popen(
        engine.run_command(way, "--name", name), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
    )
    assert process.stdout is not None
    try:
        if line(process.stdout, TIMEOUT_S) != b"ready\n":
            sys.exit("bench: the sleeping script did not start")
        # From within: the kernel shows a process of root's to root alone, and the engine may be another user's.
        memory = engine.call("exec", name, "cat", "/proc/1/smaps_rollup").decode()
        begin = time.time()
        engine.call("kill", "--signal", "TERM", name)
        answer = line(process.stdout, PATIENCE_S)
        stopped = float(answer) - begin if answer else None
        return Asleep(rss=in_bytes(memory, "Rss"), pss=in_bytes(memory, "Pss"), stopped=stopped)
    finally:
        engine.remove()
        process.wait(TIMEOUT_S)
        process.stdout.close()


def line(stream: IO[bytes], seconds: float) -> bytes:
    """The next line of an unbuffered stream; empty if there is none in time."""
    return stream.readline() if select.select([stream], [], [], seconds)[0] else b""


def in_bytes(memory: str, name: str) -> int:
    """Bytes that a line of smaps_rollup states."""
    found = re.search(rf"^{name}:\s+(\d+) kB$", memory, re.MULTILINE)
    assert found is not None, memory
    return int(found.group(1)) * KB


@dataclass(frozen=True)
class Printed:
    """Both ways of printing all lines: seconds of their turns, and whether every byte of `train`'s arrived."""

    bare: list[float]
    train: list[float]
    attached: bool
    logged: bool


def printed(engine: Engine, tree: Path, stream: str, number: int) -> Printed:
    """Two containers, one of them with the script run bare, print the lines in turns to one of their streams.

    Who has the first turn changes from round to round; the log is read in the first, numbered 0.
    """
    expected = b"".join(b"line %06d metric=0.5; loss=0.25;\n" % place for place in range(LINES))
    turns = ("train", "bare") if number % 2 else ("bare", "train")
    ways = {
        "bare": Way(("python", "printer.py"), ("--env", "OTHERS_TURN=train")),
        "train": Way(("train",), (*program("printer.py"), "--env", "OTHERS_TURN=bare")),
    }
    names = {turn: f"bench-training-{uuid.uuid4().hex}" for turn in turns}
    done: dict[str, subprocess.CompletedProcess[bytes]] = {}
    with contextlib.ExitStack() as stack:
        for turn in turns:
            os.mkfifo(tree / "turns" / turn)
            stack.callback(os.remove, tree / "turns" / turn)
        baton = os.open(tree / "turns" / turns[0], os.O_RDWR)
        stack.callback(os.close, baton)
        pool = stack.enter_context(ThreadPoolExecutor())
        # Before the pool waits for them: when one fails, the other waits for its turn in vain.
        stack.callback(engine.remove)
        outputs = {}
        for turn in turns:
            options = ("--env", f"MEASURED_STREAM={stream}", "--env", f"MY_TURN={turn}", "--name", names[turn])
            outputs[pool.submit(finished, engine.run_command(ways[turn], *options))] = turn
        os.write(baton, b".")
        for output in as_completed(outputs):
            done[outputs[output]] = output.result()
            if output.result().returncode:
                sys.exit(f"bench: printing failed ({outputs[output]}, exit code {output.result().returncode})")
        log = done["train"] if number else finished([engine.client, "logs", names["train"]])
    if getattr(done["bare"], stream) != expected:
        sys.exit("bench: the engine itself changed what was printed")
    taken = {}
    for turn in turns:
        result = tree / "turns" / f"taken-by-{turn}"
        taken[turn] = json.loads(result.read_text(encoding="utf-8"))[WARM_UP_TURNS:]
        result.unlink()
    return Printed(
        bare=taken["bare"],
        train=taken["train"],
        attached=is_exactly(getattr(done["train"], stream), expected, stream),
        logged=is_exactly(getattr(log, stream), expected, stream),
    )


def finished(command: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
    """A command that has run to its end, and what it printed to either stream."""
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=TIMEOUT_S)


def is_exactly(output: bytes, expected: bytes, stream: str) -> bool:
    """Whether a stream is what the script printed, on standard error between whole lines of the launcher's own log."""
    if stream == "stdout":
        return output == expected
    before, found, after = output.partition(expected)
    return bool(found) and before[-1:] in (b"", b"\n") and b"metric=" not in before + after


# The report.


def spread(values: Sequence[float], unit: str = " s", digits: int = 3) -> str:
    """Median and range, for a table."""
    low, middle, high = (f"{value:.{digits}f}" for value in (min(values), statistics.median(values), max(values)))
    return f"{middle}{unit} ({low} to {high})"


def median_interval(values: Sequence[float]) -> tuple[float, float]:
    """Between which two of the values the true median lies in 19 cases of 20."""
    ordered = sorted(values)
    reach = 0.98 * len(ordered) ** 0.5
    middle = (len(ordered) - 1) / 2
    return ordered[max(0, math.floor(middle - reach))], ordered[min(len(ordered) - 1, math.ceil(middle + reach))]


def report_start(taken: dict[str, list[float]]) -> Iterator[Goal]:
    """Print how long until the first line; the goals about it."""
    starts = taken["container"]
    beyond = {name: [one - start for one, start in zip(times, starts)] for name, times in taken.items()}
    bare = [ours - python for ours, python in zip(taken["train"], taken["python"])]
    ours, peer, newer = (statistics.median(beyond[name]) for name in ("train", "peer", "newer toolkit"))
    print(f"| the container's own start: `date`, run in it | {spread(starts)} |")
    print(f"| first line of the script, beyond that: `python script.py` | {spread(beyond['python'])} |")
    print(f"| the same: `train` | {spread(beyond['train'])} |")
    print(f"| the same: `train` of the replaced toolkit | {spread(beyond['peer'])}, {peer / ours:.1f} times ours |")
    print(
        "| the same: `train` of its newer half alone, which the replaced image did not call "
        f"| {spread(beyond['newer toolkit'])}, {newer / ours:.1f} times ours |"
    )
    print(f"| `train` beyond `python script.py` | {spread(bare)} |")
    yield Goal(
        f"script starts within {START_GOAL_S} s beyond the container's own start: {ours:.3f} s", ours <= START_GOAL_S
    )
    yield Goal(f"at least {FASTER_GOAL:.0f} times faster: {peer / ours:.1f} times", peer / ours >= FASTER_GOAL)


def report_asleep(ours: Sequence[Asleep], peer: Sequence[Asleep]) -> Iterator[Goal]:
    """Print memory and time to stop; the goals about them."""
    for name, seen in (("`train`", ours), ("`train` of the replaced toolkit", peer)):
        rss, pss = ([getattr(one, kind) / MB for one in seen] for kind in ("rss", "pss"))
        print(f"| memory of {name} while the script runs, RSS | {spread(rss, ' MB', 1)} |")
        print(f"| the same, PSS | {spread(pss, ' MB', 1)} |")
    stopped = {"ours": [one.stopped for one in ours], "peer": [one.stopped for one in peer]}
    times = {name: [one for one in values if one is not None] for name, values in stopped.items()}
    for name, title in (("ours", "`train`"), ("peer", "`train` of the replaced toolkit")):
        missing = len(stopped[name]) - len(times[name])
        text = spread(times[name]) if times[name] else ""
        if missing:
            text = f"{text} not within {PATIENCE_S:.0f} s in {missing} of {len(stopped[name])}".lstrip()
        print(f"| SIGTERM to the script's handler, client's start included: {title} | {text} |")
    memory = max(one.rss for one in ours) / MB
    yield Goal(f"memory of the launcher at most {RSS_GOAL_MB:.0f} MB: {memory:.1f} MB RSS", memory <= RSS_GOAL_MB)
    slowest = max(times["ours"]) if len(times["ours"]) == len(ours) else float("inf")
    yield Goal(
        f"SIGTERM reaches the handler within {STOP_GOAL_S:.0f} s: {slowest:.3f} s at most", slowest <= STOP_GOAL_S
    )


def report_printed(stream: str, rounds: Sequence[Printed]) -> Iterator[Goal]:
    """Print how fast lines went to one stream; the goals about it."""
    title = {"stdout": "standard output", "stderr": "standard error"}[stream]
    ratios = [train / bare for one in rounds for train, bare in zip(one.train, one.bare)]
    bare, train = (
        [LINES / TURNS / seconds / 1000 for one in rounds for seconds in getattr(one, way)] for way in ("bare", "train")
    )
    ratio, (low, high) = statistics.median(ratios), median_interval(ratios)
    print(f"| thousand lines per second to {title}: `python script.py` | {spread(bare, '', 0)} |")
    print(f"| the same: `train` | {spread(train, '', 0)} |")
    print(
        f"| time of `train` to that of `python script.py`, {len(ratios)} pairs of turns "
        f"| {ratio:.3f} (the median lies between {low:.3f} and {high:.3f}) |"
    )
    exact = all(one.attached and one.logged for one in rounds)
    yield Goal(f"{LINES:,} lines to {title} arrive byte for byte, attached and in the container's log", exact)
    holds = high <= OUTPUT_WIDE_GOAL and (ratio <= OUTPUT_GOAL or low <= 1)
    text = f"{title} not measurably slower than without the launcher: {ratio:.3f} times ({low:.3f} to {high:.3f})"
    if not holds and low <= 1:
        text += "; too few turns to tell, ask for more --runs"
    yield Goal(text, holds)


def main() -> int:
    """0 when every goal holds."""
    cache = os.environ.get("SKLEARN_IMAGES_CACHE") or Path(
        os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "sklearn-images"
    )
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15, help="starts of each way; a third as many of all else")
    parser.add_argument("--image", default=IMAGE)
    parser.add_argument("--peer-python", help="CPython 3.7 for the replaced toolkit")
    parser.add_argument("--peer-venv", type=Path, default=Path(cache, "bench", "peer"), help="where it is kept")
    chosen = parser.parse_args()
    runs, few = max(1, chosen.runs), max(1, chosen.runs // 3)

    interpreter = peer_interpreter(chosen.peer_python)
    venv = peer_venv(interpreter, chosen.peer_venv.resolve())
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        tree = Path(folder, "ml").resolve()
        write_tree(tree)
        engine = Engine(chosen.image, tree)
        engine.call("image", "inspect", chosen.image)
        stack.callback(engine.close)
        toolkit = peer_options(interpreter, venv, Path(folder, "replaced").resolve())
        peer_train = (str(venv / "bin" / "train"),)
        newer_train = (str(venv / "bin" / "python"), "-c", "from sagemaker_training.cli.train import main; main()")

        trivial, sleeper = program("first_line.py"), program("sleeper.py")
        ways = {
            # The cheapest command that tells the time.
            "container": Way(("date", "+%s.%N")),
            "python": Way(("python", "first_line.py")),
            "train": Way(("train",), trivial),
            "peer": Way(peer_train, (*toolkit, *trivial)),
            "newer toolkit": Way(newer_train, (*toolkit, *trivial)),
        }
        print("| what | measured |\n| --- | --- |", flush=True)
        goals = list(report_start(first_lines(engine, ways, runs)))
        ours, peer = Way(("train",), sleeper), Way(peer_train, (*toolkit, *sleeper))
        seen = [(asleep(engine, ours), asleep(engine, peer)) for _ in range(few)]
        goals += report_asleep([one for one, _ in seen], [other for _, other in seen])
        for stream in ("stdout", "stderr"):
            rounds = [printed(engine, tree, stream, number) for number in range(few)]
            goals += report_printed(stream, rounds)
    print()
    for goal in goals:
        print(f"{'holds ' if goal.holds else 'MISSED'}  {goal.text}")
    return 0 if all(goal.holds for goal in goals) else 1


if __name__ == "__main__":
    sys.exit(main())
