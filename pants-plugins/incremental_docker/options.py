"""Options of the image build."""

from __future__ import annotations

from pants.option.option_types import BoolOption
from pants.option.subsystem import Subsystem


class IncrementalDocker(Subsystem):
    """How much of what the engine already holds a build may rely on."""

    options_scope = "incremental-docker"
    help = "Builds of docker images that rely on what the engine already holds."

    rebuild = BoolOption(
        default=False,
        help="Build every image anew, without the engine's build cache: to see whether the same images come out.",
    )
