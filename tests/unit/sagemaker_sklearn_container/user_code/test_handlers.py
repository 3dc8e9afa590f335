"""The functions that answer a request."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import joblib
import numpy as np
import pytest

from sagemaker_sklearn_container.errors import ModelLoadError, ResultError, UserModuleError
from sagemaker_sklearn_container.user_code import handlers
from sagemaker_sklearn_container.user_code.results import Response


def _module(**functions: Any) -> ModuleType:
    module = ModuleType("user_script")
    module.__dict__.update(functions)
    return module


@pytest.mark.parametrize("name", ["any.joblib", "any.pkl"])
def test_the_only_model_file_is_loaded(tmp_path: Path, name: str) -> None:
    """U-20."""
    joblib.dump({"a": 1}, tmp_path / name)
    (tmp_path / "code").mkdir()
    assert handlers.default_model_fn(str(tmp_path)) == {"a": 1}


def test_several_model_files_are_an_error(tmp_path: Path) -> None:
    """U-20."""
    for name in ("b.pkl", "a.joblib"):
        (tmp_path / name).touch()
    with pytest.raises(ModelLoadError, match=r"found: a.joblib, b.pkl. Define model_fn\(model_dir\)"):
        handlers.default_model_fn(str(tmp_path))


def test_one_dimension_is_one_row_unless_asked_otherwise() -> None:
    """C-04, D-1."""
    assert handlers.default_input_fn("[1, 2]", "application/json").shape == (1, 2)
    assert handlers.default_input_fn("[1, 2]", "application/json", one_row_if_1d=False).shape == (2,)
    assert handlers.default_input_fn("1\n2", "text/csv").shape == (2, 1)


def test_functions_of_the_script_replace_defaults() -> None:
    """U-20 to U-24."""
    functions = handlers.resolve(_module(predict_fn=lambda data, model: data * model, other=1))
    response = functions.invoke(3, b"1,2", "text/csv", "text/csv")
    assert response == Response(b"3.0,6.0\n", "text/csv")
    assert functions.execution_parameters_fn is None


def test_without_a_script_all_functions_are_defaults() -> None:
    """U-20 to U-23."""
    assert handlers.resolve(None) == handlers.Handlers()


def test_a_name_that_is_no_function_is_an_error() -> None:
    """U-20."""
    with pytest.raises(UserModuleError, match="defines predict_fn as int; it must be a function"):
        handlers.resolve(_module(predict_fn=3))


def test_a_response_travels_through_the_default_functions() -> None:
    """U-29."""
    early = Response(b"too big", "text/plain", 413)
    functions = handlers.resolve(_module(input_fn=lambda body, content_type: early))
    assert functions.invoke(None, b"", "text/csv", "text/csv") is early


def test_text_types_arrive_as_text_with_replacements() -> None:
    """S-25."""
    functions = handlers.resolve(
        _module(input_fn=lambda body, kind: body, predict_fn=lambda data, model: [data], output_fn=lambda p, a: p[0])
    )
    assert functions.invoke(None, b"\xff", "text/csv", "a/b").body == "\ufffd".encode()
    assert functions.invoke(None, b"\xff", "text/csv;", "a/b").body == b"\xff"


def test_none_as_prediction_is_an_error() -> None:
    """U-31."""
    functions = handlers.resolve(_module(predict_fn=lambda data, model: None))
    with pytest.raises(ResultError, match="predict_fn returned None"):
        functions.invoke(np, b"1", "text/csv", "text/csv")
