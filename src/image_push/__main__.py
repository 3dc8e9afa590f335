"""Command line of the push program: one image, one name."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Sequence

import requests
from docker.api.client import APIClient
from docker.client import DockerClient
from docker.errors import DockerException

from image_push import record
from image_push.failures import PushError
from image_push.push import Publisher
from image_push.reference import Reference

# Without a word from the engine; pushes report their progress many times a second.
_SILENCE_S = 300


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _connect() -> APIClient:
    try:
        client = DockerClient.from_env(timeout=_SILENCE_S)
        client.ping()
    except (DockerException, requests.RequestException) as error:
        raise PushError(
            f"no Docker engine answered: {error}\nStart one, or set DOCKER_HOST to the address of the one that built "
            "the image."
        ) from None
    return client.api


def _parse(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="image_push", description=__doc__)
    parser.add_argument("reference", type=Reference.parse, help="REGISTRY/REPOSITORY:TAG")
    parser.add_argument("--image-id", required=True, help="sha256:... in the engine that DOCKER_HOST names")
    parser.add_argument("--tags-may-move", action="store_true", help="take the tag over from another image")
    parser.add_argument("--target", default="", help="address of the image's target, for the record")
    parser.add_argument("--record", type=Path, help="JSON file to note the digest in")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    """0 when the registry serves the image under the name; 1 when it does not, and standard error says why."""
    options = _parse(words)
    try:
        published = Publisher(_connect(), _say).publish(options.image_id, options.reference, options.tags_may_move)
    except PushError as error:
        _say(str(error))
        return 1
    what = "already there, nothing pushed" if published.already_there else "pushed"
    print(f"{options.reference}@{published.digest} {what}", flush=True)
    if options.record:
        try:
            record.note(options.record, options.target, options.image_id, options.reference, published.digest)
        except OSError as error:
            _say(f"{options.reference} is published, but cannot be noted in {options.record}: {error}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
