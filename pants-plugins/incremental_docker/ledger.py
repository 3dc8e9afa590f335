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

# Relative to the sandbox; large files of contexts, each by its digest and with the time that stands for it.
ARCHIVES = ".docker_context_archives"

# The two by the names of their caches, which all checkouts of a user share, like every named cache of Pants'.
NAMED_CACHES = {"docker_image_ids": NOTES, "docker_context_archives": ARCHIVES}

# Minutes that an archive stays after the last build that used it.
_KEPT_FOR = 7 * 24 * 60

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
    name: str,
    files: Mapping[str, str],
    fingerprint: str,
) -> str:
    """Runs a build on the very images that its parents were built into, tags what it made, prints its id and notes it.

    The id is a line; a second one says why it could not be noted, which fails nothing.

    A Dockerfile can only name its parent by tag, and another checkout may move that tag once the parent was seen to,
    even between two stages of one build. So each parent is pinned: it gets one more tag, which this build alone knows.
    What was built has such a tag, too, until the image without the times of its build is made of it.

    Args:
        build: Command line of the build: the client, `build`, its options with one `--tag`, the context.
        reproduce: Command line of `reproducible_image` up to the time; tags and the name of what was built follow.
        tags: Full names of the image.
        parents: Image id by tag. A build argument whose value is one of these tags gets the pinned one.
        pin: What no other build's pins end with; allowed in a tag.
        name: Of the context, the same for every build of this image from this checkout; a file name.
        files: Digest, in hexadecimal digits, of each large file of the context by its path.
        fingerprint: Hexadecimal digest of all inputs.
    """
    client = shlex.quote(build[0])
    pinned: dict[str, str] = {}
    command = []
    built = ""
    for before, word in zip(("", *build), build):
        tag = word.partition("=")[2] if before == "--build-arg" else ""
        if before == "--tag":
            word = f"{word}-{pin}"
            built = shlex.quote(word)
        elif tag in parents:
            word = f"{word}-pinned-{pin}"
            pinned[shlex.quote(f"{tag}-pinned-{pin}")] = shlex.quote(parents[tag])
        command.append(shlex.quote(word))
    command[-1] = shlex.quote(name)
    steps = [
        f"ln --symbolic {shlex.quote(build[-1])} {shlex.quote(name)}",
        *(_dated(path, digest) for path, digest in files.items()),
        *(f"{client} image tag {image_id} {tag}" for tag, image_id in pinned.items()),
        f"{' '.join(command)} >&2",
        f"id=$({shlex.join((*reproduce, *tags))} {built})",
        "echo $id",
        f"{{ {note_script(fingerprint, 'id')}; }}",
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
            # A link is a change to the file that it leads to: the time of that is the last use.
            f'  find "$archives" -type f -cmin +{_KEPT_FOR} -delete\n',
            "}\n",
            # The sandbox may be gone by then.
            f"archives=$(readlink --canonicalize {ARCHIVES})\n",
            "set -m\n",
            "coproc unpin >/dev/null 2>&1\n",
            "set +m\n",
            " && ".join(steps),
            # Not the last command: the shell would become it, and be gone before it is done.
            "\nexit $?\n",
        ]
    )


def _dated(path: str, digest: str) -> str:
    """Gives a file a time that stands for its content.

    BuildKit asks only for what changed since the last context of that name, which it tells from size and time. Every
    context is called `.` otherwise, and Pants moves the time of a file in its store with each use: hundreds of
    megabytes would be sent for each image. What lies in the sandbox may be a link to the store, so the first build
    makes a copy, and the next ones a link to that, unless the cache lies on another file system. An archive's own time
    never shows in an image.
    """
    seconds, nanoseconds = int(digest[:8], 16) // 2, int(digest[8:16], 16) % 1_000_000_000
    file, copy, kept = shlex.quote(path), shlex.quote(f"{path}.dated"), f"{ARCHIVES}/{digest}"
    link = f"ln {kept} {copy} 2>/dev/null"
    keep = (
        f"cp {file} {copy} && touch --date=@{seconds}.{nanoseconds:09} {copy} && {{ ln {copy} {kept} 2>/dev/null; :; }}"
    )
    return f"{{ {link} || {{ {keep}; }}; }} && mv --force {copy} {file}"


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
