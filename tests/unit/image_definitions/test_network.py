from __future__ import annotations

import pytest

from image_definitions.network import downloads
from image_definitions.shell import commands


@pytest.mark.parametrize(
    "text",
    [
        "apt-get update",
        "apt-get -y -o Dpkg::Use-Pty=0 install curl",
        "apt install ./a.deb curl",
        "DEBIAN_FRONTEND=noninteractive apt-get install -y x",
        "/usr/bin/apt-get update -qq",
        "aptitude install x",
        "pip install numpy",
        "pip3.8 --no-cache-dir install numpy",
        "pip download x",
        "pip install -r requirements.txt",
        "pip install a-1-py3-none-any.whl",
        "pip install --no-deps -r list.txt a.whl",
        "python -m pip install x",
        "python3.8 -I -X dev -m pip install x",
        "python -Impip install x",
        "PIP_NO_INDEX=0 pip install x",
        "uv pip install x",
        "uv sync",
        "conda install -y x",
        "micromamba create -n base x",
        "curl https://example.org",
        "curl -fsSL https://example.org | sh",
        "wget -q example.org/x",
        "git clone https://example.org/x.git",
        "git -C /x fetch",
        "git submodule update --init",
        "npm ci",
        "npx x",
        "yarn",
        "apk add --no-cache x",
        "yum -y install x",
        "dnf install x",
        "microdnf update",
        "go mod download",
        "cargo install x",
        "gem install x",
        "rsync host:/x /y",
        "cd /x && pip install y",
        "true; (apt-get update)",
        "test -f /x || wget y",
        "if true; then curl x; fi",
        "x=$(curl y)",
        "echo `wget y`",
        "env -u A B=1 pip install x",
        "sudo -u root -E apt-get update",
        "timeout -k 5 60 wget x",
        "nice -n 5 time pip install x",
        "echo x | xargs -n 1 pip install",
        "sh -c 'apt-get update'",
        "bash -euxo pipefail -c 'cd /x; pip install y'",
        "bash -c -e 'curl x'",
        "bash +o posix -O extglob -c 'curl x'",
        "su - somebody -c 'curl x'",
        "bash -lc \"sh -c 'curl x'\"",
        'eval "curl $X"',
        "find / -name x -exec wget {} ';'",
        "busybox wget x",
        "exec curl x",
        "command pip install x",
        "! curl x",
        "PIP_NO_INDEX=0 python -m pip install x",
    ],
)
def test_a_command_that_downloads_is_found(text: str) -> None:
    assert len(downloads(commands(text))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "apt-get clean",
        "apt-get purge -y curl",
        "apt-get install -y ./curl.deb /tmp/x.deb",
        "apt-get install --no-download x",
        "apt-get -s install x",
        "apt-mark hold curl",
        "dpkg -i curl.deb",
        "pip --version",
        "pip list",
        "pip install --no-index --find-links /x y",
        "pip install --no-deps /x/a-1-py3-none-any.whl",
        "PIP_NO_INDEX=1 pip install y",
        "env PIP_NO_INDEX=1 pip install y",
        "python -m pip check",
        "python -c 'import pip' install",
        "python setup.py install",
        "uv pip list",
        "conda install --offline x",
        "curl --version",
        "curl -f http://localhost:8080/ping",
        "curl file:///x -o y",
        "wget --help",
        "git --version",
        "git clone /x/y.git z",
        "git init",
        "npm run build",
        "npm ci --offline",
        "apk add --no-network x.apk",
        "dnf install ./x.rpm",
        "go build",
        "cargo install --offline x",
        "echo curl x",
        "echo 'apt-get update'",
        "rm -rf /usr/bin/wget",
        "command -v curl",
        "which curl wget",
        "for x in curl wget; do echo $x; done",
        "true # curl x",
        "X=curl",
        "sh /x.sh -c curl",
        "grep -c curl x",
        "",
    ],
)
def test_a_command_that_stays_here_is_let_be(text: str) -> None:
    assert downloads(commands(text)) == []


def test_what_the_image_sets_counts() -> None:
    assert downloads(commands("pip install x"), {"PIP_NO_INDEX": "true"}) == []
    assert len(downloads(commands("PIP_NO_INDEX=0 pip install x"), {"PIP_NO_INDEX": "true"})) == 1


def test_each_download_is_reported_where_it_begins() -> None:
    text = "true && apt-get update; sh -c 'cd /; wget x' && pip install y"
    found = downloads(commands(text))
    assert [each.command for each in found] == ["apt-get update", "wget x", "pip install y"]
    assert [text[each.offset :].split()[0] for each in found] == ["apt-get", "wget", "pip"]
    assert [each.advice.split(";")[0].split(",")[0] for each in found] == [
        "Add the package to 3rdparty/os/wanted.txt",
        "Fetch it in a target of its own",
        "Add the distribution to the image's list in 3rdparty/python",
    ]


def test_a_long_command_is_cut() -> None:
    (found,) = downloads(commands("pip install " + "x" * 500))
    assert len(found.command) == 60
