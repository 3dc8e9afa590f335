"""Settings of the server."""

from __future__ import annotations

import pytest

from sagemaker_sklearn_container.serving.config import read
from sagemaker_sklearn_container.single_model.server import AccessLog, settings


def test_settings_follow_the_configuration() -> None:
    """S-01, S-07, S-10, S-11, S-12, S-15."""
    environ = {
        "SAGEMAKER_BIND_TO_PORT": "9000",
        "SAGEMAKER_MODEL_SERVER_WORKERS": "2",
        "SAGEMAKER_MODEL_SERVER_TIMEOUT": "3600",
        "SAGEMAKER_CONTAINER_LOG_LEVEL": "30",
    }
    chosen = settings(read(environ, cpus=1))
    names = ("bind", "workers", "worker_class", "timeout", "graceful_timeout", "loglevel")
    assert [chosen[name] for name in names] == [["0.0.0.0:9000"], 2, "sync", 3600, 25, "warning"]


class _Answer:
    status = "200 OK"


@pytest.mark.parametrize(("path", "logged"), [("/ping", 0), ("/invocations", 1)])
def test_good_pings_are_not_logged(monkeypatch: pytest.MonkeyPatch, path: str, logged: int) -> None:
    """S-16."""
    lines: list[object] = []
    monkeypatch.setattr(AccessLog.__mro__[1], "access", lambda self, *arguments: lines.append(arguments))
    AccessLog.access(AccessLog.__new__(AccessLog), _Answer(), None, {"PATH_INFO": path}, None)
    assert len(lines) == logged
