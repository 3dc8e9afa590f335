"""The functions that answer a request."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import joblib
import numpy as np
import pytest

from sagemaker_sklearn_container import codecs
from sagemaker_sklearn_container.errors import ModelLoadError, ResultError, UserModuleError
from sagemaker_sklearn_container.user_code import handlers
from sagemaker_sklearn_container.user_code.context import Context
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


def test_a_skops_file_needs_skops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """U-20: which the container does not have; with it, it reads the file."""
    (tmp_path / "a.skops").touch()
    monkeypatch.setitem(sys.modules, "skops", None)
    with pytest.raises(ModelLoadError, match=r"a.skops: reading it needs the package skops .*Add skops to the"):
        handlers.default_model_fn(str(tmp_path))
    reader = ModuleType("skops.io")
    reader.load = lambda path: path.name  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "skops", ModuleType("skops"))
    monkeypatch.setitem(sys.modules, "skops.io", reader)
    assert handlers.default_model_fn(str(tmp_path)) == "a.skops"


def test_loading_calls_the_hooks_around_model_fn() -> None:
    """U-20, U-26, U-27: in this order, with or without a context."""
    calls: list[Any] = []

    def model_fn(model_dir: str, context: Context) -> str:
        calls.append(("load", model_dir, context.system_properties["model_dir"], context.model_name))
        return "model"

    functions = handlers.resolve(
        _module(
            pre_model_fn=lambda model_dir: calls.append(("before", model_dir)),
            model_fn=model_fn,
            model_warmup_fn=lambda model_dir, model, context: calls.append(("after", model_dir, model, len(calls))),
        )
    )
    assert functions.load("/opt/ml/model/") == "model"
    assert calls == [
        ("before", "/opt/ml/model/"),
        ("load", "/opt/ml/model/", "/opt/ml/model/", "model"),
        ("after", "/opt/ml/model/", "model", 2),
    ]
    functions.load("/models/x", "mine")
    assert calls[4] == ("load", "/models/x", "/models/x", "mine")


def test_every_request_has_its_own_context() -> None:
    """U-26, S-30, S-31: one for all functions of a request; it knows the model; what it is told shapes the answer."""
    contexts: list[Context] = []

    def input_fn(body: str, content_type: str, context: Context) -> list[str]:
        contexts.append(context)
        assert context.get_response_headers(0) == {}
        value = context.request_headers["x-amzn-sagemaker-custom-attributes"]
        context.set_response_header(0, "X-Amzn-SageMaker-Custom-Attributes", value)
        return [value]

    def predict_fn(data: Any, model: Any, context: Context) -> Any:
        assert contexts[-1] is context
        context.set_response_status(202)
        return data

    functions = handlers.resolve(_module(model_fn=lambda model_dir: None, input_fn=input_fn, predict_fn=predict_fn))
    functions.load("/models/x", "mine")
    for value in ("one", "two"):
        headers = {"X-Amzn-Sagemaker-Custom-Attributes": value}
        answer = functions.invoke(None, b"", "text/csv", "application/json", headers)
        sent = (("X-Amzn-SageMaker-Custom-Attributes", value),)
        assert answer == Response(f'["{value}"]'.encode(), "application/json", 202, sent)
    assert contexts[0] is not contexts[1]
    assert [context.system_properties["model_dir"] for context in contexts] == ["/models/x"] * 2
    assert [context.model_name for context in contexts] == ["mine"] * 2


@pytest.mark.parametrize("with_context", [False, True])
def test_transform_fn_does_all_the_work(with_context: bool) -> None:
    """U-25, U-26, S-25, U-28."""

    def transform_fn(model: Any, body: Any, content_type: str, accept: str) -> Any:
        return f"{model} {body!r} {content_type} {accept}"

    def with_status(model: Any, body: Any, content_type: str, accept: str, context: Context) -> Any:
        context.set_response_status(203)
        context.set_response_content_type(0, "a/b")
        return transform_fn(model, body, content_type, accept)

    functions = handlers.resolve(_module(transform_fn=with_status if with_context else transform_fn))
    answer = functions.invoke("m", b"x", "text/csv", "c/d")
    status, content_type = (203, "a/b") if with_context else (200, "c/d")
    assert answer == Response(b"m 'x' text/csv c/d", content_type, status)
    assert functions.invoke("m", b"x", "text/csv; a=b", "c/d").body == b"m b'x' text/csv; a=b c/d"


@pytest.mark.parametrize("name", ["input_fn", "predict_fn", "output_fn"])
def test_transform_fn_beside_a_function_it_replaces_is_an_error(name: str) -> None:
    """U-25."""
    with pytest.raises(UserModuleError, match=f"defines transform_fn and {name}. .* remove either it or them"):
        handlers.resolve(_module(transform_fn=lambda m, b, c, a: "", **{name: lambda a, b: a}))


def test_none_from_transform_fn_is_an_error() -> None:
    """U-31."""
    functions = handlers.resolve(_module(transform_fn=lambda m, b, c, a: None))
    with pytest.raises(ResultError, match="transform_fn returned None; it must return str, bytes"):
        functions.invoke(None, b"", "text/csv", "text/csv")


@pytest.mark.parametrize("name", [name for name in handlers.ARGUMENTS if name != "execution_parameters_fn"])
def test_a_function_with_wrong_parameters_is_an_error_at_start_up(name: str) -> None:
    """U-26."""
    with pytest.raises(UserModuleError, match=rf"defines {name}\(\); the container calls {name}\("):
        handlers.resolve(_module(**{name: lambda: None}))


def test_execution_parameters_may_take_a_context() -> None:
    """U-24, U-26: the server calls them without arguments all the same."""
    plain = handlers.resolve(_module(execution_parameters_fn=lambda: {"a": 1})).execution_parameters_fn
    assert plain is not None
    assert plain() == {"a": 1}
    functions = handlers.resolve(_module(execution_parameters_fn=lambda context: {"dir": context.model_name}))
    functions.model_name = "mine"
    assert functions.execution_parameters_fn is not None
    assert functions.execution_parameters_fn() == {"dir": "mine"}


@pytest.mark.parametrize("body", [b"1", memoryview(b"1")])
@pytest.mark.parametrize(("own", "content_type"), [(False, "text/csv"), (True, "text/csv"), (True, "a/b")])
def test_only_functions_of_the_script_get_text(
    body: bytes | memoryview, own: bool, content_type: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S-25: or bytes, which are theirs to keep; for the default input_fn the body is neither decoded nor copied."""
    kind = type(body) if not own else str if content_type == "text/csv" else bytes
    seen = []

    def decode(body: Any, content_type: str) -> Any:
        seen.append(type(body))
        return np.zeros((1, 1))

    monkeypatch.setattr(codecs, "decode", decode)
    functions = handlers.resolve(_module(**({"input_fn": decode} if own else {}), predict_fn=lambda data, model: data))
    functions.invoke(None, body, content_type, "text/csv")
    assert seen == [kind]


def test_transform_fn_gets_no_view() -> None:
    """S-25, U-25."""
    functions = handlers.resolve(_module(transform_fn=lambda model, body, content_type, accept: repr(body)))
    assert functions.invoke(None, memoryview(b"\xff"), "text/csv", "a/b").body == "'\ufffd'".encode()
    assert functions.invoke(None, memoryview(b"\xff"), "c/d", "a/b").body == rb"b'\xff'"


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
