"""Options of publishing."""

from __future__ import annotations

from pants.option.option_types import BoolOption, StrListOption
from pants.option.subsystem import Subsystem


class ImagePublishing(Subsystem):
    """What the `publish` goal lets pass. Where it pushes to is Pants' own option [docker.registries]."""

    options_scope = "image-publishing"
    help = "How docker images are published (docs/publishing.md)."

    untested = BoolOption(
        default=False,
        help="Publish images without asking for the results of their tests.",
    )
    tags_may_move = BoolOption(
        default=False,
        help="Let a tag that a registry has for another image name the new one.",
    )
    env_vars = StrListOption(
        default=[
            "AWS_CONFIG_FILE",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            "AWS_DEFAULT_REGION",
            "AWS_PROFILE",
            "AWS_REGION",
            "AWS_ROLE_ARN",
            "AWS_SHARED_CREDENTIALS_FILE",
            "AWS_WEB_IDENTITY_TOKEN_FILE",
        ],
        help="Variables that credential helpers see beside those of [docker].env_vars: where credentials are, and "
        "never credentials themselves, since Pants' debug log shows them.",
        advanced=True,
    )
