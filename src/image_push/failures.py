"""What a registry's or the engine's words about a push mean, whether to try again, and what to do about it."""

from __future__ import annotations

import re

from image_push.reference import Reference


class PushError(Exception):
    """An image was not published under a name; the message says why and what to do.

    Attributes:
        words: What the registry, or the engine on its behalf, said; empty where this program itself refused.
        transient: Whether the same push may succeed a moment later.
    """

    def __init__(self, message: str, words: str = "") -> None:
        super().__init__(message)
        self.words = words
        self.transient = _TRANSIENT.search(words) is not None


_LOG_IN = "Log in with `docker login {registry}`; the standard docker configuration is read ({config})."
_ECR_LOG_IN = (
    "Log in with `aws ecr get-login-password --region {region} | docker login --username AWS --password-stdin "
    "{registry}`, or name a credential helper in the standard docker configuration ({config})."
)
_ECR_CREATE = "Create it: `aws ecr create-repository --region {region} --repository-name {path}`."

# The first that fits counts. What was said, and the next step; a second one for Amazon ECR.
_HINTS = (
    (
        r"is immutable|immutabletag",
        "The registry lets no tag move. Publish under another tag, or remove this one there first.",
        None,
    ),
    (
        r"credentials store|docker-credential-",
        "The credential helper that {config} names failed, or is not on PATH.",
        None,
    ),
    (
        r"unauthorized|authentication required|no basic auth credentials|authorization token has expired",
        _LOG_IN,
        _ECR_LOG_IN,
    ),
    (
        r"denied|forbidden|not authorized",
        "The account that you are logged in with may not do this. It needs to read and to write this repository; "
        "another account's credentials go into the standard docker configuration ({config}).",
        "The account or role that you are logged in with may not do this. It needs ecr:BatchGetImage, "
        "ecr:BatchCheckLayerAvailability, ecr:InitiateLayerUpload, ecr:UploadLayerPart, ecr:CompleteLayerUpload and "
        "ecr:PutImage on {path}.",
    ),
    (
        r"name unknown|name_unknown|repository .*(not found|does not exist)|no such repository",
        "The registry has no repository {path}, and does not make one at the first push. Create it there.",
        _ECR_CREATE,
    ),
    (
        r"server gave HTTP response to HTTPS client",
        "The registry speaks plain HTTP. Give it TLS, or list it in the engine's `insecure-registries`.",
        None,
    ),
    (
        r"x509|certificate",
        "The engine does not trust the registry's certificate. Its authority belongs in "
        "/etc/docker/certs.d/{registry}/ca.crt on the engine's machine.",
        None,
    ),
    (r"no such host|server misbehaving", "No such host is known. Correct the address in [docker.registries].", None),
    (
        r"connection refused|no route to host|network is unreachable",
        "Nothing answers there. Start the registry, or correct the address in [docker.registries].",
        None,
    ),
    (
        r"\bEOF\b|connection reset|broken pipe|timeout|timed out|deadline exceeded|transport connection broken|closed",
        "The connection was lost. Repeat the command: layers that have arrived are not sent again.",
        None,
    ),
    (
        r"toomanyrequests|too many requests|rate exceeded",
        "The registry limits requests. Repeat the command later.",
        None,
    ),
    (r"no space left on device", "A disk is full, the engine's or the registry's: the log of each says which.", None),
    (
        r"internal server error|unexpected http status: 5|service unavailable|bad gateway|unknown error",
        "The registry itself failed; its log says why.",
        None,
    ),
)
_TRANSIENT = re.compile(
    r"connection refused|connection reset|broken pipe|\bEOF\b|timeout|timed out|deadline exceeded|closed"
    r"|transport connection broken|unexpected http status: 5|service unavailable|bad gateway"
    r"|toomanyrequests|too many requests|rate exceeded",
    re.IGNORECASE,
)
_ECR_HOST = re.compile(r"\d{12}\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.")


def said(doing: str, reference: Reference, words: str, config: str) -> PushError:
    """The error of what the registry, or the engine on its behalf, refused.

    Args:
        doing: What was being done, such as `pushing`.
        reference: Under which name.
        words: What was said.
        config: Path of the docker configuration that credentials come from.
    """
    words = words.strip() or "(nothing)"
    hint = _hint(reference, words, config)
    message = f"{reference}: {doing} failed. Registry {reference.registry} or the engine said:\n{words}"
    return PushError(f"{message}\n{hint}" if hint else message, words)


def _hint(reference: Reference, words: str, config: str) -> str:
    ecr = _ECR_HOST.match(reference.registry)
    for pattern, general, for_ecr in _HINTS:
        if re.search(pattern, words, re.IGNORECASE):
            advice = for_ecr if ecr and for_ecr else general
            return advice.format(
                config=config,
                path=reference.path,
                region=ecr["region"] if ecr else "",
                registry=reference.registry,
            )
    return ""
