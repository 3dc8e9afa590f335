"""Names of hyperparameters and environment variables under the names that scripts use.

Source: contract U-40, T-22.
"""

from __future__ import annotations

from sagemaker_sklearn_container import contract

SAGEMAKER_PREFIX = contract.HP_PREFIX

# Hyperparameters that configure the container, and the environment variables named after them.
USER_PROGRAM_PARAM = contract.HP_PROGRAM
USER_PROGRAM_ENV = contract.PROGRAM
SUBMIT_DIR_PARAM = contract.HP_SUBMIT_DIRECTORY
SUBMIT_DIR_ENV = contract.SUBMIT_DIRECTORY
LOG_LEVEL_PARAM = contract.HP_LOG_LEVEL
LOG_LEVEL_ENV = contract.LOG_LEVEL
JOB_NAME_PARAM = contract.HP_JOB_NAME
JOB_NAME_ENV = "SAGEMAKER_JOB_NAME"
REGION_NAME_PARAM = contract.HP_REGION
REGION_NAME_ENV = contract.REGION
ENABLE_METRICS_PARAM = "sagemaker_enable_cloudwatch_metrics"
ENABLE_METRICS_ENV = "SAGEMAKER_ENABLE_CLOUDWATCH_METRICS"
S3_OUTPUT_LOCATION_PARAM = "sagemaker_s3_output"
S3_OUTPUT_LOCATION_ENV = "SAGEMAKER_S3_OUTPUT"
TUNING_METRIC_PARAM = "_tuning_objective_metric"
DEFAULT_MODULE_NAME_PARAM = "default_user_module_name"
SAGEMAKER_HYPERPARAMETERS = (
    USER_PROGRAM_PARAM,
    SUBMIT_DIR_PARAM,
    ENABLE_METRICS_PARAM,
    REGION_NAME_PARAM,
    LOG_LEVEL_PARAM,
    JOB_NAME_PARAM,
    DEFAULT_MODULE_NAME_PARAM,
    TUNING_METRIC_PARAM,
    S3_OUTPUT_LOCATION_PARAM,
)

# Hyperparameters of training on several hosts, which this container passes on and does not act on.
MPI_ENABLED = "sagemaker_mpi_enabled"
MPI_NUM_PROCESSES = "sagemaker_mpi_num_processes"
MPI_PROCESSES_PER_HOST = "sagemaker_mpi_num_of_processes_per_host"
MPI_CUSTOM_OPTIONS = "sagemaker_mpi_custom_mpi_options"
PARAMETER_SERVER_ENABLED = "sagemaker_parameter_server_enabled"
SAGEMAKER_NETWORK_INTERFACE_NAME = "sagemaker_network_interface_name"

# Other environment variables.
CURRENT_HOST_ENV = "CURRENT_HOST"
TRAINING_JOB_ENV = contract.TRAINING_JOB_NAME
S3_ENDPOINT_URL = contract.S3_ENDPOINT_URLS[0]
DEFAULT_INVOCATIONS_ACCEPT_ENV = contract.DEFAULT_INVOCATIONS_ACCEPT
MODEL_SERVER_WORKERS_ENV = contract.MODEL_SERVER_WORKERS
MODEL_SERVER_TIMEOUT_ENV = contract.MODEL_SERVER_TIMEOUT
USE_NGINX_ENV = "SAGEMAKER_USE_NGINX"
SAGEMAKER_BIND_TO_PORT_ENV = contract.BIND_TO_PORT
SAGEMAKER_SAFE_PORT_RANGE_ENV = "SAGEMAKER_SAFE_PORT_RANGE"
FRAMEWORK_SERVING_MODULE_ENV = contract.SERVING_MODULE
FRAMEWORK_TRAINING_MODULE_ENV = contract.TRAINING_MODULE
