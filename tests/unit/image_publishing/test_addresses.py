"""Which addresses of registries pass."""

from __future__ import annotations

import pytest

from image_publishing.addresses import AddressError, check, check_repository


@pytest.mark.parametrize(
    "address",
    [
        "localhost",
        "localhost:5000",
        "127.0.0.1:5000/team/a_b/c--d",
        "[::1]:5000",
        "ci-registry:5000",
        "docker.io/someone",
        "ghcr.io/team",
        "Registry.Example.com",
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team",
        "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn",
        "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com",
        "123456789012.dkr-ecr.eu-west-1.on.aws",
        "123456789012.dkr-ecr-fips.us-east-1.on.aws",
        "123456789012.dkr-ecr.cn-northwest-1.on.amazonwebservices.com.cn",
        "public.ecr.aws/alias",
        "public.ecr.aws/alias/team",
        # Not Amazon's, whatever it looks like.
        "ecr.example.com",
    ],
)
def test_every_form_of_an_address_passes(address: str) -> None:
    check(address)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("", "does not begin with a host"),
        ("https://registry.example.com/", "Write registry.example.com."),
        ("registry example.com", "does not begin with a host"),
        ("/team", "does not begin with a host"),
        ("registry.example.com:", "does not begin with a host"),
        ("-registry.example.com", "does not begin with a host"),
        ("registry.example.com:0", "Ports are 1 to 65535"),
        ("registry.example.com:65536", "Ports are 1 to 65535"),
        ("myteam", "Write docker.io/myteam"),
        ("registry.example.com/", "prefix ''"),
        ("registry.example.com/Team", "prefix 'Team'"),
        ("registry.example.com/a//b", "prefix 'a//b'"),
        ("public.ecr.aws", "public.ecr.aws/ALIAS"),
        ("12345678901.dkr.ecr.eu-west-1.amazonaws.com", "ACCOUNT has 12 digits"),
        ("123456789012.ecr.eu-west-1.amazonaws.com", "none of Amazon ECR's forms"),
        ("123456789012.dkr.ecr.amazonaws.com", "none of Amazon ECR's forms"),
        ("123456789012.dkr.ecr.eu-west-1.on.aws", "none of Amazon ECR's forms"),
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com:443", "none of Amazon ECR's forms"),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com", "cn-"),
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com.cn", "cn-"),
    ],
)
def test_what_is_malformed_is_named_with_what_is_meant(address: str, said: str) -> None:
    with pytest.raises(AddressError) as refused:
        check(address)
    assert said in str(refused.value)
    assert repr(address) in str(refused.value)


@pytest.mark.parametrize(
    "address", ["someone:secret@registry.example.com", "https://someone:secret@registry.example.com"]
)
def test_credentials_in_an_address_are_refused_and_not_repeated(address: str) -> None:
    with pytest.raises(AddressError, match="docker login") as refused:
        check(address)
    assert "secret" not in str(refused.value)


def test_a_repository_is_a_path_of_lower_case() -> None:
    check_repository("team/sklearn-base")
    with pytest.raises(AddressError, match="repository is 'Team/x'"):
        check_repository("Team/x")
