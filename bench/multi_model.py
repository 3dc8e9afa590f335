"""Measures multi-model serving: ours, and the Java server that it replaces.

    python3 bench/multi_model.py [--quick] [--rows load memory csv-1 ...] [--rounds 3] [--seconds 2]

Both serve the same small models with the same script, each as it is without settings, in containers of the same image
with the host's network. They are started and loaded in turns, several rounds, so that both see the same machine. Prints
a table, and which goals hold; the exit code is 1 when one is missed. Needs root, the image, an engine on this machine,
Debian's `wrk` and `default-jre-headless`, a CPython 3.7, and for the first run a package index and a C compiler; takes
about three minutes on two cores.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable, Iterator, Sequence

REPOSITORY = Path(__file__).resolve().parent.parent
# A script sees its own folder; the benchmarks import each other from the root, as the type checker sees them.
sys.path.insert(0, str(REPOSITORY))

from bench import serving, training  # noqa: E402
from bench.serving import MB, OURS, REPLACED, Goal, Results, compared, number, spread  # noqa: E402
from bench.serving_support import load, processes, scripts, servers  # noqa: E402
from bench.serving_support.load import Body  # noqa: E402
from bench.serving_support.servers import Place, Server  # noqa: E402

MODELS = 20
MANY_MODELS = 500
MANY_MODELS_LIMIT_MB = 6000.0
CHECK_CLIENTS = 4
# Memory that ends with a process is not there at once; the replaced server answers before its workers have ended.
SETTLE_S = 1.0

START_GOAL = 5.0
LOAD_GOAL = 30.0
MEMORY_GOAL = 10.0
SINGLE_GOAL = 0.7
# Connections of the comparison with the server of one model.
SINGLE_CONNECTIONS = 4

# Ours with one model, as bench/serving.py measures it.
SINGLE = "ours, server of one model with one worker"


@dataclasses.dataclass(frozen=True)
class Row(serving.Row):
    """A body that is posted in a closed loop, and the goal of its requests per second."""

    goals: tuple[float, float] = (3, 0)
    models: int = MODELS


LOADS = {
    "csv-1": Row(f"CSV 1 row, {MODELS} models in turn", "one.csv", (1, 4)),
    "single": Row("CSV 1 row, always the same model", "one.csv", (SINGLE_CONNECTIONS,), models=1),
    "csv-5mb": Row(f"CSV 5 MB, {MODELS} models in turn", "large.csv", (4,), (10, 0), by_wrk=False),
}
ALONE = ("start", "load", "memory", "unload")
ROWS = (*ALONE, *LOADS, "many")


class Models:
    """The models of one server, as the platform loads and asks them."""

    def __init__(self, server: Server, name: str) -> None:
        """None is loaded yet."""
        self.server = server
        self._name = name
        self._client = load.Client(server.port)

    def load(self, model: str) -> float:
        """Load one; seconds until it can be asked."""
        url = f"{self.server.base}/models/{model}/model"
        return self._timed("/models", json.dumps({"model_name": model, "url": url}).encode())

    def unload(self, model: str) -> float:
        """Unload one; seconds until the server says that it has."""
        return self._timed(f"/models/{model}", method="DELETE")

    def ask(self, model: str, body: Body) -> list[int] | None:
        """What a model answers; None if that is not a list."""
        status, answer = self._client.ask(path_of(model), body.read(), body.kind)
        try:
            found = json.loads(answer) if status == 200 else None
        except ValueError:
            found = None
        return found if isinstance(found, list) else None

    def close(self) -> None:
        """Close the connection; the models stay."""
        self._client.close()

    def _timed(self, path: str, body: bytes | None = None, method: str = "POST") -> float:
        begin = time.perf_counter()
        status, answer = self._client.ask(path, body, load.JSON, method)
        taken = time.perf_counter() - begin
        if status != 200:
            sys.exit(f"bench: {self._name} answers {method} {path} with {status}: {answer!r}\n{self.server.log()}")
        return taken


class Benchmark(serving.Benchmark):
    """The servers, their models, what is posted to them, and how long."""

    @property
    def model(self) -> Path:
        """The folder of all models."""
        return self.folder / "models"

    def prepare(self, python: str) -> None:
        """Make the models, by the interpreter that serves ours."""
        count = MANY_MODELS if "many" in self.rows else MODELS
        answers = self.place.run(python, scripts.PREPARE_MODELS, str(self.model), str(self.folder), str(count))
        found = json.loads(answers)
        self.expected = found["first model"]
        self.names = [path.name for path in sorted(self.model.iterdir())]
        self.answers: dict[str, list[int]] = {model: [answer] for model, answer in zip(self.names, found["first row"])}

    def round(self, number: int, seconds: float) -> None:
        """Start each server alone, then all, and put each load on each of them in turn; who is first changes.

        Alone, since containers of one image share pages of its libraries, and each would count for a part of them only.
        """
        names = [OURS, REPLACED]
        if number % 2:
            names.reverse()
        for name in names if any(row in self.rows for row in ALONE) else ():
            with self.serving(name) as models:
                self.alone(name, models)
        if not any(row in self.rows for row in LOADS):
            return
        with contextlib.ExitStack() as stack:
            running = {}
            for name in names:
                models = stack.enter_context(self.serving(name))
                for model in self.names[:MODELS]:
                    models.load(model)
                self.check_models(name, models)
                running[name] = models.server
            if "single" in self.rows:
                one = self.model / self.names[0] / "model"
                running[SINGLE] = stack.enter_context(self.place.serving(self.variants[SINGLE], one, None))
                self.check(SINGLE, running[SINGLE])
                self.warm_up(running[SINGLE])
            for key, row in LOADS.items():
                paths = [path_of(model) for model in self.names[: row.models]]
                for connections in row.connections if key in self.rows else ():
                    for name in names:
                        self.load(name, running[name], f"{key} {connections}", row, connections, seconds, paths)
                    if key == "single":
                        self.load(SINGLE, running[SINGLE], f"{key} {connections}", row, connections, seconds)

    @contextlib.contextmanager
    def serving(self, name: str) -> Iterator[Models]:
        """A server without models, until the block ends."""
        with self.place.serving(self.variants[name], self.model, None, model_folder="models") as server:
            models = Models(server, name)
            yield models
            models.close()

    def alone(self, name: str, models: Models) -> None:
        """Start, the memory of models, and the time that it takes to load and to unload each."""
        root, small = models.server.root, self.names[:MODELS]
        self.results.add("start", name, models.server.start.first)
        # A server may answer pings while it still imports what models need: it is not given time to be done with it.
        empty = processes.pss(root)
        loads, firsts, one = [], [], 0
        for model in small:
            loads.append(models.load(model))
            begin = time.perf_counter()
            self.check_model(name, models, model)
            firsts.append(time.perf_counter() - begin)
            one = one or processes.pss(root)
        every = processes.pss(root)
        unloads = [models.unload(model) for model in small]
        time.sleep(SETTLE_S)
        left = processes.pss(root)
        self.results.add("load", name, statistics.median(loads) * 1000)
        self.results.add("first load", name, loads[0] * 1000)
        self.results.add("first", name, statistics.median(firsts) * 1000)
        self.results.add("unload", name, statistics.median(unloads) * 1000)
        self.results.add("empty", name, empty / MB)
        self.results.add("one", name, one / MB)
        self.results.add("every", name, every / MB)
        self.results.add("further", name, (every - one) / (MODELS - 1) / MB)
        self.results.add("left", name, left / MB)

    def check_model(self, name: str, models: Models, model: str) -> None:
        """Every model has to answer as itself, or nothing is compared."""
        found = models.ask(model, self.bodies["one.csv"])
        if found != self.answers[model]:
            sys.exit(f"bench: {model} of {name} answers {found}, not {self.answers[model]}\n{models.server.log()}")

    def check_models(self, name: str, models: Models) -> None:
        """All models, asked by several clients at once, and the first one's answer to the large body."""
        wrong: list[str] = []

        def ask_all() -> None:
            own = Models(models.server, name)
            for model in self.names[:MODELS]:
                found = own.ask(model, self.bodies["one.csv"])
                if found != self.answers[model]:
                    wrong.append(f"{model} answers {found}, not {self.answers[model]}")
            own.close()

        load.together([ask_all] * CHECK_CLIENTS)
        if wrong:
            sys.exit(f"bench: {name}: {wrong[0]}\n{models.server.log()}")
        found = models.ask(self.names[0], self.bodies["large.csv"]) or []
        if len(found) != load.LARGE_ROWS or found[: len(self.expected)] != self.expected:
            sys.exit(f"bench: {name} answers the large body with {len(found)} numbers: {found[:10]}")

    def many(self) -> None:
        """So many models as an endpoint may have, in ours; each is asked once."""
        with self.serving(OURS) as models:
            begin = time.perf_counter()
            loads = [models.load(model) for model in self.names]
            self.results.add("many load s", OURS, time.perf_counter() - begin)
            self.results.add("many load", OURS, statistics.median(loads) * 1000)
            begin = time.perf_counter()
            right = sum(models.ask(model, self.bodies["one.csv"]) == self.answers[model] for model in self.names)
            self.results.add("many ask s", OURS, time.perf_counter() - begin)
            self.results.add("many right", OURS, right)
            self.results.add("many", OURS, processes.pss(models.server.root) / MB)
            self.results.add("many processes", OURS, len(processes.tree(models.server.root)))


def path_of(model: str) -> str:
    """Where a model is asked."""
    return f"/models/{model}/invoke"


# The report.


def table(results: Results, rows: Sequence[str]) -> None:
    """Print what was measured, medians of the rounds."""
    names = (OURS, REPLACED, *((SINGLE,) if "single" in rows else ()))

    def line(title: str, cell: Callable[[str], str]) -> None:
        print(f"| {title} | " + " | ".join(cell(name) for name in names) + " |")

    def measured(title: str, what: str, unit: str) -> None:
        line(title, lambda name: spread(results.of(what, name), unit))

    def loaded(title: str, what: str) -> None:
        line(title, lambda name: serving.load_cell(results, what, name))

    print(f"| what | {' | '.join(names)} |\n|{' --- |' * (len(names) + 1)}")
    if "start" in rows:
        measured("start to the first 200 on /ping, no model", "start", " s")
    if "load" in rows:
        measured(f"load of a small model, median of {MODELS}", "load", " ms")
        measured("load of the first one, at once after the start", "first load", " ms")
        measured("the first request to a model, median", "first", " ms")
    if "memory" in rows:
        measured("memory at the first 200 on /ping (PSS)", "empty", " MB")
        measured("memory with one model", "one", " MB")
        measured(f"memory with {MODELS}", "every", " MB")
        measured("memory of each further one", "further", " MB")
    if "unload" in rows:
        measured(f"unload of a model, median of {MODELS}", "unload", " ms")
        measured(f"memory after all {MODELS} are unloaded", "left", " MB")
    for key, row in LOADS.items():
        for connections in row.connections if key in rows else ():
            loaded(f"{row.title}, {connections} connections", f"{key} {connections}")
    if "many" in rows:
        measured(f"{MANY_MODELS} models, one after another: time to load", "many load s", " s")
        measured("the same: median", "many load", " ms")
        measured("the same: time to ask each once", "many ask s", " s")
        measured("the same: memory (PSS)", "many", " MB")
        measured("the same: processes", "many processes", "")
    print(serving.LOADS_NOTE)


def verdict(results: Results, rows: Sequence[str]) -> Iterator[Goal]:
    """The goals about what was measured."""
    if "start" in rows:
        yield compared(results, "start", "start without models", REPLACED, START_GOAL, higher=False)
    if "load" in rows:
        yield compared(results, "load", "load of a small model", REPLACED, LOAD_GOAL, higher=False)
    if "memory" in rows:
        yield compared(results, "further", "memory of each further model", REPLACED, MEMORY_GOAL, higher=False)
    for key in ("csv-1", "csv-5mb"):
        for connections in LOADS[key].connections if key in rows else ():
            title = f"{LOADS[key].title}, {connections} connections, requests/s"
            yield compared(results, f"{key} {connections} rate", title, REPLACED, LOADS[key].goals[0], higher=True)
    if "single" in rows:
        yield beside_single(results)
    if "many" in rows:
        right, used = (results.median(what, OURS) for what in ("many right", "many"))
        yield Goal(f"{MANY_MODELS} models answer as themselves: {right:.0f}", right == MANY_MODELS)
        text = f"{MANY_MODELS} models within {MANY_MODELS_LIMIT_MB:.0f} MB: {number(used)} MB"
        yield Goal(text, used <= MANY_MODELS_LIMIT_MB)
    failed = sum(results.failed.get(name, 0) for name in (OURS, SINGLE))
    yield Goal(f"no request to ours without a 200: {failed}", failed == 0)


def beside_single(results: Results) -> Goal:
    """Requests per second to one of many models, beside those of the server of one model."""
    what = f"single {SINGLE_CONNECTIONS} rate"
    pairs = zip(results.of(what, OURS), results.of(what, SINGLE))
    shares = [rate / max(other, 1e-9) for rate, other in pairs]
    text = f"{LOADS['single'].title}: at least {SINGLE_GOAL:g} of the requests/s of the server of one model"
    return Goal(f"{text}: {spread(shares)}", statistics.median(shares) >= SINGLE_GOAL)


def main() -> int:
    """0 when every goal holds."""
    parser = serving.parser_of(__doc__, ROWS)
    parser.add_argument("--peer-venv", type=Path, default=serving.cache() / "peer-multi-model", help="where it is kept")
    parser.add_argument("--peer-java", help="Java runtime for the replaced server")
    chosen = parser.parse_args()
    rounds, seconds = serving.extent(chosen)
    serving.check_machine()
    java = servers.java_runtime(chosen.peer_java)
    interpreter = training.peer_interpreter(chosen.peer_python)
    steps = (*training.PEER_STEPS, (*training.PEER_STEPS[-1], *servers.MULTI_MODEL_PINS))
    venv = training.peer_venv(interpreter, chosen.peer_venv.resolve(), steps)
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name).resolve()
        # Servers may change to another user.
        folder.chmod(0o755)
        place = Place(None if chosen.local else chosen.image, folder)
        stack.callback(place.close)
        single = dataclasses.replace(serving.ours_variant(chosen), script=scripts.MULTI_MODEL_SCRIPT, loads=0)
        variants = {
            OURS: dataclasses.replace(single, environment={**single.environment, "SAGEMAKER_MULTI_MODEL": "true"}),
            REPLACED: servers.replaced_multi_model_variant(interpreter, venv, java, folder / "replaced"),
            # As many processes as a model has.
            SINGLE: dataclasses.replace(
                single, name=SINGLE, environment={**single.environment, "SAGEMAKER_MODEL_SERVER_WORKERS": "1"}
            ),
        }
        benchmark = Benchmark(place, variants, folder, chosen.rows)
        benchmark.prepare(chosen.local or "python")
        for round_number in range(rounds if chosen.rows != ["many"] else 0):
            print(f"bench: round {round_number + 1} of {rounds}", file=sys.stderr, flush=True)
            benchmark.round(round_number, seconds)
        if "many" in chosen.rows:
            print(f"bench: {MANY_MODELS} models", file=sys.stderr, flush=True)
            benchmark.many()
        table(benchmark.results, chosen.rows)
        benchmark.print_others()
    return serving.conclude(benchmark.results, list(verdict(benchmark.results, chosen.rows)))


if __name__ == "__main__":
    sys.exit(main())
