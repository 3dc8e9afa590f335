"""The functions that answer a request: the user's where the script defines them, else the defaults below.

Written once for every server; where servers must differ, a function has a named parameter.
"""

from __future__ import annotations

import importlib
import logging
import os
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Callable, Mapping, Sequence

from sagemaker_sklearn_container import codecs, contract
from sagemaker_sklearn_container.errors import ModelLoadError, ResultError, UserModuleError
from sagemaker_sklearn_container.user_code import flask_request, request_faults, results, signatures
from sagemaker_sklearn_container.user_code.context import Context

logger = logging.getLogger(__name__)

_SKOPS = ".skops"
MODEL_SUFFIXES = (".joblib", ".pkl", _SKOPS)

# The functions that a script may define, and what the container passes to them before the context.
ARGUMENTS: Mapping[str, Sequence[str]] = {
    "pre_model_fn": ("model_dir",),
    "model_fn": ("model_dir",),
    "model_warmup_fn": ("model_dir", "model"),
    "input_fn": ("body", "content_type"),
    "predict_fn": ("data", "model"),
    "output_fn": ("prediction", "accept"),
    "transform_fn": ("model", "body", "content_type", "accept"),
    "execution_parameters_fn": (),
}


def default_model_fn(model_dir: str) -> Any:
    """The model in the only `.joblib`, `.pkl` or `.skops` file of `model_dir`.

    Raises:
        ModelLoadError: there is no such file, or there are several; or it is a `.skops` file, and the package skops,
            which is not part of the container, is not installed.

    Source: contract U-20.
    """
    files = sorted(path for path in Path(model_dir).glob("*") if path.suffix in MODEL_SUFFIXES)
    if len(files) != 1:
        found = ", ".join(path.name for path in files) or "none"
        raise ModelLoadError(
            f"Loading the model from {model_dir}: without a model_fn there must be exactly one *.joblib, *.pkl or "
            f"*.skops file; found: {found}. Define model_fn(model_dir) in the script and return the model from it."
        )
    if files[0].suffix == _SKOPS:
        return _load_skops(files[0])
    import joblib

    return joblib.load(files[0])


def _load_skops(path: Path) -> Any:
    try:
        reader = importlib.import_module("skops.io")
    except ImportError as exc:
        raise ModelLoadError(
            f"Loading the model from {path}: reading it needs the package skops ({exc}). Add skops to the "
            "requirements.txt beside the script, or save the model with joblib.dump."
        ) from exc
    return reader.load(path)


def default_input_fn(body: str | bytes | memoryview, content_type: str, *, one_row_if_1d: bool = True) -> Any:
    """The array in a request body.

    Args:
        body: Text, bytes or a view of bytes, which need be valid during the call only.
        content_type: One of the media types in `codecs.CODECS`, parameters allowed.
        one_row_if_1d: Make an array of shape (n,) one row of shape (1, n), because scikit-learn refuses 1-D input.

    Source: contract U-21, C-01 to C-08, D-1, D-2.
    """
    array = codecs.decode(body, content_type)
    return array.reshape(1, -1) if one_row_if_1d and array.ndim == 1 else array


def default_predict_fn(data: Any, model: Any) -> Any:
    """`model.predict(data)`; a response object passes through.

    Source: contract U-22, U-29.
    """
    return data if results.is_response(data) else model.predict(data)


def default_output_fn(prediction: Any, accept: str) -> Any:
    """The body for a prediction and its media type; a response object passes through.

    Raises:
        ResultError: the prediction is None (status 500).

    Source: contract U-23, U-29, U-31, C-20 to C-23.
    """
    if results.is_response(prediction):
        return prediction
    if prediction is None:
        raise ResultError("predict_fn returned None; it must return the prediction.")
    return codecs.encode(prediction, accept)


@dataclass
class Handlers:
    """The functions that load a model and answer requests.

    Each may take a context as one more parameter; with what it is called is found out once, when this object is made.

    Attributes:
        execution_parameters_fn: None, or a function that is called without arguments, whatever the script's takes.
        autopilots: Whether the functions are of a script that Autopilot generates.
        model_dir: Directory that `load` was given.
        model_name: Name that `load` was given.

    Source: contract U-20 to U-27.
    """

    model_fn: Callable[..., Any] = default_model_fn
    input_fn: Callable[..., Any] = default_input_fn
    predict_fn: Callable[..., Any] = default_predict_fn
    output_fn: Callable[..., Any] = default_output_fn
    transform_fn: Callable[..., Any] | None = None
    pre_model_fn: Callable[..., Any] | None = None
    model_warmup_fn: Callable[..., Any] | None = None
    execution_parameters_fn: Callable[..., Any] | None = None
    autopilots: bool = False
    model_dir: str = field(default="", compare=False)
    model_name: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        """Check the functions.

        Raises:
            UserModuleError: one takes other arguments than the container has for it, or transform_fn stands beside a
                function that it replaces.
        """
        own = [name for name, default in _REPLACED.items() if getattr(self, name) is not default]
        if self.transform_fn is not None and own:
            raise UserModuleError(
                f"The script defines transform_fn and {', '.join(own)}. transform_fn does the work of "
                f"{', '.join(_REPLACED)}; remove either it or them."
            )
        functions = {name: getattr(self, name) for name in ARGUMENTS}
        self._calls = {
            name: signatures.adapt(function, name, ARGUMENTS[name])
            for name, function in functions.items()
            if function is not None
        }
        # Else nobody could see it, and most scripts have no use for it.
        self._takes_context = any(call.takes_context for call in self._calls.values())
        if self.execution_parameters_fn is not None:
            self.execution_parameters_fn = lambda: self._call("execution_parameters_fn", self._context(None))

    def load(self, model_dir: str, model_name: str | None = None) -> Any:
        """The model, after pre_model_fn, model_fn and model_warmup_fn.

        Args:
            model_dir: Directory of the model.
            model_name: What the context calls it; by default the directory's name.

        Raises:
            ModelLoadError: the script has no model_fn, and the default finds no model.
            Exception: whatever a function of the script raises.

        Source: contract U-20, U-26, U-27.
        """
        self.model_dir = model_dir
        self.model_name = os.path.basename(os.path.normpath(model_dir)) if model_name is None else model_name
        context = self._context(None)
        if self.pre_model_fn is not None:
            self._call("pre_model_fn", context, model_dir)
        model = self._call("model_fn", context, model_dir)
        if self.model_warmup_fn is not None:
            self._call("model_warmup_fn", context, model_dir, model)
        return model

    def invoke(
        self,
        model: Any,
        body: bytes | memoryview,
        content_type: str,
        accept: str,
        headers: Mapping[str, str] | None = None,
    ) -> results.Response:
        """Answer one inference request.

        Args:
            model: What `load` returned.
            body: Request body as received; a view need be valid during the call only.
            content_type: Content type, raw; bodies of exactly the text types reach the script's input_fn or
                transform_fn as str, others as bytes (S-25); the default input_fn reads the body itself.
            accept: Accepted media type or types, raw.
            headers: All headers of the request, for the context and for `flask.request`.

        Raises:
            RequestError: a default function cannot do its part, or a function of the script says so, or it raised what
                is the request's fault; carries the status.
            Exception: whatever else a function of the script raises.

        Source: contract S-23 to S-27, S-30, S-31, U-21 to U-23, U-25, U-26, U-28, U-46.
        """
        context = self._context(headers) if self._takes_context else None
        if not flask_request.is_used():
            return self._answer(model, body, content_type, accept, context)
        with flask_request.request_context(body, content_type, accept, headers):
            return self._answer(model, body, content_type, accept, context)

    def _answer(
        self, model: Any, body: bytes | memoryview, content_type: str, accept: str, context: Context | None
    ) -> results.Response:
        name = "input_fn" if self.transform_fn is None else "transform_fn"
        if self.autopilots:
            request_faults.refuse_header_line(model, body, content_type)
        try:
            # One name for what goes from function to function, so that nothing is held longer than it is used.
            if self.transform_fn is not None:
                content: str | bytes | memoryview = _for_script(body, content_type)
                if context is None:
                    result = self.transform_fn(model, content, content_type, accept)
                else:
                    result = self._call(name, context, model, content, content_type, accept)
            elif context is None:
                content = body if self.input_fn is default_input_fn else _for_script(body, content_type)
                result = self.input_fn(content, content_type)
                name = "predict_fn"
                result = self.predict_fn(result, model)
                name = "output_fn"
                result = self.output_fn(result, accept)
            else:
                content = body if self.input_fn is default_input_fn else _for_script(body, content_type)
                result = self._call(name, context, content, content_type)
                name = "predict_fn"
                result = self._call(name, context, result, model)
                name = "output_fn"
                result = self._call(name, context, result, accept)
        except Exception as exc:
            fault = request_faults.fault(exc, name, body, content_type, accept, self.autopilots)
            if fault is None:
                raise
            raise fault from exc
        response = results.from_output(result, accept, name)
        if context is None:
            return response
        return context.request_processor[0].completed(response, own=results.is_response(result))

    def _context(self, headers: Mapping[str, str] | None) -> Context:
        return Context(self.model_dir, self.model_name, headers)

    def _call(self, name: str, context: Context | None, *values: Any) -> Any:
        return self._calls[name].run(values, context)


# What transform_fn takes the place of, with the defaults.
_REPLACED: Mapping[str, Callable[..., Any]] = {
    "input_fn": default_input_fn,
    "predict_fn": default_predict_fn,
    "output_fn": default_output_fn,
}


def resolve(module: ModuleType | None) -> Handlers:
    """The handlers of a user module; without a module all defaults.

    Raises:
        UserModuleError: one of the names is defined as something that cannot be called, or not as the container calls
            it; or transform_fn stands beside a function that it replaces.

    Source: contract U-20 to U-27.
    """
    found: dict[str, Any] = {}
    for name in ARGUMENTS:
        value = getattr(module, name, None)
        if value is None:
            continue
        if not callable(value):
            raise UserModuleError(f"The script defines {name} as {type(value).__name__}; it must be a function.")
        found[name] = value
    logger.info("Functions of the script: %s", ", ".join(found) or "none, all defaults")
    return Handlers(**found, autopilots=request_faults.is_autopilots(module, os.environ))


def _for_script(body: bytes | memoryview, content_type: str) -> str | bytes:
    """The body as functions of the script get it (S-25), theirs to keep."""
    if content_type in contract.TEXT_CONTENT_TYPES:
        return str(body, "utf-8", "replace")
    return bytes(body)  # of bytes it makes no copy
