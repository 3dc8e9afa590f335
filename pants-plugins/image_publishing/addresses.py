"""Whether the address of a registry can be one, before anything is pushed to somewhere else."""

from __future__ import annotations

import re

_HOST = re.compile(
    # An IPv6 address, or labels with dots between them.
    r"(?:\[[0-9A-Fa-f:]+\]"
    r"|[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*)"
    r"(?::(?P<port>\d+))?"
)
# As the distribution specification has it.
_PATH = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
_PATH_RULE = (
    "It may hold lower-case letters and digits, with single `.`, `_`, `__` or dashes between them, and `/` between "
    "names."
)

# Amazon ECR's hosts: the plain ones and their FIPS variants; those that speak IPv6 as well; China's; closed regions'.
_ECR = re.compile(
    r"\d{12}\.(?:"
    r"dkr\.ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\."
    r"(?P<domain>amazonaws\.com\.cn|amazonaws\.com|amazonaws\.eu"
    r"|c2s\.ic\.gov|sc2s\.sgov\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)"
    r"|dkr-ecr(?:-fips)?\.(?P<dual_region>[a-z0-9-]+)\.(?P<dual_domain>on\.aws|on\.amazonwebservices\.com\.cn)"
    r")"
)
_LIKE_ECR = re.compile(r"(?:^|[.-])ecr(?:-fips)?\..*(?:amazonaws|on\.aws|amazonwebservices)")
_ECR_PUBLIC = ("public.ecr.aws", "ecr-public.aws.com")


class AddressError(ValueError):
    """A registry's address cannot be one; the message says what is wrong and what it may be."""


def check(address: str) -> None:
    """Return if an address is HOST[:PORT][/PREFIX], and of Amazon's form where it is one of Amazon's.

    Raises:
        AddressError: it is not.
    """
    scheme, separator, rest = address.partition("://")
    if "@" in address:
        # Not repeated: what stands before the sign is likely a password.
        raise AddressError(
            "a registry's address must not hold credentials (there is an `@` in it). Log in with `docker login`; the "
            "standard docker configuration is read."
        )
    if separator:
        raise AddressError(f"{address!r} must be without {scheme}://. Write {rest.rstrip('/')}.")
    host, slash, prefix = address.partition("/")
    found = _HOST.fullmatch(host)
    if found is None:
        raise AddressError(f"{address!r} does not begin with a host. It is HOST[:PORT][/PREFIX].")
    if found["port"] and not 0 < int(found["port"]) < 65536:
        raise AddressError(f"{address!r} has port {found['port']}. Ports are 1 to 65535.")
    if not found["port"] and "." not in host and host != "localhost" and not host.startswith("["):
        raise AddressError(
            f"{address!r} has neither a dot nor a port in its host: the engine takes that for a folder of Docker "
            f"Hub's. Write docker.io/{address} if that is meant."
        )
    if slash and not _PATH.fullmatch(prefix):
        raise AddressError(f"{address!r} has the prefix {prefix!r}. {_PATH_RULE}")
    _check_amazon(address, host, prefix)


def check_repository(repository: str) -> None:
    """Return if a text can be a repository's name.

    Raises:
        AddressError: it cannot.
    """
    if not _PATH.fullmatch(repository):
        raise AddressError(f"the repository is {repository!r}. {_PATH_RULE}")


def _check_amazon(address: str, host: str, prefix: str) -> None:
    if host in _ECR_PUBLIC:
        if not prefix:
            raise AddressError(f"{address!r} lacks the alias of your public registry. Write {host}/ALIAS.")
        return
    if not _LIKE_ECR.search(host):
        return
    found = _ECR.fullmatch(host)
    if found is None:
        raise AddressError(
            f"{address!r} is none of Amazon ECR's forms. They are ACCOUNT.dkr.ecr.REGION.amazonaws.com (in China "
            "amazonaws.com.cn), ACCOUNT.dkr.ecr-fips.REGION.amazonaws.com, ACCOUNT.dkr-ecr.REGION.on.aws, and "
            "public.ecr.aws/ALIAS; ACCOUNT has 12 digits."
        )
    region = found["region"] or found["dual_region"]
    domain = found["domain"] or found["dual_domain"]
    if region.startswith("cn-") != domain.endswith(".cn"):
        raise AddressError(
            f"{address!r} has region {region} below {domain}. Regions cn-... are below amazonaws.com.cn, and no others."
        )
