"""What an engine's or a client's last words mean, and what to do about it."""

from __future__ import annotations

# The first that fits counts: what an engine says of one failure may hold the words of another.
_HINTS = (
    ("no space left on device", "The engine's disk is full: `docker system df`, then `docker builder prune`."),
    ("Cannot connect to the Docker daemon", "The engine is gone. Start it, or run ./pants again, which starts one."),
    ("error during connect", "The engine went away in mid-build. Start it again and repeat the command."),
    ("server did not provide an image ID", "The engine went away in mid-build. Start it again and repeat the command."),
    (
        "BuildKit is enabled but the buildx component is missing",
        "This client cannot drive BuildKit; ./pants finds one.",
    ),
    ("failed to compute cache key", "An ADD or COPY names what no entry of the target's `dependencies` provides."),
    (
        "No such image: sha256:",
        "The parent image was removed after Pants had seen to it, for example by `docker image prune`. Repeat the "
        "command: it is brought back.",
    ),
)


def explain(address: str, tag: str, output: str) -> str:
    """The message of a failed build: which image, what was said, and the next step where one is known.

    Args:
        address: Of the target.
        tag: First tag of the image.
        output: Of the client.
    """
    hint = next((advice for words, advice in _HINTS if words.lower() in output.lower()), "")
    return f"{address}: building {tag} failed. The engine said:\n{output.strip()}" + (f"\n\n{hint}" if hint else "")
