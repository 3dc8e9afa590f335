"""The modules that scripts import at their top; importing them starts nothing and loads no NumPy.

Source: contract U-40.
"""

from sagemaker_containers import training_env
from sagemaker_containers.beta.framework import (
    content_types,
    encoders,
    entry_point,
    env,
    errors,
    files,
    functions,
    logging,
    mapping,
    modules,
    params,
    process,
    runner,
    server,
    trainer,
    transformer,
    worker,
)

__all__ = [
    "content_types",
    "encoders",
    "entry_point",
    "env",
    "errors",
    "files",
    "functions",
    "logging",
    "mapping",
    "modules",
    "params",
    "process",
    "runner",
    "server",
    "trainer",
    "training_env",
    "transformer",
    "worker",
]
