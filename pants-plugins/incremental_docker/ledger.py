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

from incremental_docker import outline
from incremental_docker.reproducible_image import NOT_TAKEN

# Relative to the sandbox; one file a fingerprint, whose content is an image id.
NOTES = ".docker_image_ids"

# What a build says whose engine took no image without times.
KEEPS_TIMES = (
    "the image keeps the times of its build, so its id is no other machine's: docker/README.md, Ids and labels"
)

# By the name of its cache, which all checkouts of a user share, like every named cache of Pants'.
NAMED_CACHES = {"docker_image_ids": NOTES}

# In place of a fingerprint: no image is ever noted for it.
NEVER_NOTED = "none"


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


def build_script(
    build: tuple[str, ...],
    reproduce: tuple[str, ...],
    tags: tuple[str, ...],
    parents: Mapping[str, str],
    pin: str,
    fingerprint: str,
) -> str:
    """Runs a build on the very images that its parents were built into, tags what it made, prints its id and notes it.

    The id is a line; a second one says why it could not be noted, which fails nothing.

    The build is that of the outline, which `reproduce` runs and makes the image of. Where the engine does not take
    that, for example since it keeps images in containerd's store, the whole context is built, and the image keeps its
    times.

    A Dockerfile can only name its parent by tag, and another checkout may move that tag once the parent was seen to,
    even between two stages of one build. So each parent is pinned: it gets one more tag, which this build alone knows.
    What was built has such a tag, too, until the image is made of it.

    Args:
        build: Command line of the build: the client, `build`, its options with one `--tag` and `--file`, the context.
        reproduce: Command line of `reproducible_image` up to the layers; names and the build follow.
        tags: Full names of the image.
        parents: Image id by tag. A build argument whose value is one of these tags gets the pinned one.
        pin: What no other build's pins end with; allowed in a tag.
        fingerprint: Hexadecimal digest of all inputs.
    """
    client = shlex.quote(build[0])
    pinned: dict[str, str] = {}
    whole: list[str] = []
    outlined: list[str] = []
    built = ""
    for before, word in zip(("", *build), build):
        tag = word.partition("=")[2] if before == "--build-arg" else ""
        if before == "--tag":
            word = f"{word}-{pin}"
            built = shlex.quote(word)
        elif tag in parents:
            word = f"{word}-pinned-{pin}"
            pinned[shlex.quote(f"{tag}-pinned-{pin}")] = shlex.quote(parents[tag])
        whole.append(shlex.quote(word))
        outlined.append(shlex.quote(f"{outline.FOLDER}/{word}") if before == "--file" else whole[-1])
    outlined[-1] = shlex.quote(f"{outline.FOLDER}/{build[-1]}")
    image = f"id=$({shlex.join(reproduce)} --built {built} --tags {shlex.join(tags)} -- {' '.join(outlined)})"
    steps = [
        *(f"{client} image tag {image_id} {tag}" for tag, image_id in pinned.items()),
        f"{{ {image} || {{ [ $? = {NOT_TAKEN} ] && keep_times; }}; }}",
        "echo $id",
        f"{{ {note_script(fingerprint, 'id')}; }}",
    ]
    with_times = [
        f"{' '.join(whole)} >&2",
        *(f"{client} image tag {built} {shlex.quote(tag)}" for tag in tags),
        f"id=$({client} image inspect --format '{{{{.Id}}}}' {built})",
        f"echo {shlex.quote(KEEPS_TIMES)} >&2",
    ]
    # Pants kills the process group of a build that is cancelled, at once and as a whole. So the pins are removed by a
    # job in a group of its own (`set -m`), which waits for its input to end: that is when this shell is gone.
    # To remove an image's last tag is to remove the image, and a parent whose own tag was moved has only the pin. So a
    # pin is first given to an image of an empty archive, if the engine's disk has room for one. What was built may go.
    # Nobody waits for that job.
    return "".join(
        [
            "unpin() {\n",
            "  cat\n",
            f"  {client} image rm {built}\n",
            *(f"  head -c 1024 /dev/zero | {client} image import - {tag}; {client} image rm {tag}\n" for tag in pinned),
            "}\n",
            f"keep_times() {{ {' && '.join(with_times)}; }}\n",
            "set -m\n",
            "coproc unpin >/dev/null 2>&1\n",
            "set +m\n",
            " && ".join(steps),
            # Not the last command: the shell would become it, and be gone before it is done.
            "\nexit $?\n",
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


def note_script(fingerprint: str, variable: str) -> str:
    """Notes the image id of a fingerprint, at once or not at all; prints why it could not.

    Args:
        fingerprint: Hexadecimal digest of all inputs.
        variable: Of the shell, which holds the id.
    """
    note = f"{NOTES}/{fingerprint}"
    return f'{{ printf %s "${variable}" >{note}.$$ && mv {note}.$$ {note}; }} 2>&1 || rm --force {note}.$$'
