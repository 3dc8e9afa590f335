"""The names, paths and numbers that the platform fixes; nothing here may change at our own wish.

Each entry carries the id of the contract line it comes from.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DEFAULT_BASE_DIR = "/opt/ml"  # L-07

# Variables of the container's environment.
BASE_DIR = "SAGEMAKER_BASE_DIR"  # T-30
PROGRAM = "SAGEMAKER_PROGRAM"  # T-40, U-01
SUBMIT_DIRECTORY = "SAGEMAKER_SUBMIT_DIRECTORY"  # T-41, U-02
LOG_LEVEL = "SAGEMAKER_CONTAINER_LOG_LEVEL"  # T-31, S-15
REGION = "SAGEMAKER_REGION"  # T-45
AWS_REGION = "AWS_REGION"  # T-45
S3_ENDPOINT_URLS = ("S3_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3")  # T-45, first set one wins
TRAINING_JOB_NAME = "TRAINING_JOB_NAME"  # T-86
STUDIO_LOCAL_MODE = "SM_STUDIO_LOCAL_MODE"  # T-29, K-04
HOSTS_TIMEOUT = "SAGEMAKER_HOSTS_TIMEOUT"  # ours, for T-29: seconds
CODE_ARTIFACT_REPOSITORY = "CA_REPOSITORY_ARN"  # T-47
TRAINING_MODULE = "SAGEMAKER_TRAINING_MODULE"  # L-09, T-54
SERVING_MODULE = "SAGEMAKER_SERVING_MODULE"  # L-09
BIND_TO_PORT = "SAGEMAKER_BIND_TO_PORT"  # S-01
MULTI_MODEL = "SAGEMAKER_MULTI_MODEL"  # S-02
DEFAULT_INVOCATIONS_ACCEPT = "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT"  # S-26
MODEL_SERVER_WORKERS = "SAGEMAKER_MODEL_SERVER_WORKERS"  # S-11
MODEL_SERVER_TIMEOUT = "SAGEMAKER_MODEL_SERVER_TIMEOUT"  # S-10
MAX_CONTENT_LENGTH = "MAX_CONTENT_LENGTH"  # S-29, S-47: bytes
BATCH = "SAGEMAKER_BATCH"  # B-01, B-04, B-08
SDK_BATCH = "True"  # B-01: how the SDK's local mode says it; the platform says `true`
MAX_PAYLOAD_IN_MB = "SAGEMAKER_MAX_PAYLOAD_IN_MB"  # S-29, S-47, B-06: MiB, 0 is unlimited
NUM_MODEL_WORKERS = "SAGEMAKER_NUM_MODEL_WORKERS"  # M-36
MODEL_JOB_QUEUE_SIZE = "SAGEMAKER_MODEL_JOB_QUEUE_SIZE"  # M-36
MAX_REQUEST_SIZE = "SAGEMAKER_MAX_REQUEST_SIZE"  # M-36: bytes
AUTOML_TRANSFORM_MODE = "AUTOML_TRANSFORM_MODE"

# What the image presets for the two dispatch variables.
OWN_TRAINING_MODULE = "sagemaker_sklearn_container.training:main"  # L-09, T-78
OWN_SERVING_MODULE = "sagemaker_sklearn_container.serving:main"  # L-09

DEFAULT_PORT = 8080  # S-01
DEFAULT_TIMEOUT_S = 60  # S-10
DEFAULT_BATCH_TIMEOUT_S = 3600  # B-08
DEFAULT_BATCH_PAYLOAD_MIB = 6  # B-02
DEFAULT_MODEL_WORKERS = 1  # M-36
DEFAULT_JOB_QUEUE_SIZE = 100  # M-36
DEFAULT_MODEL_BODY_BYTES = 6 * 1024 * 1024  # M-36
MOST_MODEL_BODY_BYTES = 20 * 1024 * 1024  # M-36
STOP_WINDOW_S = 30  # S-07: SIGKILL follows SIGTERM after this many seconds
DEFAULT_LOG_LEVEL = 20  # T-31
DEFAULT_NETWORK_INTERFACE = "eth0"  # T-28
DEFAULT_INSTANCE_TYPE = "local"  # T-87
DEFAULT_INSTANCE_GROUP = "homogeneousCluster"  # T-87
HOSTS_TIMEOUT_S = 900  # T-29
HOSTS_FIRST_PAUSE_S = 0.1  # T-29
HOSTS_LONGEST_PAUSE_S = 30.0  # T-29
DEFAULT_SERVING_PROGRAM = "inference.py"  # U-03
REQUIREMENTS_FILE = "requirements.txt"  # T-47, U-05
AUTOPILOT_SERVING_MODULE = "sagemaker_serve"

JSON = "application/json"
CSV = "text/csv"
NPY = "application/x-npy"
RECORDIO = "application/x-recordio-protobuf"
ANY = "*/*"

# Bodies of exactly these content types reach the user's input_fn as text.
TEXT_CONTENT_TYPES = frozenset({JSON, CSV})  # S-25

CUSTOM_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"  # S-30
MAX_CUSTOM_ATTRIBUTES = 1024  # S-30: characters

# Hyperparameters that configure the container and never reach the user's program.
HP_PREFIX = "sagemaker_"  # T-22
HP_PROGRAM = "sagemaker_program"
HP_SUBMIT_DIRECTORY = "sagemaker_submit_directory"
HP_LOG_LEVEL = "sagemaker_container_log_level"
HP_JOB_NAME = "sagemaker_job_name"
HP_REGION = "sagemaker_region"
HP_S3_OUTPUT = "sagemaker_s3_output"  # T-56
HP_DISTRIBUTION_INSTANCE_GROUPS = "sagemaker_distribution_instance_groups"  # T-87
KNOWN_HPS = frozenset(
    {
        HP_PROGRAM,
        HP_SUBMIT_DIRECTORY,
        HP_LOG_LEVEL,
        HP_JOB_NAME,
        HP_REGION,
        "sagemaker_enable_cloudwatch_metrics",
        HP_S3_OUTPUT,
    }
)  # T-22
HIDDEN_HPS = frozenset({"default_user_module_name", "_tuning_objective_metric"})  # T-22, T-23


@dataclass(frozen=True)
class Paths:
    """The platform's directories and files, all below one base directory (L-07, T-30)."""

    base: Path

    @property
    def code(self) -> Path:
        """The user's code (T-42)."""
        return self.base / "code"

    @property
    def model(self) -> Path:
        """The model: written by training (T-83), read by serving (U-20)."""
        return self.base / "model"

    @property
    def input(self) -> Path:
        """Everything the platform hands to a training job (T-81)."""
        return self.base / "input"

    @property
    def input_config(self) -> Path:
        """The directory of the three configuration files (T-81)."""
        return self.input / "config"

    @property
    def hyperparameters(self) -> Path:
        """JSON object of strings (T-20)."""
        return self.input_config / "hyperparameters.json"

    @property
    def input_data_config(self) -> Path:
        """JSON object with one key per channel (T-20)."""
        return self.input_config / "inputdataconfig.json"

    @property
    def resource_config(self) -> Path:
        """JSON object naming the hosts (T-20)."""
        return self.input_config / "resourceconfig.json"

    @property
    def checkpoint_config(self) -> Path:
        """JSON object, if the job has checkpoints (T-55); the container does not read it."""
        return self.input_config / "checkpointconfig.json"

    @property
    def output(self) -> Path:
        """Where training reports (T-82)."""
        return self.base / "output"

    @property
    def output_data(self) -> Path:
        """Results other than the model (T-82)."""
        return self.output / "data"

    @property
    def output_intermediate(self) -> Path:
        """Results uploaded while training runs (T-82)."""
        return self.output / "intermediate"

    @property
    def failure(self) -> Path:
        """Why training failed, as text (T-04)."""
        return self.output / "failure"

    @property
    def success(self) -> Path:
        """Empty file that marks a successful training (T-07)."""
        return self.output / "success"

    def channel(self, name: str) -> Path:
        """The directory of one input channel (T-24); in pipe mode the stem of its pipes (T-25)."""
        return self.input / "data" / name
