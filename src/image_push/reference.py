"""The name of an image at a registry."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reference:
    """REGISTRY/REPOSITORY:TAG.

    Attributes:
        repository: With the registry in front of it, as the engine takes it.
        tag: The version.
    """

    repository: str
    tag: str

    @classmethod
    def parse(cls, text: str) -> Reference:
        """The reference that a text names.

        Raises:
            ValueError: the text lacks the registry, the repository or the tag.
        """
        repository, _, tag = text.rpartition(":")
        # A colon before the last slash belongs to the registry's port.
        if "/" not in repository or "/" in tag or not tag:
            raise ValueError(f"a name to push to is REGISTRY/REPOSITORY:TAG, and this is {text!r}")
        return cls(repository, tag)

    @property
    def registry(self) -> str:
        """The registry's host, with its port if it names one."""
        return self.repository.partition("/")[0]

    @property
    def path(self) -> str:
        """The repository without the registry."""
        return self.repository.partition("/")[2]

    def __str__(self) -> str:
        return f"{self.repository}:{self.tag}"
