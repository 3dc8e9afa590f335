"""The default functions that scripts import; the values are those that upstream's own tests pin."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest

from sagemaker_containers.beta.framework import encoders, errors
from sagemaker_sklearn_container import serving
from sagemaker_sklearn_container.handler_service import HandlerService
from sagemaker_sklearn_container.user_code.results import Response

handler = HandlerService().DefaultSKLearnUserModuleInferenceHandler()


class Doubler:
    """A model."""

    def predict(self, data: Any) -> Any:
        """Twice the data."""
        return 2 * data


@pytest.mark.parametrize(
    ("body", "content_type", "value"),
    [
        ("[42, 6, 9]", "application/json", [42, 6, 9]),
        ('["42", "6", "9"]', "application/json", [42, 6, 9]),
        ("[[1, 2]]", "application/json", [[1, 2]]),
        ("42\n6\n9\n", "text/csv", [42, 6, 9]),
        ("42.0,6.0,9.0", "text/csv", [42, 6, 9]),
        (b"1,2\n3,4\n", "text/csv", [[1, 2], [3, 4]]),
    ],
)
def test_text_becomes_float32(body: Any, content_type: str, value: Any) -> None:
    """U-45, C-01, C-04, D-1: `serving` keeps one dimension, `handler_service` makes it one row."""
    old = serving.default_input_fn(body, content_type)
    assert (old.tolist(), old.dtype) == (value, np.float32)
    row = handler.default_input_fn(body, content_type)
    assert (row.tolist(), row.dtype) == (np.atleast_2d(value).tolist(), np.float32)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_npy_keeps_its_dtype(dtype: str) -> None:
    """U-45, C-05, D-1."""
    body = encoders.array_to_npy(np.array([42, 6, 9], dtype=dtype))
    old = serving.default_input_fn(body, "application/x-npy")
    assert (old.tolist(), old.dtype) == ([42, 6, 9], np.dtype(dtype))
    row = handler.default_input_fn(body, "application/x-npy")
    assert (row.tolist(), row.dtype) == ([[42, 6, 9]], np.dtype(dtype))


@pytest.mark.parametrize("functions", [serving, handler])
def test_other_types_are_unsupported(functions: Any) -> None:
    """U-45, S-40, S-41."""
    with pytest.raises(errors.UnsupportedFormatError) as caught:
        functions.default_input_fn("", "application/not_supported")
    assert caught.value.status == 415
    with pytest.raises(errors.UnsupportedFormatError) as caught:
        functions.default_output_fn("", "application/not_supported")
    assert caught.value.status == 406


@pytest.mark.parametrize("functions", [serving, handler])
def test_without_a_model_there_is_a_not_implemented_error(functions: Any, tmp_path: Path) -> None:
    """U-20, U-45: that names model_fn; the only model file is loaded."""
    with pytest.raises(NotImplementedError, match=r"Define model_fn\(model_dir\)"):
        functions.default_model_fn("model_dir")
    joblib.dump({"a": 1}, tmp_path / "any.joblib")
    assert functions.default_model_fn(str(tmp_path)) == {"a": 1}


@pytest.mark.parametrize("functions", [serving, handler])
def test_predict_calls_the_model(functions: Any) -> None:
    """U-22, U-29, U-45."""
    assert functions.default_predict_fn(np.ones((2, 2)), Doubler()).tolist() == [[2, 2], [2, 2]]
    early = Response(b"", None, 415)
    assert functions.default_predict_fn(early, Doubler()) is early


@pytest.mark.parametrize(
    ("accept", "body"),
    [
        ("application/json", "[[1.0, 1.0], [1.0, 1.0]]"),
        ("text/csv", "1.0,1.0\n1.0,1.0\n"),
        ("application/x-npy", encoders.array_to_npy(np.ones((2, 2)))),
    ],
)
def test_predictions_are_written(accept: str, body: str | bytes) -> None:
    """U-45, C-20, C-22, C-23: `serving` gives a response object, `handler_service` a tuple."""
    response = serving.default_output_fn(np.ones((2, 2)), accept)
    assert response.get_data(as_text=isinstance(body, str)) == body
    assert response.mimetype == accept
    assert handler.default_output_fn(np.ones((2, 2)), accept) == (body, accept)


def test_importing_them_is_cheap() -> None:
    """U-45: the container reads its settings before NumPy is loaded, and the retired packages are for scripts only."""
    lines = (
        "import sys, sagemaker_sklearn_container.serving as serving",
        "print(callable(serving.default_input_fn), 'numpy' in sys.modules, 'sagemaker_containers' in sys.modules)",
    )
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        check=True,
    )
    assert done.stdout == b"True False False\n"
