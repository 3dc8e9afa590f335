"""What the log says about the program that is about to run; secrets are left out of it."""

from __future__ import annotations

import dataclasses
import json
import logging
from typing import Any, Mapping

from sagemaker_sklearn_container.redaction import redacted
from sagemaker_sklearn_container.training.config import TrainingConfig

logger = logging.getLogger(__name__)


def without_secrets(config: TrainingConfig) -> TrainingConfig:
    """The job as it may be shown: everything that its submitter wrote is redacted.

    Source: contract T-11.
    """
    return dataclasses.replace(
        config,
        hyperparameters=redacted(config.hyperparameters),
        framework_parameters=redacted(config.framework_parameters),
        source=redacted(config.source),
        input_data_config=redacted(config.input_data_config),
        resource_config=redacted(config.resource_config),
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
