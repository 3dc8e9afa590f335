"""The shell commands of an image build: is the image there, bring it there, note its id.

Pants runs `docker build` in every session, since it cannot know whether the image is still there. A ledger closes that
gap: it notes an image's id below a fingerprint of everything the build read, and holds the note against what the engine
has. An image id is a digest of the image's configuration and layers, so the comparison is by content: an image that was
removed, tagged anew or built by hand does not match.

Tags belong to everyone who uses the engine and may move at any moment; ids do not. What is passed on is ids.
"""

from __future__ import annotations

import shlex
from typing import Mapping

# Relative to the sandbox; one file a fingerprint, whose content is an image id.
NOTES = ".docker_image_ids"

# Shared by all checkouts of a user, like every named cache of Pants'.
NAMED_CACHE = "docker_image_ids"

# In place of a fingerprint: no image is ever noted for it.
NEVER_NOTED = "none"

# Where the client writes the id of what it built.
_BUILT = ".docker_image_id"


def lookup_script(docker: str, fingerprint: str, tags: tuple[str, ...]) -> str:
    """Prints the image id noted for a fingerprint, if the engine has every tag at that id.

    Fails otherwise, and prints what no other lookup does: Pants runs what follows a lookup only where the lookup's
    answer is a new one. It changes nothing, since Pants also repeats the lookups of an earlier state of the tree.

    Args:
        docker: Client to call.
        fingerprint: Hexadecimal digest of all inputs.
        tags: Full names.
    """
    inspect = shlex.join([docker, "image", "inspect", "--format", "{{.Id}}", *tags])
    return (
        f"noted=$(cat {NOTES}/{fingerprint}) && found=$({inspect}) || found=nothing\n"
        'for id in $found; do [ "$id" = "$noted" ] || { printf %s "$(date +%s)-$$-$RANDOM"; exit 1; }; done\n'
        'printf %s "$noted"\n'
    )


def build_script(build: tuple[str, ...], parents: Mapping[str, str], pin: str) -> str:
    """Runs a build on the very images that its parents were built into, and prints the id of the image it made.

    A Dockerfile can only name its parent by tag, and another checkout may move that tag once the parent was seen to,
    even between two stages of one build. So each parent is pinned: it gets one more tag, which this build alone knows.

    Args:
        build: Command line of the build: the client, `build`, its options.
        parents: Image id by tag. A build argument whose value is one of these tags gets the pinned one.
        pin: What no other build's pins end with; allowed in a tag.
    """
    client = shlex.quote(build[0])
    pinned: dict[str, str] = {}
    command = []
    for before, word in zip(("", *build), build):
        tag = word.partition("=")[2] if before == "--build-arg" else ""
        if tag in parents:
            word = f"{word}-pinned-{pin}"
            pinned[shlex.quote(f"{tag}-pinned-{pin}")] = shlex.quote(parents[tag])
        command.append(shlex.quote(word))
    command[2:2] = ["--iidfile", _BUILT]
    run = f"{' '.join(command)} >&2 && cat {_BUILT}\n"
    return _while_pinned(client, pinned, run) if pinned else run


def _while_pinned(client: str, pinned: Mapping[str, str], run: str) -> str:
    # Pants kills the process group of a build that is cancelled, at once and as a whole. So the pins are removed by a
    # job in a group of its own (`set -m`), which waits for its input to end: that is when this shell is gone.
    # To remove an image's last tag is to remove the image, and a parent whose own tag was moved has only the pin. So a
    # pin is first given to an image of an empty archive, if the engine's disk has room for one.
    return "".join(
        [
            "unpin() {\n",
            "  cat\n",
            f"  for pin in {' '.join(pinned)}; do\n",
            f'    head -c 1024 /dev/zero | {client} image import - "$pin"; {client} image rm "$pin"\n',
            "  done\n",
            "}\n",
            "set -m\n",
            "coproc unpin >/dev/null 2>&1\n",
            "set +m\n",
            " && ".join([*(f"{client} image tag {image_id} {pin}" for pin, image_id in pinned.items()), run]),
            "status=$?\n",
            "exec {COPROC[1]}>&-\n",
            "wait $COPROC_PID\n",
            "exit $status\n",
        ]
    )


def tag_or_build_script(build: str, docker: str, fingerprint: str, tags: tuple[str, ...]) -> str:
    """Tags the image noted for a fingerprint where the engine still has it, and prints its id; else runs `build`.

    Args:
        build: Script for an image that is gone.
        docker: Client to call.
        fingerprint: Hexadecimal digest of all inputs.
        tags: Full names.
    """
    client = shlex.quote(docker)
    return (
        f'if {{ noted=$(cat {NOTES}/{fingerprint}) && {client} image inspect "$noted"; }} >/dev/null 2>&1; then\n'
        f'  for tag in {shlex.join(tags)}; do {client} image tag "$noted" "$tag" || exit 1; done\n'
        '  printf %s "$noted"\n'
        "  exit\n"
        f"fi\n{build}"
    )


def note_script(fingerprint: str, image_id: str) -> str:
    """Notes the image id of a fingerprint, at once or not at all."""
    note = f"{NOTES}/{fingerprint}"
    return f"printf %s {shlex.quote(image_id)} >{note}.$$ && mv {note}.$$ {note}\n"
