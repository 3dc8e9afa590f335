"""The steps of a candidate: fit the data processor, transform the data, fit a predictor, ask the endpoint."""

from __future__ import annotations

import csv
import io
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Mapping, Sequence

from sagemaker_sklearn_container import contract
from sagemaker_sklearn_container.autopilot import culprit, records
from sagemaker_sklearn_container.autopilot.answers import asked, column_of, passing, said
from sagemaker_sklearn_container.autopilot.batches import mini_batches, payload
from sagemaker_sklearn_container.autopilot.candidate import PACKAGE, SERVING, TRAINER, Candidate, Problem, Processor
from sagemaker_sklearn_container.autopilot.endpoint import Chain, chunks
from sagemaker_sklearn_container.autopilot.errors import StepError
from sagemaker_sklearn_container.autopilot.report import Progress, Step, shape, size
from sagemaker_sklearn_container.autopilot.servers import Answer, Processes, Server
from sagemaker_sklearn_container.autopilot.table import Sample, Source, Table
from sagemaker_sklearn_container.autopilot.trees import channel, configure, search_path, size_of

TRAIN, TRANSFORM, PREDICTOR, ENDPOINT = "train data processor", "batch transform", "train stand-in", "endpoint"
FEATURES, STAND_IN, LABELS = "feature-transform", "stand-in predictor", "inverse-label-transform"

_KEYS = ("predicted_label", "probability")


@dataclass
class Predictions:
    """What came out of the endpoint.

    Attributes:
        samples: The rows that were sent.
        rows: For each the cells of the answer, the prediction first.
    """

    samples: list[Sample] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)


@dataclass
class Run:
    """One candidate with one table.

    Attributes:
        candidate: The package.
        processor: The data processor that is run.
        table: The data, checked.
        accept: Media type of the batch transform's answers.
        folder: Where the trees of the containers go.
        processes: Starts and ends them.
        progress: Is told what is done.
        steps: Those that are done.
    """

    candidate: Candidate
    processor: Processor
    table: Table
    accept: str
    folder: Path
    processes: Processes
    progress: Progress
    steps: list[Step] = field(default_factory=list)
    _transformed_rows: str = ""

    @property
    def name(self) -> str:
        """Begins the names of its logs."""
        return self.processor.name

    def train(self) -> None:
        """Fit the data processor by the package's own trainer.

        Source: contract A-01.
        """
        self.progress.begin(TRAIN)
        begin = time.monotonic()
        base = self.folder / "processor"
        channel(base, "train", "text/csv", link=self.table.channel)
        environ: dict[str, str] = {}
        if self.candidate.installable is None:
            shutil.copytree(self.candidate.modules, base / "code", ignore=_CACHES)
            hyperparameters = {"sagemaker_program": TRAINER, "processor_module": self.processor.name}
        else:
            # As the service submits it: `train` installs the package, here into a directory of this run.
            code = channel(base, "code", "application/x-code")
            for name in ("setup.py", "setup.cfg", "pyproject.toml", "MANIFEST.in"):
                if (self.candidate.installable / name).is_file():
                    shutil.copy(self.candidate.installable / name, code)
            shutil.copytree(self.candidate.modules, code / PACKAGE, ignore=_CACHES)
            hyperparameters = {
                "sagemaker_program": f"{PACKAGE}.{Path(TRAINER).stem}",
                "sagemaker_submit_directory": str(code),
                "processor_module": f"{PACKAGE}.{self.processor.name}",
            }
            environ = {"PIP_TARGET": str(base / "installed"), "PYTHONPATH": search_path(str(base / "installed"))}
        # The trainer's own defaults are below /opt/ml, wherever the job's tree is.
        paths = contract.Paths(base)
        hyperparameters.update(data_dir=str(paths.channel("train")), model_dir=str(paths.model))
        configure(base, hyperparameters)
        log = self.processes.train(TRAIN, f"{self.name}-1-train", base, environ, self.progress.update)
        model = base / "model"
        if not (model / "model.joblib").is_file():
            there = ", ".join(sorted(str(path.relative_to(model)) for path in model.rglob("*"))) or "nothing"
            raise StepError(TRAIN, f"train succeeded and left no model.joblib in the model directory, but {there}", log)
        self._done(TRAIN, self._data(), f"model, {size(size_of(model))}", begin)

    def transform(self) -> None:
        """Transform the data with its labels, in mini-batches of whole lines.

        Source: contract A-02, A-09, B-02, B-05.
        """
        self.progress.begin(TRANSFORM)
        begin = time.monotonic()
        base = self._model_tree("transform")
        output = channel(self.folder / "predictor", "train", self.accept)
        environ = {
            **self._script(base),
            contract.DEFAULT_INVOCATIONS_ACCEPT: self.accept,
            contract.MAX_CONTENT_LENGTH: "20000000",
            contract.BATCH: "true",
        }
        if self.accept == records.RECORDIO:
            environ["AUTOML_SPARSE_ENCODE_RECORDIO_PROTOBUF"] = "1"
        rows = columns = batches = 0
        containers = {f"{self.name}-2-batch-transform": (base, environ)}
        with self.processes.serving(TRANSFORM, containers, self.progress.update) as (server,):
            limit = payload(TRANSFORM, server)
            for source in self.table.sources:
                with (output / f"{source.channel.name}.out").open("wb") as stream:
                    for first, lines in mini_batches(TRANSFORM, source, limit):
                        answer = self._transformed(server, source, first, lines)
                        batch_rows, batch_columns = self._extent(server, answer)
                        rows, columns, batches = rows + batch_rows, max(columns, batch_columns), batches + 1
                        end = b"\n" if answer.content_type == contract.CSV and not answer.body.endswith(b"\n") else b""
                        stream.write(answer.body + end)
                        self.progress.update(f"mini-batch {batches}, {rows:,} rows")
            if not rows:
                raise StepError(TRANSFORM, "no row has come out: each was left out by the data processor", server.log)
        kind = "csv" if self.accept == contract.CSV else "recordio"
        wrote = f"{shape(rows, columns)} {kind} with label, {size(size_of(output))}"
        self._done(TRANSFORM, f"{self._data()}, {batches} mini-batch{'es' * (batches != 1)}", wrote, begin)
        self._transformed_rows = shape(rows, columns) + f", {size(size_of(output))}"

    def train_stand_in(self) -> None:
        """Fit a small model to what the batch transform gave."""
        self.progress.begin(PREDICTOR)
        begin = time.monotonic()
        base = self.folder / "predictor"
        (base / "code").mkdir()
        shutil.copy(Path(__file__).with_name(_STAND_IN_PROGRAM), base / "code")
        configure(base, {"sagemaker_program": _STAND_IN_PROGRAM, "problem": self.table.problem.value})
        self.processes.train(PREDICTOR, f"{self.name}-3-stand-in", base, {}, self.progress.update)
        self._done(PREDICTOR, self._transformed_rows, f"model, {size(size_of(base / 'model'))}", begin)

    def ask_endpoint(self) -> Predictions:
        """Send rows through the containers of the endpoint, each one's answer being the next one's request.

        Source: contract A-02, A-05, P-01, P-02.
        """
        self.progress.begin(ENDPOINT)
        begin = time.monotonic()
        containers = self._containers()
        named = {f"{self.name}-4-{place}-{name}": tree for place, (name, tree) in enumerate(containers.items(), 1)}
        found = Predictions()
        with self.processes.serving(ENDPOINT, named, self.progress.update) as servers:
            self._done("start endpoint", f"{len(servers)} models", f"{len(servers)} containers", begin)
            chain = Chain(ENDPOINT, list(zip(containers, servers)))
            for samples in chunks(self.table.sample):
                body = chain.predict(samples)
                rows = [row for row in csv.reader(io.StringIO(body.decode("utf-8"), newline="")) if row]
                if len(rows) != len(samples):
                    said = f"{len(samples)} rows were sent and {len(rows)} predictions came back"
                    raise StepError(ENDPOINT, said, servers[-1].log)
                found.samples += samples
                found.rows += rows
                self.progress.update(shape(len(found.rows)))
        for link in chain.links:
            sent, received = f"{shape(link.rows)}, {size(link.sent)}", f"{link.kind}, {size(link.received)}"
            self._done(f"  {link.name}", sent, received, None, link.seconds)
        return found

    def _containers(self) -> dict[str, tuple[Path, Mapping[str, str]]]:
        features = self._model_tree("features")
        predictor = self.folder / "predictor"
        is_regression = self.table.problem is Problem.REGRESSION
        keys = ",".join(_KEYS if self.candidate.knows_inference_keys and not is_regression else _KEYS[:1])
        containers: dict[str, tuple[Path, Mapping[str, str]]] = {
            FEATURES: (
                features,
                {
                    **self._script(features),
                    "AUTOML_TRANSFORM_MODE": FEATURES,
                    contract.DEFAULT_INVOCATIONS_ACCEPT: records.RECORDIO,
                    "AUTOML_SPARSE_ENCODE_RECORDIO_PROTOBUF": "1",
                },
            ),
            STAND_IN: (
                predictor,
                {
                    contract.PROGRAM: _STAND_IN_PROGRAM,
                    contract.DEFAULT_INVOCATIONS_ACCEPT: contract.CSV,
                    contract.MAX_CONTENT_LENGTH: "20971520",
                    "SAGEMAKER_INFERENCE_OUTPUT": keys,
                },
            ),
        }
        if not is_regression:
            labels = self._model_tree("labels")
            environ = {
                **self._script(labels),
                "AUTOML_TRANSFORM_MODE": LABELS,
                contract.DEFAULT_INVOCATIONS_ACCEPT: contract.CSV,
            }
            if self.candidate.knows_inference_keys:
                environ.update(
                    SAGEMAKER_INFERENCE_INPUT=keys,
                    SAGEMAKER_INFERENCE_OUTPUT=keys,
                    SAGEMAKER_INFERENCE_SUPPORTED="predicted_label,probability,probabilities,labels",
                )
            containers[LABELS] = (labels, environ)
        return containers

    def _model_tree(self, name: str) -> Path:
        """A tree with the fitted data processor, as each container gets its own from the model's archive."""
        base = self.folder / name
        shutil.copytree(self.folder / "processor" / "model", base / "model")
        return base

    def _script(self, base: Path) -> dict[str, str]:
        """Where the trainer left the script: later ones make a directory, that of 2020 leaves the file alone."""
        folder = base / "model" / "code"
        place = folder if (folder / SERVING).is_file() else base / "model" / SERVING
        return {contract.PROGRAM: Path(SERVING).stem, contract.SUBMIT_DIRECTORY: str(place)}

    def _transformed(self, server: Server, source: Source, first: int, lines: Sequence[bytes]) -> Answer:
        answer = asked(TRANSFORM, server, b"".join(lines), contract.CSV)
        if answer.status == 200:
            return answer
        where = f"{source.file}:{source.line(first)}" + (
            f", {len(lines)} lines from there on" if len(lines) > 1 else ""
        )
        passes = passing(server)
        place = culprit.line(len(lines), lambda start, end: passes(b"".join(lines[start:end])))
        if place is not None:
            where = f"{source.file}:{source.line(first + place)}"
            where += column_of(lines, place, self.processor.columns, passes)
        raise StepError(TRANSFORM, f"{where}: {said(answer)}", server.log)

    def _extent(self, server: Server, answer: Answer) -> tuple[int, int]:
        if answer.content_type != self.accept:
            said = f"asked for {self.accept}, it answers with {answer.content_type or 'no content type'}: {answer.text}"
            raise StepError(TRANSFORM, said, server.log)
        try:
            return records.extent(answer.body, answer.content_type)
        except (ValueError, IndexError) as exc:
            raise StepError(TRANSFORM, f"its answer is damaged {answer.content_type}: {exc}", server.log) from None

    def _data(self) -> str:
        return f"{shape(self.table.rows)}, {size(self.table.bytes)}"

    def _done(self, name: str, read: str, wrote: str, begin: float | None, seconds: float = 0.0) -> None:
        taken = seconds if begin is None else time.monotonic() - begin
        self.steps.append(Step(name, read, wrote, taken))
        if begin is not None:
            self.progress.done(wrote)


_STAND_IN_PROGRAM = "predictor.py"
_CACHES = shutil.ignore_patterns("__pycache__")
