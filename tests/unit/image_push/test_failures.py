"""What is made of the words of registries and engines."""

from __future__ import annotations

import pytest

from image_push.failures import said
from image_push.reference import Reference

ECR = Reference("123456789012.dkr.ecr.eu-west-1.amazonaws.com/sklearn-base", "1")
DUAL_STACK = Reference("123456789012.dkr-ecr.us-east-1.on.aws/sklearn-base", "1")
OTHER = Reference("registry.example.com:5000/team/sklearn-base", "1")
CONFIG = "/home/someone/.docker/config.json"


@pytest.mark.parametrize(
    ("reference", "words", "next_step"),
    [
        (OTHER, "unauthorized: authentication required", "docker login registry.example.com:5000"),
        (OTHER, "no basic auth credentials", CONFIG),
        (ECR, "no basic auth credentials", "aws ecr get-login-password --region eu-west-1 | docker login"),
        (DUAL_STACK, "no basic auth credentials", "--region us-east-1"),
        (ECR, "denied: Your authorization token has expired. Reauthenticate and try again.", "get-login-password"),
        (ECR, "denied: User: x is not authorized to perform: ecr:InitiateLayerUpload", "ecr:PutImage on sklearn-base"),
        (OTHER, "denied: requested access to the resource is denied", "may not do this"),
        (
            ECR,
            "name unknown: The repository with name 'sklearn-base' does not exist in the registry with id '1'",
            "aws ecr create-repository --region eu-west-1 --repository-name sklearn-base",
        ),
        (OTHER, "name unknown: unknown repository name", "no repository team/sklearn-base"),
        (
            ECR,
            "tag invalid: The image tag '1' already exists in the 'sklearn-base' repository and cannot be overwritten "
            "because the tag is immutable.",
            "lets no tag move",
        ),
        (OTHER, "http: server gave HTTP response to HTTPS client", "insecure-registries"),
        (
            OTHER,
            "x509: certificate signed by unknown authority",
            "/etc/docker/certs.d/registry.example.com:5000/ca.crt",
        ),
        (OTHER, "dial tcp: lookup registry.example.com: no such host", "No such host is known"),
        (OTHER, "toomanyrequests: Rate exceeded", "Repeat the command later"),
        (OTHER, "write /var/lib/x: no space left on device", "A disk is full"),
        (OTHER, "received unexpected HTTP status: 500 Internal Server Error", "its log says why"),
    ],
)
def test_the_next_step_fits_the_registry(reference: Reference, words: str, next_step: str) -> None:
    error = said("pushing", reference, words, CONFIG)
    head, rest = str(error).split("\n", 1)
    assert head == f"{reference}: pushing failed. Registry {reference.registry} or the engine said:"
    assert rest.startswith(words)
    assert next_step in rest[len(words) :]


@pytest.mark.parametrize(
    "words",
    [
        "EOF",
        "write tcp 127.0.0.1:1->127.0.0.1:2: write: connection reset by peer",
        "dial tcp 127.0.0.1:5000: connect: connection refused",
        "net/http: TLS handshake timeout",
        "received unexpected HTTP status: 503 Service Unavailable",
        "toomanyrequests: Rate exceeded",
    ],
)
def test_what_passes_is_tried_again(words: str) -> None:
    assert said("pushing", OTHER, words, CONFIG).transient


@pytest.mark.parametrize(
    "words",
    [
        "unauthorized: authentication required",
        "denied",
        "name unknown",
        "x509: certificate signed by unknown authority",
        "tag invalid: the tag is immutable",
    ],
)
def test_what_a_registry_decided_is_not_tried_again(words: str) -> None:
    assert not said("pushing", OTHER, words, CONFIG).transient


def test_words_that_nobody_knows_are_passed_on() -> None:
    assert str(said("pushing", OTHER, " something new \n", CONFIG)).endswith("said:\nsomething new")
