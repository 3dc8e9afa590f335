"""What git knows of the checkout, for tags that say which source an image was made from."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from image_publishing.tags import made_of

# Long enough to name one commit for good; git's own abbreviation grows with the repository.
_SHORT = 12
_SHOWN = 10
_PLACEHOLDER = re.compile(r"\{git\.?([^{}]*)\}")
NAMES = ("branch", "commit", "short_commit", "tag")


class GitValueError(Exception):
    """A tag asks for something of git's that there is not; the message says why and what to do."""


def asked_for(template: str) -> tuple[str, ...]:
    """The values that a template names, as in `{git.commit}`.

    Raises:
        GitValueError: it names one that there is not.
    """
    names = tuple(_PLACEHOLDER.findall(template))
    for name in names:
        if name not in NAMES:
            known = ", ".join(f"{{git.{each}}}" for each in NAMES)
            raise GitValueError(f"{template!r} asks for {{git.{name}}}. There are {known}.")
    return names


def script(git: str, folder: str) -> str:
    """Shell commands that print what `Checkout.parse` reads; they fail where there is no checkout with a commit."""
    # Without the optional locks, since a publish must not get in the way of someone's commit.
    return (
        f"cd {shlex.quote(folder)} || exit\n"
        f'ask() {{ {shlex.quote(git)} --no-optional-locks "$@"; }}\n'
        "commit=$(ask rev-parse --verify HEAD) && shallow=$(ask rev-parse --is-shallow-repository) || exit\n"
        "tags=$(ask tag --points-at HEAD) && changes=$(ask status --porcelain -- .) || exit\n"
        "branch=$(ask symbolic-ref --quiet --short HEAD)\n"
        'printf "commit %s\\nshallow %s\\nbranch %s\\n" "$commit" "$shallow" "$branch"\n'
        'for tag in $tags; do printf "tag %s\\n" "$tag"; done\n'
        '[ -z "$changes" ] || printf "%s\\n" "$changes" |\n'
        '  while IFS= read -r line; do printf "change %s\\n" "$line"; done\n'
    )


@dataclass(frozen=True)
class Checkout:
    """The state of a checkout.

    Attributes:
        commit: All 40 digits.
        tags: Those that point at the commit.
        branch: Empty where no branch is checked out.
        shallow: Whether parts of the history were left out when it was fetched.
        changes: What differs from the commit, as `git status --porcelain` prints it.
    """

    commit: str
    tags: tuple[str, ...]
    branch: str
    shallow: bool
    changes: tuple[str, ...]

    @classmethod
    def parse(cls, output: str) -> Checkout:
        """What the script printed."""
        values: dict[str, list[str]] = {}
        for line in output.splitlines():
            kind, _, value = line.partition(" ")
            values.setdefault(kind, []).append(value)
        return cls(
            commit=values["commit"][0],
            tags=tuple(values.get("tag", ())),
            branch=values["branch"][0],
            shallow=values["shallow"][0] == "true",
            changes=tuple(values.get("change", ())),
        )

    def value(self, name: str) -> str:
        """The value of one placeholder, fit for a tag.

        Args:
            name: One of `NAMES`.

        Raises:
            GitValueError: there is none, or it would say of an image what is not so.
        """
        if name == "branch":
            if not self.branch:
                raise GitValueError(f"{{git.branch}} is asked for, and commit {self.commit} is checked out by itself.")
            return made_of(self.branch)
        if self.changes:
            more = len(self.changes) - _SHOWN
            raise GitValueError(
                f"{{git.{name}}} is asked for, and the working tree is not what commit {self.commit} holds:\n"
                + "".join(f"  {change}\n" for change in self.changes[:_SHOWN])
                + (f"  and {more} more\n" if more > 0 else "")
                + "Commit or stash that, or list it in .gitignore, and publish then."
            )
        if name == "tag":
            return made_of(self._only_tag())
        return self.commit if name == "commit" else self.commit[:_SHORT]

    def _only_tag(self) -> str:
        if not self.tags:
            raise GitValueError(
                f"{{git.tag}} is asked for, and no tag points at commit {self.commit}."
                + (
                    " The checkout is shallow and may lack it: `git fetch --tags --depth=1`."
                    if self.shallow
                    else " Publish from a tagged commit, or leave {git.tag} out of this configuration."
                )
            )
        if len(self.tags) > 1:
            raise GitValueError(
                f"{{git.tag}} is asked for, and {len(self.tags)} tags point at commit {self.commit}: "
                f"{', '.join(self.tags)}. Which one is meant cannot be told; leave one."
            )
        return self.tags[0]
