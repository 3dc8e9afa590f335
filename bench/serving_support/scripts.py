"""What runs beside the servers: user scripts, the servers that ours is measured against, models and floors.

Texts, since other interpreters than the benchmark's own run them, most of them in containers.
"""

from __future__ import annotations

# Each process that loads a model leaves a file named after it: only so can be told when all workers have one.
_MODEL_FN = """
import os

import joblib


def model_fn(model_dir):
    model = joblib.load(os.path.join(model_dir, "model.joblib"))
    open(os.path.join(os.environ["BENCH_NOTES"], str(os.getpid())), "w").close()
    return model
"""
USER_SCRIPT = _MODEL_FN
# The replaced default hands a single CSV row on as one dimension, which no model of scikit-learn takes; scripts written
# for it put that right themselves, with its own decoder.
REPLACED_USER_SCRIPT = (
    _MODEL_FN
    + """

import numpy as np
from sagemaker_containers.beta.framework import encoders


def input_fn(body, content_type):
    rows = encoders.decode(body, content_type).astype(np.float32)
    return rows.reshape(1, -1) if rows.ndim == 1 else rows
"""
)
# Servers of many models are told when to load one, and answer once they have.
MULTI_MODEL_SCRIPT = """
import os

import joblib


def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "model.joblib"))
"""
# Holds the interpreter's lock all the time, as a model in pure Python would.
BUSY_SCRIPT = (
    _MODEL_FN
    + """

import time


def predict_fn(rows, model):
    end = time.perf_counter() + 0.5
    while time.perf_counter() < end:
        pass
    return model.predict(rows)
"""
)

# The replaced image's own package is on no index; this does what its serving module does with the toolkit: every
# gunicorn worker imports the user's script, installed by then, and loads the model when its first request arrives.
REPLACED_MODULE = """
import importlib
import os

import numpy as np
from sagemaker_containers import _server
from sagemaker_containers.beta.framework import encoders, env, server, transformer, worker

_application = None


def predict(rows, model):
    return np.array(model.predict(rows))


def encode(prediction, accept):
    return worker.Response(response=encoders.encode(prediction, accept), mimetype=accept)


def main(environ, start_response):
    global _application
    if _application is None:
        settings = env.ServingEnv()
        script = importlib.import_module(settings.module_name)
        handler = transformer.Transformer(
            model_fn=script.model_fn,
            input_fn=script.input_fn,
            predict_fn=getattr(script, "predict_fn", predict),
            output_fn=getattr(script, "output_fn", encode),
        )
        handler.initialize()
        _application = worker.Worker(transform_fn=handler.transform, module_name=settings.module_name)
    return _application(environ, start_response)


def start():
    # Outside of a container /etc is not ours to write to.
    _server.nginx_config_file = os.environ.get("BENCH_NGINX_CONF", _server.nginx_config_file)
    server.start(env.ServingEnv().framework_module)
"""

# The same for many models: it imports what the replaced module does, installs the user's script, writes the Java
# server's configuration, with the replaced image's options, and starts it. The size of the heap is that image's sum:
# for each processor one request that is answered and two that wait, and a fifth more, beside 128 MiB.
REPLACED_MULTI_MODEL_MODULE = """
import ctypes
import math
import multiprocessing
import os
import subprocess

import numpy as np
import sagemaker_inference
from sagemaker_containers.beta.framework import encoders, env, modules, server, transformer, worker

REQUEST_MIB = 6
PR_SET_CHILD_SUBREAPER = 36


def start():
    settings = env.ServingEnv()
    modules.import_module(settings.module_dir, settings.module_name)
    heap = 128 + math.ceil(3 * multiprocessing.cpu_count() * REQUEST_MIB * 1.2)
    address = "http://0.0.0.0:" + os.environ["SAGEMAKER_BIND_TO_PORT"]
    machine = [
        os.environ["BENCH_COLLECTOR"],
        "-XX:-UseLargePages",
        "-XX:MaxMetaspaceSize=32M",
        "-XX:InitiatingHeapOccupancyPercent=25",
        "-Xms%dm" % heap,
        "-Xmx%dm" % heap,
        "-XX:MaxDirectMemorySize=%dm" % heap,
    ]
    values = {
        "vmargs": " ".join(machine),
        "model_store": "/",
        "load_models": "",
        "inference_address": address,
        "management_address": address,
        "default_workers_per_model": 1,
        "max_request_size": REQUEST_MIB * 1024 ** 2,
        "job_queue_size": 100,
        "decode_input_request": "false",
        "default_service_handler": "sagemaker_sklearn_container.handler_service",
        "preload_model": "true",
    }
    with open(os.environ["BENCH_CONFIG"], "w") as config:
        config.writelines("%s=%s\\n" % pair for pair in values.items())
    logs = os.path.join(os.path.dirname(sagemaker_inference.__file__), "etc", "log4j.properties")
    # Its command leaves the Java process to the first process of the container. On a host that is not this one, but it
    # can be the first of its own tree.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    command = ["mxnet-model-server", "--start", "--mms-config", os.environ["BENCH_CONFIG"], "--log-config", logs]
    subprocess.Popen(command)
    try:
        while True:
            os.wait()
    except ChildProcessError:
        raise SystemExit(1)
"""

# What the Java server's workers import: the toolkit's defaults, but for what scikit-learn needs.
REPLACED_HANDLER_SERVICE = """
from sagemaker_inference import content_types, decoder, default_inference_handler
from sagemaker_inference.default_handler_service import DefaultHandlerService
from sagemaker_inference.transformer import Transformer


class HandlerService(DefaultHandlerService):
    class Defaults(default_inference_handler.DefaultInferenceHandler):
        def default_input_fn(self, input_data, content_type):
            rows = decoder.decode(input_data, content_type)
            return rows.reshape(1, -1) if rows.ndim == 1 else rows

        def default_predict_fn(self, data, model):
            return model.predict(data)

    def __init__(self):
        super().__init__(transformer=Transformer(default_inference_handler=self.Defaults()))
"""

# What an engineer without our server would write.
BAR_APP = """
import io
import os

import joblib
import numpy as np
import orjson
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

model = joblib.load(os.environ["BENCH_MODEL"])
open(os.path.join(os.environ["BENCH_NOTES"], str(os.getpid())), "w").close()


async def ping(request):
    return Response()


async def invocations(request):
    body, kind = await request.body(), request.headers["content-type"]
    if kind == "text/csv":
        rows = np.loadtxt(io.BytesIO(body), delimiter=",", ndmin=2, dtype=np.float32)
    elif kind == "application/json":
        rows = np.array(orjson.loads(body), dtype=np.float32)
    else:
        rows = np.load(io.BytesIO(body))
    answer = orjson.dumps(model.predict(rows), option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(answer, media_type="application/json")


app = Starlette(routes=[Route("/ping", ping), Route("/invocations", invocations, methods=["POST"])])
"""

# Arguments: folder to write to, bytes of the large model's array (0: no such model).
PREPARE = """
import json
import os
import sys

import joblib
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

folder, large = sys.argv[1], int(sys.argv[2])
random = np.random.RandomState(0)
rows = random.normal(size=(2000, 20))
model = make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, rows @ random.normal(size=20) > 0.3)
model[-1].classes_ = np.array([0, 1])
for name, size in (("small", 0), ("large", large)):
    if size or name == "small":
        os.makedirs(os.path.join(folder, name))
        if size:
            model.table = np.ones(size // 8)
        joblib.dump(model, os.path.join(folder, name, "model.joblib"))
thousand = np.loadtxt(os.path.join(folder, "thousand.csv"), delimiter=",")
json.dump(model.predict(thousand).tolist(), sys.stdout)
"""

# Arguments: folder to write to, folder of the bodies, how many models. Prints what each answers to the first row, and
# what the first answers to a thousand; no two answer the same.
PREPARE_MODELS = """
import json
import os
import sys

import joblib
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

folder, bodies, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
random = np.random.RandomState(0)
rows = random.normal(size=(2000, 20))
model = make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, rows @ random.normal(size=20) > 0.3)
thousand = np.loadtxt(os.path.join(bodies, "thousand.csv"), delimiter=",")
answers = {"first row": []}
for number in range(count):
    model[-1].coef_ = random.normal(size=(1, 20))
    model[-1].classes_ = np.array([2 * number, 2 * number + 1])
    path = os.path.join(folder, "model-%03d" % number, "model")
    os.makedirs(path)
    joblib.dump(model, os.path.join(path, "model.joblib"))
    answers["first row"].append(int(model.predict(thousand[:1])[0]))
    answers.setdefault("first model", model.predict(thousand).tolist())
json.dump(answers, sys.stdout)
"""

# Arguments: the small model, and the folder of bodies. Prints names and milliseconds, the best of many calls each.
FLOORS = """
import io
import json
import os
import sys
import time

import joblib
import numpy as np
import orjson
import pandas as pd

model, folder = joblib.load(sys.argv[1]), sys.argv[2]
try:
    from sagemaker_containers.beta.framework import encoders
except ImportError:
    encoders = None


def best(call):
    times, end = [], time.perf_counter() + 0.2
    while len(times) < 3 or time.perf_counter() < end:
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return min(times) * 1000


def body(name):
    with open(os.path.join(folder, name), "rb") as stream:
        return stream.read()


kinds = {".csv": "text/csv", ".json": "application/json", ".npy": "application/x-npy"}
def decode(data, kind):
    # What both toolkits hand to decoders: text for what is text.
    return encoders.decode(data.decode() if kind != "application/x-npy" else data, kind)


ours = {name: (lambda data, kind=kind: decode(data, kind)) for name, kind in kinds.items() if encoders}
parsers = {
    ".csv": {
        "np.loadtxt": lambda data: np.loadtxt(io.BytesIO(data), delimiter=",", ndmin=2, dtype=np.float32),
        "pandas, C": lambda data: pd.read_csv(io.BytesIO(data), header=None, dtype=np.float32).to_numpy(),
    },
    ".json": {
        "json": lambda data: np.array(json.loads(data), dtype=np.float32),
        "orjson": lambda data: np.array(orjson.loads(data), dtype=np.float32),
    },
    ".npy": {"np.load": lambda data: np.load(io.BytesIO(data))},
}
found = []
for name in ("one.csv", "thousand.csv", "large.csv", "one.json", "thousand.json", "thousand.npy"):
    data, ending = body(name), os.path.splitext(name)[1]
    for parser, call in [*parsers[ending].items(), ("the decoder that old scripts import", ours.get(ending))]:
        if call:
            found.append(("parse %s, %s" % (name, parser), best(lambda: call(data))))
for name in ("one.csv", "thousand.csv", "large.csv"):
    rows = np.loadtxt(io.BytesIO(body(name)), delimiter=",", ndmin=2, dtype=np.float32)
    found.append(("model.predict, %d rows" % len(rows), best(lambda: model.predict(rows))))
json.dump(found, sys.stdout)
"""
