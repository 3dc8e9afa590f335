"""Publishes one image under one name: looks what is there, pushes, and looks again.

The engine pushes by name only, and a name in the engine may move at any moment. So the name is set to the image's id
right before the push and taken away after it, and what arrived is held against that id: the engine notes the digest of
a pushed manifest beside the very image that it describes.
"""

from __future__ import annotations

import os
import time
import uuid
import warnings
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Callable, Iterator, TypeVar

import requests
from docker.api.client import APIClient
from docker.errors import APIError, DockerException, NotFound
from docker.utils.config import find_config_file

from image_push.failures import PushError, said
from image_push.reference import Reference

T = TypeVar("T")

# Before the second and the third attempt, which is the last.
_PAUSES_S = (1.0, 4.0)
# The engine itself repeats the upload of a layer for most of a minute; then it is not asked once more.
_PATIENCE_S = 30.0

_EMPTY_ARCHIVE = bytes(1024)


@dataclass(frozen=True)
class Published:
    """What the registry serves under a name now.

    Attributes:
        digest: Of the manifest, `sha256:...`.
        already_there: Whether nothing had to be pushed.
    """

    digest: str
    already_there: bool


class Publisher:
    """Publishes images of one engine.

    Args:
        engine: Its API.
        say: Takes a line about what is being done.
    """

    def __init__(self, engine: APIClient, say: Callable[[str], None]) -> None:
        self._engine = engine
        self._say = say

    def publish(self, image_id: str, reference: Reference, tags_may_move: bool = False) -> Published:
        """Let the registry serve an image under a name.

        Args:
            image_id: `sha256:...`.
            reference: The name.
            tags_may_move: Whether a name that the registry has for another image is taken over.

        Raises:
            PushError: it was refused, here or there, or the registry serves something else after the push.
        """
        self._must_hold(image_id, reference)
        held = self._patiently(lambda: self._served(reference))
        if held is not None:
            if self._patiently(lambda: self._is_digest_of(image_id, reference, held)):
                return Published(held, already_there=True)
            if not tags_may_move:
                raise PushError(
                    f"{reference}: refused, nothing was pushed. The registry has this tag for another image:\n"
                    f"  there: {held} (manifest)\n  here:  {image_id} (image)\n"
                    "Publish under another tag, such as one with the commit in it (docs/publishing.md), or let tags "
                    "move: --image-publishing-tags-may-move."
                )
            self._say(f"{reference} moves; the registry had {held}")
        digest = self._patiently(lambda: self._push(image_id, reference))
        served = self._patiently(lambda: self._served(reference))
        if served != digest:
            raise PushError(
                f"{reference}: the registry serves {served or 'nothing'} after {digest} was pushed. Another push came "
                "between: publish again, and see to it that one job at a time publishes this tag."
            )
        return Published(digest, already_there=False)

    def _must_hold(self, image_id: str, reference: Reference) -> None:
        try:
            self._engine.inspect_image(image_id)
        except NotFound:
            raise PushError(
                f"{reference}: the engine ({os.environ.get('DOCKER_HOST', 'the default one')}) does not hold image "
                f"{image_id}. Repeat the command: it is built again. With a docker context, set DOCKER_HOST to its "
                "address as well."
            ) from None

    def _patiently(self, step: Callable[[], T]) -> T:
        start = time.monotonic()
        for pause_s in _PAUSES_S:
            try:
                return step()
            except PushError as error:
                if not error.transient or time.monotonic() - start > _PATIENCE_S:
                    raise
                self._say(f"{error.words}\ntrying again in {pause_s:.0f} s")
                time.sleep(pause_s)
        return step()

    def _served(self, reference: Reference) -> str | None:
        """The digest that the registry has for a name; None where it has none."""
        with self._explained("looking for the tag", reference):
            try:
                return str(self._engine.inspect_distribution(str(reference))["Descriptor"]["digest"])
            except NotFound:
                # No such tag or no such repository; many registries make one at the first push.
                return None

    def _is_digest_of(self, image_id: str, reference: Reference, digest: str) -> bool:
        """Whether a manifest at the registry describes an image.

        A manifest's digest depends on how each layer was compressed when it was pushed, so an engine that did not push
        it cannot tell by comparing. It can by pulling: that ends before the first layer where the engine holds the
        image already, and it is broken off at the first layer where it does not.
        """
        if self._has_digest(image_id, digest):
            return True
        pulled = f"{reference.repository}@{digest}"
        with self._explained("comparing what is there", reference):
            events = self._engine.pull(reference.repository, tag=digest, stream=True, decode=True)
            for event in events:
                _fail_on(event)
                if event.get("status") in ("Pulling fs layer", "Already exists", "Waiting", "Downloading"):
                    # The engine ends a pull whose listener is gone.
                    events.close()
                    return False
        try:
            return self._has_digest(image_id, digest)
        finally:
            self._forget(pulled)

    def _has_digest(self, image_id: str, digest: str) -> bool:
        noted = self._engine.inspect_image(image_id).get("RepoDigests") or ()
        return any(name.endswith(f"@{digest}") for name in noted)

    def _push(self, image_id: str, reference: Reference) -> str:
        digest = ""
        layers: dict[str, str] = {}
        known = self._engine.inspect_image(image_id).get("RepoDigests") or ()
        self._say(f"pushing {image_id} to {reference}")
        with self._named(image_id, reference):
            with self._explained("pushing", reference):
                for event in self._engine.push(reference.repository, tag=reference.tag, stream=True, decode=True):
                    _fail_on(event)
                    digest = event.get("aux", {}).get("Digest", digest)
                    if "id" in event:
                        layers[event["id"]] = event.get("status", "")
            sent = sum(status == "Pushed" for status in layers.values())
            self._say(f"{reference}: {sent} of {len(layers)} layers sent, the others were there")
            if not digest or not self._is_digest_of(image_id, reference, digest):
                raise PushError(
                    f"{reference}: what was pushed ({digest or 'no digest'}) is not image {image_id}: someone moved "
                    "the tag in the engine meanwhile. The registry holds the wrong image under this name now: publish "
                    "again with --image-publishing-tags-may-move."
                )
        noted = f"{reference.repository}@{digest}"
        if noted not in known:
            self._forget(noted)
        return digest

    @contextmanager
    def _named(self, image_id: str, reference: Reference) -> Iterator[None]:
        """Gives an image a name for a while; who else had it gets it back."""
        before = self._id_of(str(reference))
        self._engine.tag(image_id, reference.repository, reference.tag)
        try:
            yield
        finally:
            if before is None:
                self._forget(str(reference))
            elif before != image_id:
                self._engine.tag(before, reference.repository, reference.tag)

    def _id_of(self, name: str) -> str | None:
        try:
            return str(self._engine.inspect_image(name)["Id"])
        except NotFound:
            return None

    def _forget(self, name: str) -> None:
        """Take a name away and leave the image, which the engine removes with its last name."""
        with suppress(NotFound):
            self._engine.inspect_image(name)
            # So it gets another name first, and that one is moved to an empty image, with which it goes.
            held = f"image-push-{uuid.uuid4().hex}"
            self._engine.tag(name, held, "1")
            self._engine.remove_image(name, noprune=True)
            self._engine.import_image_from_data(_EMPTY_ARCHIVE, repository=held, tag="1")
            self._engine.remove_image(f"{held}:1")

    @contextmanager
    def _explained(self, doing: str, reference: Reference) -> Iterator[None]:
        config = find_config_file() or "~/.docker/config.json, which is not there"
        try:
            with warnings.catch_warnings():
                # Of a credential helper that is missing; the error that follows says so again.
                warnings.simplefilter("ignore", UserWarning)
                yield
        except APIError as error:
            raise said(doing, reference, str(error.explanation or error), config) from None
        except _StreamError as error:
            raise said(doing, reference, str(error), config) from None
        except (DockerException, requests.RequestException) as error:
            raise said(doing, reference, str(error), config) from None


class _StreamError(Exception):
    """The engine reports failures of a push or pull as one of its events."""


def _fail_on(event: dict[str, Any]) -> None:
    if "error" in event:
        raise _StreamError(event.get("errorDetail", {}).get("message") or event["error"])
