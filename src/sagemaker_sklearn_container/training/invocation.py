"""What the log says about the program that is about to run; secrets are left out of it."""

from __future__ import annotations

import dataclasses
import json
import logging
import re
from typing import Any, Mapping

from sagemaker_sklearn_container.training.config import TrainingConfig

logger = logging.getLogger(__name__)

REDACTED = "******"

_SECRET_NAME = re.compile(
    r"passw|passphrase|secret|token(?!iz|is)|credential|auth(?!ors?$)|(api|access|private|account)[-_.]?key",
    re.IGNORECASE,
)
_ADDRESS_WITH_SECRET = re.compile(r"(?<=://)[^/@\s]+(?=@)")


def redacted(value: Any, name: str = "") -> Any:
    """`value` with everything replaced that looks secret: by the name it goes by, or as part of an address.

    Args:
        value: Anything that JSON can hold.
        name: Name of the value; a secret one hides all of it.

    Source: contract T-11.
    """
    if value and _SECRET_NAME.search(name):
        return REDACTED
    if isinstance(value, Mapping):
        return {key: redacted(item, str(key)) for key, item in value.items()}
    if isinstance(value, list):
        return [redacted(item) for item in value]
    return _ADDRESS_WITH_SECRET.sub(REDACTED, value) if isinstance(value, str) else value


def without_secrets(config: TrainingConfig) -> TrainingConfig:
    """The job with redacted hyperparameters, from which everything shown is made."""
    return dataclasses.replace(
        config,
        hyperparameters=redacted(config.hyperparameters),
        framework_parameters=redacted(config.framework_parameters),
        source=redacted(config.source),
    )


def log_invocation(facts: Mapping[str, Any], variables: Mapping[str, str], command: str) -> None:
    """Log the environment that the program gets, then its command.

    Args:
        facts: Content of SM_TRAINING_ENV, redacted.
        variables: Environment of the program, made from a redacted job.
        command: As a shell would take it, redacted.

    Source: contract T-11.
    """
    logger.info("Training environment:\n%s", json.dumps(facts, indent=2, sort_keys=True, ensure_ascii=False))
    shown = "\n".join(f"{name}={redacted(value, name)}" for name, value in sorted(variables.items()))
    logger.info("Environment variables:\n%s", shown)
    logger.info("Invoking user script: %s", command)
