"""The functions that answer a request: the user's where the script defines them, else the defaults below.

Written once for every server; where servers must differ, a function has a named parameter.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Callable, cast

from sagemaker_sklearn_container import codecs, contract
from sagemaker_sklearn_container.errors import ModelLoadError, ResultError, UserModuleError
from sagemaker_sklearn_container.user_code import results

logger = logging.getLogger(__name__)

MODEL_SUFFIXES = (".joblib", ".pkl")


def default_model_fn(model_dir: str) -> Any:
    """The model in the only `.joblib` or `.pkl` file of `model_dir`.

    Raises:
        ModelLoadError: there is no such file, or there are several.

    Source: contract U-20.
    """
    files = sorted(path for path in Path(model_dir).glob("*") if path.suffix in MODEL_SUFFIXES)
    if len(files) != 1:
        found = ", ".join(path.name for path in files) or "none"
        raise ModelLoadError(
            f"Loading the model from {model_dir}: without a model_fn there must be exactly one *.joblib or *.pkl file; "
            f"found: {found}. Define model_fn(model_dir) in the script and return the model from it."
        )
    import joblib

    return joblib.load(files[0])


def default_input_fn(body: str | bytes, content_type: str, *, one_row_if_1d: bool = True) -> Any:
    """The array in a request body.

    Args:
        body: Text or bytes.
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


@dataclass(frozen=True)
class Handlers:
    """The functions that load a model and answer requests (U-20 to U-24)."""

    model_fn: Callable[[str], Any] = default_model_fn
    input_fn: Callable[[Any, str], Any] = default_input_fn
    predict_fn: Callable[[Any, Any], Any] = default_predict_fn
    output_fn: Callable[[Any, str], Any] = default_output_fn
    execution_parameters_fn: Callable[[], Any] | None = None

    def invoke(self, model: Any, body: bytes, content_type: str, accept: str) -> results.Response:
        """Answer one inference request.

        Args:
            model: What model_fn returned.
            body: Request body as received.
            content_type: Content type, raw; bodies of exactly the text types reach input_fn as str (S-25).
            accept: Accepted media type or types, raw.

        Raises:
            RequestError: a default function cannot do its part; carries the status.
            Exception: whatever a user function raises.

        Source: contract S-23 to S-27, U-21 to U-23, U-28.
        """
        content = body.decode("utf-8", errors="replace") if content_type in contract.TEXT_CONTENT_TYPES else body
        data = self.input_fn(content, content_type)
        prediction = self.predict_fn(data, model)
        return results.from_output(self.output_fn(prediction, accept), accept)


def resolve(module: ModuleType | None) -> Handlers:
    """The handlers of a user module; without a module all defaults.

    Raises:
        UserModuleError: one of the names is defined as something that cannot be called.

    Source: contract U-20 to U-24.
    """
    found = {}
    for name in Handlers.__dataclass_fields__:
        value = getattr(module, name, None)
        if value is None:
            continue
        if not callable(value):
            raise UserModuleError(f"The script defines {name} as {type(value).__name__}; it must be a function.")
        found[name] = cast(Callable[..., Any], value)
    logger.info("Functions of the script: %s", ", ".join(found) or "none, all defaults")
    return Handlers(**found)
