"""Registers the field `runnable_target` of `adhoc_tool`."""

from __future__ import annotations

from typing import Iterable

from pants.backend.adhoc.target_types import AdhocToolTarget
from pants.engine.rules import Rule
from pants.engine.target import SpecialCasedDependencies
from pants.engine.unions import UnionRule


class RunnableTarget(SpecialCasedDependencies):
    """The target that `runnable` names, once more, as a dependency that adds nothing to the sandbox."""

    alias = "runnable_target"
    help = (
        "The target that `runnable` names. Pants 2.17 does not see `runnable` as a dependency: without this field, "
        "`dependents` and `--changed-dependents` stop at the tool and miss everything that it makes."
    )


def rules() -> Iterable[Rule | UnionRule]:
    """The field, for every `adhoc_tool`."""
    return [AdhocToolTarget.register_plugin_field(RunnableTarget)]
