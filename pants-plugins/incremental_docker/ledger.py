"""Remembers which image a set of inputs was built into, and asks the engine whether it still has it.

Pants runs `docker build` in every session, since it cannot know whether the image is still there. Two small shell
commands close that gap. One notes the image's id below a fingerprint of everything the build read; the other
compares that note with what the engine says each tag is. An image id is a digest of the image's configuration and
layers, so the comparison is by content: an image that was removed, tagged anew or built by hand does not match.
"""

from __future__ import annotations

import shlex

# Relative to the sandbox; one file a fingerprint, whose content is an image id.
NOTES = ".docker_image_ids"

# Shared by all checkouts of a user, like every named cache of Pants'.
NAMED_CACHE = "docker_image_ids"


def lookup_script(docker: str, fingerprint: str, tags: tuple[str, ...]) -> str:
    """Prints the image id noted for a fingerprint, if the engine has every tag at that id; fails otherwise.

    Args:
        docker: Client to call.
        fingerprint: Hexadecimal digest of all inputs.
        tags: Full names; an image the engine cannot find makes the client fail, and so the script.
    """
    inspect = shlex.join([docker, "image", "inspect", "--format", "{{.Id}}", *tags])
    return (
        f"noted=$(cat {NOTES}/{fingerprint}) || exit 1\n"
        f"found=$({inspect}) || exit 1\n"
        'for id in $found; do [ "$id" = "$noted" ] || exit 1; done\n'
        'printf %s "$noted"\n'
    )


def note_script(fingerprint: str, image_id: str) -> str:
    """Notes the image id of a fingerprint, at once or not at all."""
    note = f"{NOTES}/{fingerprint}"
    return f"printf %s {shlex.quote(image_id)} >{note}.$$ && mv {note}.$$ {note}\n"
