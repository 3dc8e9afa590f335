"""The one error the launcher shows, and the one way it speaks."""

import sys

_WIDTH = 200


class LauncherError(Exception):
    """A failure the user can act on: what was being done, what was seen, what is allowed and what to do next.

    The launcher prints the message alone, without a traceback, and exits with status 1.
    """


def say(line: str) -> None:
    """Print one line about what the launcher does, on stderr so that the output of Pants stays its own."""
    print(f"pants: {line}", file=sys.stderr, flush=True)


def last_lines(output: str, count: int = 8) -> str:
    """The last `count` non-empty lines of a program's output, indented for quoting in an error.

    Very long lines keep their beginning and their end, where pip puts the reason.
    """
    lines = [line.rstrip() for line in output.splitlines() if line.strip()]
    half = _WIDTH // 2
    short = [line if len(line) <= _WIDTH else f"{line[:half]} ... {line[-half:]}" for line in lines[-count:]]
    return "\n".join(f"  {line}" for line in short) or "  (no output)"
