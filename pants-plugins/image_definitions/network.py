"""Which commands download."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import Iterator, Mapping, Sequence

from image_definitions.shell import Command, Word, commands_of_word, without_assignments

_DEBIAN = "Add the package to 3rdparty/os/wanted.txt; the operating system layer brings it."
_PYTHON = "Add the distribution to the image's list in 3rdparty/python; the image's layer brings it."
_OTHER = "Fetch it in a target of its own, checked by a hash, and ADD what that target writes."


@dataclass(frozen=True)
class _Program:
    """A program that downloads.

    Attributes:
        verbs: The subcommands that do; empty when every call does.
        offline: Options with which it does not.
        valued: Options that take the word behind them.
        local: Operands it does not go to the network for.
        advice: What to do instead.
    """

    verbs: frozenset[str] = frozenset()
    offline: frozenset[str] = frozenset()
    valued: frozenset[str] = frozenset()
    local: re.Pattern[str] | None = None
    advice: str = _OTHER


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_ASKS_ONLY = _set("--help --version -V")
_HERE = r"(?:\[::1\]|localhost|127\.\d+\.\d+\.\d+)"
_LOCAL_URL = re.compile(rf"file:.*|(?:\w+://)?{_HERE}(?:[:/].*)?", re.IGNORECASE)
_APT = _Program(
    _set("build-dep changelog dist-upgrade download full-upgrade install reinstall safe-upgrade source update upgrade"),
    _set("--dry-run --just-print --no-act --no-download --print-uris --recon --simulate -s"),
    _set("--config-file --default-release --option --target-release -a -c -o -t"),
    re.compile(r"(?:.*/)?[^/]+\.deb|\.{0,2}/.*"),
    _DEBIAN,
)
_RPM = _Program(
    _set("builddep check-update distro-sync download groupinstall in install makecache ref refresh reinstall up update")
    | _set("update-minimal upgrade dup"),
    _set("--cacheonly -C --no-refresh"),
    _set("--installroot --releasever --setopt -c -x"),
    re.compile(r"(?:.*/)?[^/]+\.rpm"),
    _DEBIAN,
)
_PIP = _Program(
    _set("download index install search wheel"),
    _set("--no-index"),
    _set("--cache-dir --cert --index-url --log --proxy --retries --timeout -i"),
    advice=_PYTHON,
)
_UV = _Program(
    _set("add lock run sync tool") | {"pip install", "pip sync", "pip compile", "python install"},
    _set("--no-index --offline"),
    advice=_PYTHON,
)
_CONDA = _Program(
    _set("create env install search update upgrade"), _set("--offline"), _set("-n -p --name --prefix"), advice=_PYTHON
)
_NPM = _Program(
    _set(
        "add audit ci clean-install create dlx exec fetch i import in install outdated publish up update upgrade view"
    ),
    _set("--offline"),
    _set("--prefix -C"),
)
_TRANSFER = _Program(offline=_ASKS_ONLY, local=_LOCAL_URL)
_REMOTE = _Program(offline=_ASKS_ONLY)
_PROGRAMS = {
    **dict.fromkeys(("apt", "apt-get", "aptitude"), _APT),
    **dict.fromkeys(("dnf", "microdnf", "tdnf", "yum", "zypper"), _RPM),
    **dict.fromkeys(("conda", "mamba", "micromamba"), _CONDA),
    **dict.fromkeys(("npm", "pnpm"), _NPM),
    **dict.fromkeys(("aria2c", "axel", "curl", "ftp", "lftp", "wget"), _TRANSFER),
    **dict.fromkeys(("npx", "rsync", "scp", "sftp", "ssh", "debootstrap", "mmdebstrap", "add-apt-repository"), _REMOTE),
    "apk": _Program(_set("add fetch fix update upgrade"), _set("--no-network"), _set("-X --repository -p --root")),
    "bundle": _Program(_set("install update"), _set("--local")),
    "cargo": _Program(_set("add fetch install search update"), _set("--frozen --offline")),
    "cpanm": _REMOTE,
    "easy_install": _Program(advice=_PYTHON, offline=_ASKS_ONLY),
    "gem": _Program(_set("fetch install update"), _set("--local -l")),
    "git": _Program(
        _set("clone fetch ls-remote pull push") | {"remote update", "submodule add", "submodule update"},
        valued=_set("-C -c --git-dir --work-tree"),
        local=re.compile(r"file:.*|\.{0,2}/.*|\.{1,2}"),
    ),
    "go": _Program(_set("get install") | {"mod download", "mod tidy"}),
    "hg": _Program(_set("clone incoming pull push")),
    "pip": _PIP,
    "pipenv": _Program(_set("install lock sync update"), advice=_PYTHON),
    "pipx": _Program(_set("inject install run upgrade"), advice=_PYTHON),
    "poetry": _Program(_set("add install lock update"), advice=_PYTHON),
    "svn": _Program(_set("checkout co export update up")),
    "uv": _UV,
    "uvx": _Program(offline=_set("--offline"), advice=_PYTHON),
    "yarn": _Program(offline=_set("--offline --version")),
}
_VERSIONED = re.compile(r"(pip|easy_install|gem|npm|conda)[-.0-9]*")
_PYTHON_PROGRAM = re.compile(r"(?:python|pypy)[0-9.]*")
_SHELLS = _set("ash bash dash ksh sh zsh")
# What runs the command behind it: options that take a value, and how many operands come before that command.
_WRAPPERS = {
    "chroot": (_set("--userspec --groups"), 1),
    "command": (frozenset(), 0),
    "eatmydata": (frozenset(), 0),
    "busybox": (frozenset(), 0),
    "env": (_set("--chdir --unset -C -u"), 0),
    "exec": (_set("-a"), 0),
    "gosu": (frozenset(), 1),
    "ionice": (_set("-c -n"), 0),
    "nice": (_set("-n"), 0),
    "nohup": (frozenset(), 0),
    "runuser": (_set("-u -g"), 0),
    "setsid": (frozenset(), 0),
    "stdbuf": (_set("-e -i -o"), 0),
    "su-exec": (frozenset(), 1),
    "sudo": (_set("-C -D -g -h -p -R -T -u"), 0),
    "time": (_set("-f -o"), 0),
    "timeout": (_set("--kill-after --signal -k -s"), 1),
    "xargs": (_set("-a -d -E -I -L -n -P -s"), 0),
}
# Each level of `sh -c` and `eval` reads its text anew.
_DEPTH = 10


@dataclass(frozen=True)
class Download:
    """A command that downloads: as it reads, where it begins, and what to do instead."""

    command: str
    offset: int
    advice: str


def downloads(commands: Sequence[Command], environment: Mapping[str, str] | None = None) -> list[Download]:
    """The commands that download.

    Args:
        commands: Of a `RUN`.
        environment: What the image sets.
    """
    found: list[Download] = []
    for command in commands:
        for single in _unwrapped(command, 0):
            advice = _advice(single, {**(environment or {}), **single.environment})
            if advice:
                shown = " ".join(word.text for word in single.words)
                found.append(
                    Download(shown if len(shown) <= 60 else f"{shown[:57]}...", single.words[0].offset, advice)
                )
    return found


def _unwrapped(command: Command, depth: int) -> Iterator[Command]:
    """The command that really runs, for one that runs another, and all of them for a shell's text."""
    program = posixpath.basename(command.words[0].text)
    arguments = command.words[1:]
    texts = [word.text for word in arguments]
    if depth > _DEPTH:
        return
    if program in _SHELLS or program == "su":
        script = _script(arguments, behind_operands=program == "su")
        for inner in commands_of_word(script, depth) if script else ():
            yield from _unwrapped(Command({**command.environment, **inner.environment}, inner.words), depth + 1)
    elif program == "eval":
        for inner in commands_of_word(_joined(arguments), depth):
            yield from _unwrapped(inner, depth + 1)
    elif program == "find":
        for at, text in enumerate(texts):
            if text in ("-exec", "-execdir", "-ok", "-okdir") and arguments[at + 1 :]:
                yield from _unwrapped(Command(command.environment, arguments[at + 1 :]), depth + 1)
    elif program in _WRAPPERS:
        if program == "command" and any(text in ("-v", "-V") for text in texts[:1]):
            return
        valued, operands = _WRAPPERS[program]
        rest = _behind_options(arguments, valued)
        environment, rest = without_assignments(rest)
        rest = rest[operands:]
        if rest:
            yield from _unwrapped(Command({**command.environment, **environment}, rest), depth + 1)
    elif _PYTHON_PROGRAM.fullmatch(program):
        rest = _module(arguments)
        if rest:
            yield from _unwrapped(Command(command.environment, rest), depth + 1)
    else:
        yield command


def _script(arguments: Sequence[Word], behind_operands: bool) -> Word | None:
    """The text that a shell runs, for `sh -c TEXT`."""
    at = 0
    while at < len(arguments):
        text = arguments[at].text
        if text in ("--command", "-c") or re.fullmatch(r"-[A-Za-z]*c[A-Za-z]*", text):
            # Further options may stand before the text.
            rest = _behind_options(arguments[at + 1 :], _set("-O -o"))
            return rest[0] if rest else None
        if text[:1] not in ("-", "+"):
            if not behind_operands:
                return None
            at += 1
        else:
            at += 2 if re.fullmatch(r"[-+][A-Za-z]*[oO]", text) else 1
    return None


def _joined(words: Sequence[Word]) -> Word:
    characters: list[str] = []
    offsets: list[int] = []
    for word in words:
        characters += (*word.text, " ")
        offsets += (*word.offsets[: len(word.text)], word.offsets[-1])
    return Word("".join(characters), tuple(offsets))


def _behind_options(words: Sequence[Word], valued: frozenset[str]) -> tuple[Word, ...]:
    at = 0
    while at < len(words) and words[at].text.startswith("-"):
        if words[at].text == "--":
            at += 1
            break
        at += 2 if words[at].text in valued else 1
    return tuple(words[at:])


def _module(arguments: Sequence[Word]) -> tuple[Word, ...]:
    """The words from the module's name on, for `python -m NAME`."""
    at = 0
    while at < len(arguments) and arguments[at].text.startswith("-"):
        text = arguments[at].text
        if re.fullmatch(r"-[A-Za-bd-z]*m", text):
            return tuple(arguments[at + 1 :])
        if re.match(r"-[A-Za-bd-z]*m.", text) and not text.startswith("--"):
            name = arguments[at].text.partition("m")[2]
            return (Word(name, arguments[at].offsets[-len(name) :]), *arguments[at + 1 :])
        if text.startswith("-c"):
            return ()
        at += 2 if text in ("-W", "-X") else 1
    return ()


def _advice(command: Command, environment: Mapping[str, str]) -> str:
    """What to do instead of a command that downloads; empty for one that does not."""
    name = posixpath.basename(command.words[0].text)
    versioned = _VERSIONED.fullmatch(name)
    program = _PROGRAMS.get(name) or (_PROGRAMS.get(versioned.group(1)) if versioned else None)
    if program is None:
        return ""
    texts = [word.text for word in command.words[1:]]
    options = {text.partition("=")[0] for text in texts if text.startswith("-")}
    operands = _operands(texts, program.valued)
    if options & (program.offline | {"--help"}):
        return ""
    if program.verbs:
        if not operands or not (operands[0] in program.verbs or " ".join(operands[:2]) in program.verbs):
            return ""
        operands = operands[1:]
    if program is _PIP and _pip_is_local(operands, options, environment):
        return ""
    if program.local and _all_local(name, program.local, operands):
        return ""
    return program.advice


def _operands(texts: Sequence[str], valued: frozenset[str]) -> list[str]:
    operands, at = [], 0
    while at < len(texts):
        if not texts[at].startswith("-"):
            operands.append(texts[at])
        at += 2 if texts[at] in valued else 1
    return operands


def _pip_is_local(operands: Sequence[str], options: set[str], environment: Mapping[str, str]) -> bool:
    if environment.get("PIP_NO_INDEX", "").lower() in ("1", "true", "yes", "on"):
        return True
    lists = {option for option in options if option in ("--requirement", "--editable") or option[:2] in ("-r", "-e")}
    whole = bool(operands) and all(re.fullmatch(r"[^:]+\.whl(\[.*\])?", operand) for operand in operands)
    return "--no-deps" in options and whole and not lists


def _all_local(name: str, local: re.Pattern[str], operands: Sequence[str]) -> bool:
    if _PROGRAMS[name] is _TRANSFER:
        # Values of options are among the operands: what looks like an address counts.
        operands = [each for each in operands if "://" in each or _LOCAL_URL.fullmatch(each)]
    elif name == "git":
        operands = operands[:1]
    return bool(operands) and all(local.fullmatch(operand) for operand in operands)
