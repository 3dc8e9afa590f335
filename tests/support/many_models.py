"""A server of many models, and a client of its API."""

from __future__ import annotations

import json
import time
from types import TracebackType
from typing import Any, Iterator, Mapping
from urllib.parse import quote

import requests

from tests.support.platform import MlTree, Platform, Server

PATIENCE_S = 60.0

# A script whose models do what the file `load` in their directories says when they are loaded, and then what bodies
# say. A body that is no command is answered with what is in the file `value`, and the body.
SCRIPT = """
import os, resource, signal, sys, time

HELD = []

def obey(command, argument):
    if command == "raise":
        raise ValueError(argument)
    if command == "exit":
        sys.exit(argument or 0)
    if command == "leave":
        os._exit(3)
    if command == "kill":
        os.kill(int(argument or os.getpid()), signal.SIGKILL)
    if command == "memory":
        raise MemoryError("all gone")
    if command == "sleep":
        time.sleep(float(argument))
    if command == "print":
        print(argument)
    if command == "hold":
        HELD.append(os.urandom(1 << 20) * int(argument))
    if command == "family":
        return family()

def family():
    parent = os.getppid()
    children = open(f"/proc/{parent}/task/{parent}/children").read().split()
    told = {}
    for pid in [str(parent), *children]:
        try:
            lines = open(f"/proc/{pid}/smaps_rollup").read().splitlines()
            pss = sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
            told[pid] = {"kib": pss, "descriptors": len(os.listdir(f"/proc/{pid}/fd"))}
        except OSError:
            continue
    return told

def model_fn(model_dir):
    def content(name):
        path = os.path.join(model_dir, name)
        return open(path, encoding="utf-8").read() if os.path.exists(path) else ""
    if os.path.exists(os.path.join(model_dir, "lock")):
        import fcntl
        HELD.append(open(os.path.join(model_dir, "lock")))
        fcntl.flock(HELD[-1], fcntl.LOCK_SH)
    for line in content("load").splitlines():
        command, _, argument = line.partition(" ")
        obey(command, argument)
    return {"directory": model_dir, "value": content("value")}

def input_fn(body, content_type):
    return body if isinstance(body, str) else body.decode()

def predict_fn(data, model):
    command, _, argument = data.partition(" ")
    told = obey(command, argument)
    if told is None:
        told = {
            **model,
            "body": data,
            "pid": os.getpid(),
            "cwd": os.getcwd(),
            "threads": os.environ.get("OMP_NUM_THREADS"),
        }
    return told

def output_fn(prediction, accept):
    import json
    return json.dumps(prediction), accept
"""


class Models:
    """The models of a server; leaving the context ends the server."""

    def __init__(self, tree: MlTree, server: Server) -> None:
        """Models that lie in `tree`."""
        self.tree = tree
        self.server = server

    def __enter__(self) -> Models:
        """The models."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server."""
        self.server.stop()

    def make(self, folder: str, **files: str) -> str:
        """The url of a new model with the given files; `load` and `value` are what the script reads."""
        for name, content in {"value": folder, **files}.items():
            self.tree.write(f"models/{folder}/model/{name}", content)
        return self.tree.inside(f"models/{folder}/model")

    def load(self, name: str, url: str | None = None, **more: Any) -> Any:
        """The answer to loading a model; without a url it is made first."""
        url = self.make(name) if url is None else url
        return self.post_models(json.dumps({"model_name": name, "url": url, **more}))

    def post_models(self, body: str | bytes, query: str = "", **headers: str) -> Any:
        """The answer to a request to load a model."""
        return self._ask("POST", f"/models{query}", body, **{"Content-Type": "application/json", **headers})

    def loaded(self, *names: str, **files: str) -> None:
        """Make models with the given files, and load them."""
        for name in names:
            answer = self.load(name, self.make(name, **files))
            assert answer.status_code == 200, answer.text

    def unload(self, name: str) -> Any:
        """The answer to unloading a model."""
        return self._ask("DELETE", path_of(name))

    def describe(self, name: str) -> Any:
        """The answer to asking about a model."""
        return self._ask("GET", path_of(name))

    def scale(self, name: str, **query: object) -> Any:
        """The answer to giving a model so many workers."""
        return self._ask("PUT", f"{path_of(name)}?{'&'.join(f'{key}={value}' for key, value in query.items())}")

    def invoke(self, name: str, body: str | bytes = "word", **headers: str) -> Any:
        """The answer of a model."""
        return self._ask("POST", f"{path_of(name)}/invoke", body, **{"Content-Type": "text/plain", **headers})

    def says(self, name: str, body: str = "word") -> dict[str, Any]:
        """What a model of `SCRIPT` tells."""
        answer = self.invoke(name, body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def family(self, name: str, models: int) -> dict[int, Mapping[str, int]]:
        """What the server's processes hold, by process id: `kib` of memory, shared pages in parts, and `descriptors`.

        Args:
            name: Of the model that is asked, with one worker as each model.
            models: How many there are. Beside them there are the first process, the gateway, and the process that is
                forked ahead; only when all of them are there it is the same memory that is counted twice in a test.
        """
        deadline = time.monotonic() + PATIENCE_S
        while True:
            told = self.says(name, "family")
            if len(told) == models + 3:
                return {int(pid): held for pid, held in told.items()}
            assert time.monotonic() < deadline, f"{models} models, and processes {sorted(told)}"
            time.sleep(0.05)

    def page(self, query: str = "") -> Any:
        """One page of the list."""
        answer = self._ask("GET", f"/models{query}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def names(self, limit: int = 100) -> list[str]:
        """The names of all models, by as many pages as it takes."""
        return [str(model["modelName"]) for model in self._listed(limit)]

    def _listed(self, limit: int) -> Iterator[Mapping[str, str]]:
        token = ""
        while True:
            page = self.page(f"?limit={limit}{token}")
            yield from page["models"]
            if "nextPageToken" not in page:
                return
            assert page["models"], page
            token = f"&next_page_token={page['nextPageToken']}"

    def ask(self, method: str, path: str, body: str | bytes = b"", **headers: str) -> Any:
        """The answer to any request."""
        return self._ask(method, path, body, **headers)

    def _ask(self, method: str, path: str, body: str | bytes = b"", **headers: str) -> Any:
        data = body.encode("utf-8") if isinstance(body, str) else body
        url = f"{self.server.base_url}{path}"
        return requests.request(method, url, data=data, headers=headers, timeout=PATIENCE_S)


def path_of(name: str) -> str:
    """Where a model is on the server."""
    return f"/models/{quote(name, safe='')}"


def serve_many(
    platform: Platform,
    environ: Mapping[str, str] | None = None,
    *,
    tree: MlTree | None = None,
    script: str | None = SCRIPT,
) -> Models:
    """A server of many models, in a new tree or this one, with a script for all of them unless it is None."""
    tree = platform.tree() if tree is None else tree
    (tree.root / "models").mkdir(exist_ok=True)
    if script is not None:
        tree.code(inference=script)
    return Models(tree, platform.serve(tree, {"SAGEMAKER_MULTI_MODEL": "true", **(environ or {})}))


def refusal(answer: Any) -> tuple[int, str, str]:
    """Status, type and message of an error's answer, which looks as it has to (M-17, M-22)."""
    told = answer.json()
    assert set(told) == {"code", "type", "message"}, told
    assert (told["code"], answer.headers["Content-Type"]) == (answer.status_code, "application/json")
    assert answer.headers["Connection"] == "close"
    assert_uncached(answer)
    assert isinstance(told["type"], str)
    assert isinstance(told["message"], str)
    return answer.status_code, told["type"], told["message"]


def assert_uncached(answer: Any) -> None:
    """M-22: the headers of every answer."""
    assert answer.headers["Pragma"] == "no-cache"
    assert "no-cache" in answer.headers["Cache-Control"]
    assert answer.headers["Expires"] == "Thu, 01 Jan 1970 00:00:00 UTC"
    assert answer.headers["X-Request-Id"]
