"""The paths of a server of many models."""

from __future__ import annotations

from sagemaker_sklearn_container.gateway.routes import NAME, NOTHING, Routes
from sagemaker_sklearn_container.processes.tasks import INVOKE

# Kinds of tasks that the site does by itself, or finds the model for.
PING, LIST, LOAD, DESCRIBE, UNLOAD, SCALE, INVOKE_BY_QUERY, EXECUTION_PARAMETERS = range(100, 108)

# Source: contract M-02, M-03, M-12, M-14 to M-16, M-18 to M-21.
ROUTES = Routes(
    {
        "/ping": {"GET": PING, "HEAD": NOTHING},
        "/models": {"GET": LIST, "POST": LOAD},
        f"/models/{NAME}": {"GET": DESCRIBE, "DELETE": UNLOAD, "PUT": SCALE},
        f"/models/{NAME}/invoke": {"POST": INVOKE},
        "/invocations": {"POST": INVOKE_BY_QUERY},
        "/execution-parameters": {"GET": EXECUTION_PARAMETERS},
    }
)
