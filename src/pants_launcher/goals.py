"""What a command line asks of the launcher and of the tree: a Docker engine, a CPython 3.8, a checkout to write in."""

import os
from typing import NamedTuple, Sequence, Set

# Goals that build, run or push images, or run tests that do.
_ENGINE_GOALS = frozenset(("package", "publish", "run", "test"))
# Goals that run Python under the interpreter constraints of the tree, which ships for CPython 3.8 only.
_PYTHON_GOALS = _ENGINE_GOALS | frozenset(
    (
        "check",
        "export",
        "fix",
        "fmt",
        "generate-lockfiles",
        "lint",
        "py-constraints",
        "repl",
    )
)
# Goals whose results lie in the checkout itself, below `dist` or beside the sources.
_WRITING_GOALS = frozenset(
    (
        "export",
        "export-codegen",
        "fix",
        "fmt",
        "generate-lockfiles",
        "package",
        "tailor",
        "update-build-files",
    )
)
# Words that turn a command line into a question about Pants, wherever they stand before `--`.
_HELP = frozenset(
    ("help", "help-advanced", "help-all", "version", "--help", "--help-advanced", "--help-all", "--version")
)
_SHORT_HELP = frozenset(("-h", "-v", "-V"))


class Needs(NamedTuple):
    """What the goals of one command line need beyond Pants itself."""

    engine: bool
    python38: bool
    writes: bool = False
    tests: bool = False


def needs_of(args: Sequence[str], build_root: str) -> Needs:
    """What the command line `args` needs.

    Words are told apart as Pants does it: options start with `-` and carry their value behind `=`; everything after
    `--` is passed through; a leading goal name is a goal even where a folder has that name; after the first target a
    word is a goal only if it does not name a file or folder at the build root. Goals behind a `[cli.alias]` are not
    seen: Pants itself then reports what is missing.

    Args:
        args: The command line without the program's name.
        build_root: The folder that holds `pants.toml`.
    """
    goals: Set[str] = set()
    seen_target = False
    for arg in args:
        if arg == "--":
            break
        if arg in _HELP or arg in _SHORT_HELP:
            return Needs(engine=False, python38=False)
        if arg.startswith("-"):
            continue
        if _looks_like_target(arg) or (seen_target and os.path.exists(os.path.join(build_root, arg))):
            seen_target = True
        else:
            goals.add(arg)
    return Needs(
        engine=not goals.isdisjoint(_ENGINE_GOALS),
        python38=not goals.isdisjoint(_PYTHON_GOALS),
        writes=not goals.isdisjoint(_WRITING_GOALS),
        # An image is published when its tests have passed.
        tests=not goals.isdisjoint(("publish", "test")),
    )


def _looks_like_target(arg: str) -> bool:
    return any(character in arg for character in "/.:*#")
