"""The serving container as scripts read it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sagemaker_containers.beta.framework import env, server
from sagemaker_sklearn_container.errors import ConfigurationError

_VARIABLES = (
    "CURRENT_HOST",
    "SAGEMAKER_BIND_TO_PORT",
    "SAGEMAKER_CONTAINER_LOG_LEVEL",
    "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT",
    "SAGEMAKER_MODEL_SERVER_TIMEOUT",
    "SAGEMAKER_MODEL_SERVER_WORKERS",
    "SAGEMAKER_PROGRAM",
    "SAGEMAKER_SAFE_PORT_RANGE",
    "SAGEMAKER_SERVING_MODULE",
    "SAGEMAKER_SUBMIT_DIRECTORY",
)


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in _VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))


def test_defaults(tmp_path: Path) -> None:
    """U-43: names, types and values of the retired package, but for use_nginx: no proxy stands before our server."""
    serving = env.ServingEnv()
    assert dict(serving) == {
        "current_host": None,
        "default_accept": "application/json",
        "framework_module": None,
        "http_port": "8080",
        "log_level": 20,
        "model_dir": str(tmp_path / "model"),
        "model_server_timeout": 60,
        "model_server_workers": env.num_cpus(),
        "module_dir": str(tmp_path / "code"),
        "module_name": None,
        "num_cpus": env.num_cpus(),
        "num_gpus": env.num_gpus(),
        "safe_port_range": None,
        "use_nginx": False,
        "user_entry_point": None,
    }


def test_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """U-43, S-01, S-10, S-11, S-26."""
    values = ("h", "9000", "10", "text/csv", "90", "3", "inference.py", "1111-2222", "m:main", "s3://b/k.tar.gz")
    for name, value in zip(_VARIABLES, values):
        monkeypatch.setenv(name, value)
    serving = env.ServingEnv()
    assert (serving.current_host, serving.http_port, serving.log_level) == ("h", "9000", 10)
    assert (serving.default_accept, serving.model_server_timeout, serving.model_server_workers) == ("text/csv", 90, 3)
    assert (serving.user_entry_point, serving.module_name) == ("inference.py", "inference")
    assert (serving.framework_module, serving.module_dir) == ("m:main", "s3://b/k.tar.gz")
    assert server.next_safe_port(serving.safe_port_range) == "1111"


def test_a_bad_value_is_an_error_that_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """U-43."""
    monkeypatch.setenv("SAGEMAKER_MODEL_SERVER_WORKERS", "many")
    with pytest.raises(ConfigurationError, match="SAGEMAKER_MODEL_SERVER_WORKERS"):
        env.ServingEnv()


def test_next_safe_port() -> None:
    """U-40."""
    assert [server.next_safe_port("1000-1002", after) for after in (None, "1000", 1001)] == ["1000", "1001", "1002"]
    with pytest.raises(ValueError, match="1003, which is not in the range 1000-1002"):
        server.next_safe_port("1000-1002", 1002)
