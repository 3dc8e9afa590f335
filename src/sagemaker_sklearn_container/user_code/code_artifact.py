"""The package index that an AWS CodeArtifact repository is."""

from __future__ import annotations

import re

from sagemaker_sklearn_container import contract
from sagemaker_sklearn_container.errors import ConfigurationError, ContainerError, InstallError
from sagemaker_sklearn_container.user_code import children

_ARN = re.compile(
    r"arn:[^:]+:codeartifact:(?P<region>[^:]+):(?P<owner>[^:]+):repository/(?P<domain>[^/]+)/(?P<repository>[^/]+)"
)


def index_url(arn: str) -> str:
    """Address of the repository's package index, with a token that is good for some hours.

    Args:
        arn: `arn:aws:codeartifact:REGION:ACCOUNT:repository/DOMAIN/REPOSITORY`.

    Raises:
        ConfigurationError: `arn` has another form.
        InstallError: CodeArtifact gives no token or address.

    Source: contract T-47.
    """
    parts = _ARN.fullmatch(arn)
    if parts is None:
        raise ConfigurationError(
            f"The environment variable {contract.CODE_ARTIFACT_REPOSITORY} is {arn!r}; it must have the form "
            "arn:aws:codeartifact:REGION:ACCOUNT:repository/DOMAIN/REPOSITORY."
        )
    try:
        token, endpoint = children.call(lambda: _token_and_endpoint(**parts.groupdict()))
    except ContainerError as exc:
        raise InstallError(
            f"Asking CodeArtifact for the package index {arn} failed: {exc}. Check that the job's role may call "
            "codeartifact:GetAuthorizationToken, codeartifact:GetRepositoryEndpoint and sts:GetServiceBearerToken."
        ) from exc
    from urllib.parse import quote, urlsplit, urlunsplit  # rarely needed, and a train job waits for its imports

    address = urlsplit(endpoint)
    return urlunsplit(address._replace(netloc=f"aws:{quote(token, safe='')}@{address.netloc}")).rstrip("/") + "/simple/"


def _token_and_endpoint(region: str, owner: str, domain: str, repository: str) -> tuple[str, str]:
    import boto3

    client = boto3.client("codeartifact", region_name=region)
    token = client.get_authorization_token(domain=domain, domainOwner=owner)["authorizationToken"]
    endpoint = client.get_repository_endpoint(domain=domain, domainOwner=owner, repository=repository, format="pypi")
    return token, endpoint["repositoryEndpoint"]
