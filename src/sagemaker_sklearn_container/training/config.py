"""What the platform says about a training job, read once from its files and the environment."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Mapping

from sagemaker_sklearn_container import contract, settings
from sagemaker_sklearn_container.contract import Paths
from sagemaker_sklearn_container.errors import ConfigurationError
from sagemaker_sklearn_container.user_code.s3 import S3Settings


@dataclass(frozen=True)
class Instance:
    """The machine that this host is.

    Attributes:
        type: Such as ml.m5.large; `local` outside of the platform.
        group: Name of its instance group.
        groups: Description of every instance group by its name, as the platform gives it; empty if it names none.
        topology: What the platform says about the network between the hosts; None if nothing.

    Source: contract T-87.
    """

    type: str
    group: str
    groups: Mapping[str, Mapping[str, Any]]
    topology: Any

    @property
    def group_hosts(self) -> list[str]:
        """Names of the hosts in this host's group."""
        return list(self.groups.get(self.group, {}).get("hosts", []))


@dataclass(frozen=True)
class TrainingConfig:
    """One training job.

    Attributes:
        paths: The platform's directories and files.
        hyperparameters: The user's, decoded.
        framework_parameters: Unknown `sagemaker_*` hyperparameters, decoded.
        program: The user's script, module or command, relative to the code directory.
        source: Where the code is: s3:// address or local path.
        log_level: Numeric level of the `logging` module.
        job_name: The platform's name of the job, None outside of it.
        sdk_job_name: The name the SDK passes as a hyperparameter, empty if it did not.
        region: The region the SDK passes as a hyperparameter, None if it did not.
        hosts: Names of all hosts; the first is the master.
        current_host: This host.
        network_interface: Name of the interface that connects the hosts.
        wait_for_hosts: Whether the program is started only when all hosts can be reached.
        hosts_timeout_s: How long they are waited for, in seconds.
        instance: What kind of machine this host is, and its group.
        input_data_config: Content of the file of channels.
        resource_config: Content of the file of hosts.
        s3: How to reach S3.
        s3_output: Where intermediate output goes: an address, or None if nobody asked for it.
    """

    paths: Paths
    hyperparameters: Mapping[str, Any]
    framework_parameters: Mapping[str, Any]
    program: str
    source: str
    log_level: int
    job_name: str | None
    sdk_job_name: str
    region: str | None
    hosts: tuple[str, ...]
    current_host: str
    network_interface: str
    wait_for_hosts: bool
    hosts_timeout_s: int
    instance: Instance
    input_data_config: Mapping[str, Any]
    resource_config: Mapping[str, Any]
    s3: S3Settings
    s3_output: str | None

    @property
    def channels(self) -> dict[str, str]:
        """Path per channel, sorted by name (T-24, T-80)."""
        return {name: str(self.paths.channel(name)) for name in sorted(self.input_data_config)}

    @property
    def module_name(self) -> str:
        """The program without `.py` (T-74)."""
        return self.program[:-3] if self.program.endswith(".py") else self.program


def read(environ: Mapping[str, str]) -> TrainingConfig:
    """The training job that files and environment describe.

    Raises:
        ConfigurationError: a file or variable is malformed, or no program is named.

    Source: contract T-20 to T-31, T-40, T-41.
    """
    paths = settings.paths(environ)
    every = hyperparameters(paths)
    resources = _json_object(paths.resource_config)
    hosts = _hosts(resources, paths.resource_config)
    job_name, region = every.get(contract.HP_JOB_NAME), every.get(contract.HP_REGION)
    return TrainingConfig(
        paths=paths,
        hyperparameters={name: value for name, value in every.items() if _is_users(name)},
        framework_parameters={
            name: value
            for name, value in every.items()
            if name.startswith(contract.HP_PREFIX) and name not in contract.KNOWN_HPS
        },
        program=_program(environ, every),
        source=str(
            every.get(contract.HP_SUBMIT_DIRECTORY) or settings.text(environ, contract.SUBMIT_DIRECTORY) or paths.code
        ),
        log_level=_log_level(environ, every),
        job_name=settings.text(environ, contract.TRAINING_JOB_NAME),
        sdk_job_name="" if job_name is None else str(job_name),
        region=None if region is None else str(region),
        hosts=hosts,
        current_host=resources.get("current_host") or hosts[0],
        network_interface=resources.get("network_interface_name") or contract.DEFAULT_NETWORK_INTERFACE,
        wait_for_hosts=len(hosts) > 1 and not settings.boolean(environ, contract.STUDIO_LOCAL_MODE),
        hosts_timeout_s=settings.integer(environ, contract.HOSTS_TIMEOUT, contract.HOSTS_TIMEOUT_S),
        instance=_instance(resources, paths.resource_config),
        input_data_config=_json_object(paths.input_data_config),
        resource_config=resources,
        s3=S3Settings.from_environ(environ, None if region is None else str(region)),
        s3_output=str(every.get(contract.HP_S3_OUTPUT) or "") or None,
    )


def hyperparameters(paths: Paths) -> dict[str, Any]:
    """All hyperparameters, the container's own among them, decoded; none if there is no file (T-27).

    Raises:
        ConfigurationError: the file is malformed.

    Source: contract T-20, T-21.
    """
    return {name: _decoded(value) for name, value in _json_object(paths.hyperparameters).items()}


def _is_users(name: str) -> bool:
    return not name.startswith(contract.HP_PREFIX) and name not in contract.HIDDEN_HPS


def _decoded(value: Any) -> Any:
    """A hyperparameter's value: text is decoded as JSON once, or kept if it is none (T-21)."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _program(environ: Mapping[str, str], hyperparameters: Mapping[str, Any]) -> str:
    program = settings.text(environ, contract.PROGRAM) or hyperparameters.get(contract.HP_PROGRAM)
    if not program:
        raise ConfigurationError(
            f"No training program is named. Set the environment variable {contract.PROGRAM} or the hyperparameter "
            f"{contract.HP_PROGRAM} (the SDK's entry_point) to your script, relative to the code directory, for "
            "example train.py."
        )
    return str(program)


def _hosts(resources: Mapping[str, Any], path: Path) -> tuple[str, ...]:
    """Names of all hosts; without any, of this host alone (T-27)."""
    current = resources.get("current_host") or "localhost"
    hosts = resources.get("hosts") or [current]
    if not isinstance(hosts, list) or not all(isinstance(host, str) for host in [*hosts, current]):
        raise ConfigurationError(
            f"Reading {path}: hosts is {hosts!r} and current_host {current!r}; they must be a list of host names, and "
            "one of them."
        )
    return tuple(hosts)


def _instance(resources: Mapping[str, Any], path: Path) -> Instance:
    groups = resources.get("instance_groups") or []
    if not isinstance(groups, list) or not all(map(_is_group, groups)):
        raise ConfigurationError(
            f"Reading {path}: instance_groups is {groups!r}; it must be a list of objects, each with an "
            "instance_group_name and a list of hosts."
        )
    current = resources.get("current_group_name") or contract.DEFAULT_INSTANCE_GROUP
    if not isinstance(current, str):
        raise ConfigurationError(f"Reading {path}: current_group_name is {current!r}; it must be the name of a group.")
    return Instance(
        type=resources.get("current_instance_type") or contract.DEFAULT_INSTANCE_TYPE,
        group=current,
        groups={group["instance_group_name"]: group for group in groups},
        topology=resources.get("topology"),
    )


def _is_group(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("instance_group_name"), str)
        and isinstance(value.get("hosts", []), list)
    )


def _log_level(environ: Mapping[str, str], hyperparameters: Mapping[str, Any]) -> int:
    value = hyperparameters.get(contract.HP_LOG_LEVEL)
    if value is None or value == "":
        return settings.integer(environ, contract.LOG_LEVEL, contract.DEFAULT_LOG_LEVEL)
    return settings.whole_number(value, f"The hyperparameter {contract.HP_LOG_LEVEL}")


def _json_object(path: Path) -> dict[str, Any]:
    """The JSON object in `path`; a missing file is an empty object (T-27), unknown keys are kept (T-26)."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigurationError(f"Reading {path}: {exc}.") from exc
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise ConfigurationError(f"Reading {path}: it is no valid JSON: {exc}.") from exc
    if not isinstance(value, dict):
        raise ConfigurationError(f"Reading {path}: it holds a JSON {type(value).__name__}; it must be an object.")
    return value
