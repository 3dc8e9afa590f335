"""Starting the Multi Model Server, which this container does without: only a name.

Source: contract L-18.
"""

from __future__ import annotations

from sagemaker_training import unavailable

start_model_server = unavailable.function(
    "mms_patch.model_server.start_model_server",
    "The container's `serve` command starts the server; leave it to that",
)
