"""The target `machine_step`: a program for `adhoc_tool` whose runs see the machine's settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pants.core.goals.run import RunFieldSet, RunInSandboxBehavior, RunInSandboxRequest, RunRequest
from pants.core.util_rules.system_binaries import BashBinary
from pants.engine.addresses import Addresses, UnparsedAddressInputs
from pants.engine.env_vars import EnvironmentVars, EnvironmentVarsRequest
from pants.engine.process import Process, ProcessCacheScope, ProcessResult
from pants.engine.rules import Get, collect_rules, rule
from pants.engine.target import (
    COMMON_TARGET_FIELDS,
    BoolField,
    FieldSetsPerTarget,
    FieldSetsPerTargetRequest,
    InvalidFieldException,
    SpecialCasedDependencies,
    StringSequenceField,
    Target,
    Targets,
)
from pants.option.global_options import GlobalOptions, NamedCachesDirOption
from pants.util.frozendict import FrozenDict
from pants.util.logging import LogLevel

from machine_steps import fingerprint
from machine_steps.settings import LINK, NAMED_CACHE, SHARED_CACHE, WITH_SETTINGS, write_settings


class ProgramField(SpecialCasedDependencies):
    """The program to run."""

    alias = "program"
    required = True
    help = "A list of the one target to run, for example a `pex_binary`."


class MachineEnvironmentField(StringSequenceField):
    """Names of variables."""

    alias = "machine_environment"
    default = ()
    help = (
        "Variables of the machine's environment. A run that has MACHINE_SETTINGS in its own environment sees those "
        "that are set. They are no part of its key: use them for where things come from, never for what comes out."
    )


class ReadsInterpreterField(BoolField):
    """Whether the interpreter's files are an input."""

    alias = "reads_interpreter"
    default = False
    help = "Whether the program copies files of the interpreter it runs on, which then belong to the key."


class MachineStepTarget(Target):
    """A program for `adhoc_tool`."""

    alias = "machine_step"
    core_fields = (*COMMON_TARGET_FIELDS, ProgramField, MachineEnvironmentField, ReadsInterpreterField)
    help = "A Python program for `adhoc_tool` whose runs see settings of the machine that are no part of their keys."


@dataclass(frozen=True)
class MachineStepFieldSet(RunFieldSet):
    """What of the target a run needs."""

    required_fields = (ProgramField,)
    run_in_sandbox_behavior = RunInSandboxBehavior.CUSTOM

    program: ProgramField
    environment: MachineEnvironmentField
    reads_interpreter: ReadsInterpreterField


@rule(desc="Prepare a step with the machine's settings", level=LogLevel.DEBUG)
async def step_in_sandbox(
    field_set: MachineStepFieldSet, caches: NamedCachesDirOption, bash: BashBinary, options: GlobalOptions
) -> RunInSandboxRequest:
    """The program's own run, with the settings at hand and the interpreter's build in its key.

    Raises:
        InvalidFieldException: `program` does not name one target that can be run.
    """
    addresses = await Get(Addresses, UnparsedAddressInputs, field_set.program.to_unparsed_address_inputs())
    targets = await Get(Targets, Addresses, addresses)
    runnable = await Get(FieldSetsPerTarget, FieldSetsPerTargetRequest(RunFieldSet, targets))
    if len(runnable.field_sets) != 1:
        raise InvalidFieldException(
            f"{field_set.address}: `program` names {', '.join(map(str, addresses)) or 'nothing'}, in which there are "
            f"{len(runnable.field_sets)} targets that can be run. Name one, for example a `pex_binary`."
        )
    program = await Get(RunInSandboxRequest, RunFieldSet, runnable.field_sets[0])
    about = await Get(
        ProcessResult,
        Process(
            argv=(program.args[0], "-I", "-S", "-c", Path(fingerprint.__file__).read_text(encoding="utf-8")),
            description=f"Reading the interpreter {program.args[0]}",
            cache_scope=ProcessCacheScope.PER_RESTART_SUCCESSFUL,
            level=LogLevel.DEBUG,
        ),
    )
    version, digest = about.stdout.decode().split()
    settings = await Get(EnvironmentVars, EnvironmentVarsRequest(field_set.environment.value or ()))
    # A side effect in a rule, as whatever a process does is keyed by what it is given. It is repeated whenever one of
    # the variables changes, before the steps that ask for them.
    shared = {SHARED_CACHE: "yes"} if options.remote_cache_read else {}
    write_settings(Path(caches.val) / NAMED_CACHE, {**settings, **shared})
    return RunInSandboxRequest(
        digest=program.digest,
        args=(bash.path, "-c", WITH_SETTINGS, "step", *program.args),
        extra_env={**program.extra_env, "INTERPRETER": digest if field_set.reads_interpreter.value else version},
        immutable_input_digests=program.immutable_input_digests,
        append_only_caches=FrozenDict({**(program.append_only_caches or {}), NAMED_CACHE: LINK}),
    )


@rule(level=LogLevel.DEBUG)
async def run_step(field_set: MachineStepFieldSet) -> RunRequest:
    """The program's own run: there, the environment is the machine's anyway."""
    addresses = await Get(Addresses, UnparsedAddressInputs, field_set.program.to_unparsed_address_inputs())
    raise InvalidFieldException(
        f"{field_set.address} is a step of a build. Run {', '.join(map(str, addresses))} instead."
    )


def rules():  # type: ignore[no-untyped-def]  # As Pants itself declares it.
    return (*collect_rules(), *MachineStepFieldSet.rules())
