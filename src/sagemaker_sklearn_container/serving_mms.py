"""Starting the Multi Model Server, which this container does without: only names.

Source: contract L-18.
"""

from __future__ import annotations

from sagemaker_training import unavailable

HANDLER_SERVICE = "sagemaker_sklearn_container.handler_service"

start_model_server = unavailable.function(
    "serving_mms.start_model_server", "The container's `serve` command starts the server; leave it to that"
)
