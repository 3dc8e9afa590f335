"""The paths of a server of one model."""

from __future__ import annotations

from sagemaker_sklearn_container.gateway.routes import NOTHING, Routes
from sagemaker_sklearn_container.processes.tasks import EXECUTION_PARAMETERS, INVOKE

# Source: contract S-03, S-20, S-21, S-33. A ping needs no worker, so busy ones do not delay it (S-05).
ROUTES = Routes(
    {
        "/ping": {"GET": NOTHING, "HEAD": NOTHING},
        "/invocations": {"POST": INVOKE},
        "/execution-parameters": {"GET": EXECUTION_PARAMETERS, "HEAD": EXECUTION_PARAMETERS},
    }
)
