"""What scripts import from sagemaker_inference, and the names of the container's own older modules."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sagemaker_inference import default_handler_service, environment, errors, transformer, utils
from sagemaker_sklearn_container import handler_service
from sagemaker_sklearn_container.errors import RequestError
from sagemaker_training.unavailable import NotAvailableError


def test_the_lines_that_scripts_begin_with() -> None:
    """U-44: they load no NumPy, which only functions need."""
    lines = (
        "from sagemaker_inference import content_types, decoder, default_inference_handler, encoder, errors",
        "from sagemaker_inference import default_handler_service, environment, transformer, utils",
        "from sagemaker_inference.default_handler_service import DefaultHandlerService",
        "from sagemaker_inference.transformer import Transformer",
        "import sys; print('numpy' in sys.modules, 'scipy' in sys.modules, 'boto3' in sys.modules)",
    )
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        check=True,
    )
    assert done.stdout == b"False False False\n"


@pytest.mark.parametrize("name", ["serving", "serving_mms", "handler_service", "training", "mms_patch.model_server"])
def test_modules_of_the_older_distribution_exist(name: str) -> None:
    """L-18."""
    assert importlib.import_module(f"sagemaker_sklearn_container.{name}").__doc__


@pytest.mark.parametrize("name", ["serving_mms", "mms_patch.model_server"])
def test_the_multi_model_server_says_that_it_is_not_there(name: str) -> None:
    """L-18."""
    module = importlib.import_module(f"sagemaker_sklearn_container.{name}")
    with pytest.raises(NotAvailableError, match=rf"^{name}.start_model_server was called.* `serve` command"):
        module.start_model_server(is_multi_model=True)


@pytest.mark.parametrize(
    ("instance", "name"),
    [
        (transformer.Transformer(), "transform"),
        (transformer.Transformer(), "validate_and_initialize"),
        (default_handler_service.DefaultHandlerService(), "handle"),
        (default_handler_service.DefaultHandlerService(transformer.Transformer()), "initialize"),
        (handler_service.HandlerService(), "handle"),
    ],
)
def test_what_the_container_does_itself_says_so_when_it_is_called(instance: Any, name: str) -> None:
    """U-44: making the object works."""
    with pytest.raises(NotAvailableError, match=rf"\.{name} was called\. .* does not offer it\. Define model_fn"):
        getattr(instance, name)("data", context=None)


def test_errors_name_their_status() -> None:
    """U-44, S-44: an error that a function of the script raises is answered with it."""
    error = errors.GenericInferenceToolkitError(422, "no\nway")
    assert isinstance(error, RequestError)
    assert (error.status, error.status_code, error.message, error.phrase) == (422, 422, "no\nway", "no\nway")
    assert (str(error), error.args) == ("no\nway", (422, "no\nway", "no\nway"))
    assert errors.GenericInferenceToolkitError(500).message == "Invalid Request"
    assert issubclass(errors.GenericInferenceToolkitError, errors.BaseInferenceToolkitError)


def test_utils(tmp_path: Path) -> None:
    """U-44."""
    path = str(tmp_path / "file")
    utils.write_file(path, "text")
    utils.write_file(path, b"!", "ab")
    assert (utils.read_file(path), utils.read_file(path, "rb")) == ("text!", b"text!")
    assert utils.parse_accept("a/b, c/d;q=0.5") == ["a/b", "c/d;q=0.5"]
    assert utils.remove_crlf("a\r\nb") == "a  b"
    for name in ("Content-Type", "content-type", "ContentType", "contentType"):
        assert utils.retrieve_content_type_header({"Accept": "a/b", name: "c/d"}) == "c/d"
    assert utils.retrieve_content_type_header({"Accept": "a/b"}) is None


def test_the_environment_is_the_containers(monkeypatch: pytest.MonkeyPatch) -> None:
    """U-44, S-01, S-10, S-11, S-26, S-29."""
    values = {
        "SAGEMAKER_PROGRAM": "own.py",
        "SAGEMAKER_MODEL_SERVER_TIMEOUT": "7",
        "SAGEMAKER_MODEL_SERVER_WORKERS": "3",
        "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv",
        "SAGEMAKER_BIND_TO_PORT": "8081",
        "SAGEMAKER_SAFE_PORT_RANGE": "1-2",
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": "2",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    assert vars(environment.Environment()) == {
        "module_name": "own",
        "model_server_timeout": 7,
        "model_server_workers": "3",
        "default_accept": "text/csv",
        "http_port": "8081",
        "inference_http_port": "8081",
        "management_http_port": "8081",
        "safe_port_range": "1-2",
        "max_request_size": 2 * 1024 * 1024,
    }
    monkeypatch.delenv("SAGEMAKER_PROGRAM")
    assert environment.Environment().module_name == "inference"


@pytest.mark.parametrize(("multi_model", "directory"), [("", "model"), ("true", "models")])
def test_paths(multi_model: str, directory: str) -> None:
    """U-44, T-30."""
    line = "from sagemaker_inference import environment as e; print(e.base_dir, e.model_dir, e.code_dir)"
    environ = {
        "SAGEMAKER_BASE_DIR": "/b",
        "SAGEMAKER_MULTI_MODEL": multi_model,
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    done = subprocess.run(
        [sys.executable, "-c", line],
        env={**os.environ, **environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        check=True,
    )
    assert done.stdout.decode().split() == ["/b", f"/b/{directory}", f"/b/{directory}/code"]
