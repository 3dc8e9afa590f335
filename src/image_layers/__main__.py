"""Command line of the layer tool: one command for each step of the graph, each from named inputs to named outputs."""

from __future__ import annotations

import argparse
import errno
import os
import sys
import tempfile
from pathlib import Path, PurePosixPath
from typing import Iterable

from image_layers import layout
from image_layers.bytecode import compile_tree
from image_layers.corrections import read_corrections
from image_layers.entries import Entry, directory, entries_of_tree
from image_layers.errors import LayerError
from image_layers.interpreter import copy_interpreter
from image_layers.layer import write_layer
from image_layers.libraries import unpack_wheels
from image_layers.lock import check_against, part_of, read_lock
from image_layers.operating_system import add_user, bootstrap, drift, read_names, read_packages
from image_layers.replacements import read_replacements
from image_layers.trimming import read_trimming
from image_layers.wheels import collect_wheels


def main() -> int:
    """Run one command; 0 when its outputs are written, 1 with a message when they cannot be."""
    options = _parser().parse_args()
    try:
        options.run(options)
    except LayerError as error:
        print(f"image_layers {options.command}: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        # No count of free bytes: the scratch directory, gone by now, gave them back.
        print(
            f"image_layers {options.command}: the disk is full, {options.out} could not be written. Make room below "
            f"{Path.cwd()} and {tempfile.gettempdir()}, or let Pants work elsewhere: --local-execution-root-dir=DIR "
            "and --local-store-dir=DIR.",
            file=sys.stderr,
        )
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="image_layers", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    select = commands.add_parser("select", help="the pins an image adds to its parents'")
    select.add_argument("--lock", type=Path, required=True)
    select.add_argument("--image", type=Path, required=True, help="requirements list of the image")
    select.add_argument("--parent", type=Path, action="append", default=[], help="lock of an image below it")
    select.add_argument("--only", action="append", default=[], metavar="NAME", help="write this pin, and no other")
    select.add_argument("--without", action="append", default=[], metavar="NAME", help="leave out this pin")
    select.add_argument("--out", type=Path, help="write the pins, with hashes")
    select.add_argument("--parents-out", type=Path, help="write what the images below have, as NAME==VERSION")
    select.set_defaults(run=_select)

    wheels = commands.add_parser("wheels", help="a wheel for each pin")
    wheels.add_argument("--requirements", type=Path, required=True)
    wheels.add_argument("--out", type=Path, required=True)
    wheels.set_defaults(run=lambda options: collect_wheels(options.requirements, options.out))

    libraries = commands.add_parser("libraries", help="layer of unpacked and compiled wheels")
    libraries.add_argument("--wheels", type=Path, required=True)
    libraries.add_argument("--trimming", type=Path, required=True)
    libraries.add_argument("--overrides", type=Path, required=True)
    libraries.add_argument("--excludes", type=Path, required=True)
    libraries.add_argument("--replacements", type=Path, required=True)
    libraries.add_argument("--out", type=Path, required=True)
    libraries.set_defaults(run=_libraries)

    interpreter = commands.add_parser("interpreter", help="layer of the CPython this tool runs on")
    interpreter.add_argument("--out", type=Path, required=True)
    interpreter.set_defaults(run=_interpreter)

    system = commands.add_parser("operating-system", help="layer of Debian packages")
    system.add_argument("--suite", required=True)
    system.add_argument("--wanted", type=Path, required=True)
    system.add_argument("--recorded", type=Path, required=True)
    system.add_argument("--user", action="append", default=[], metavar="NAME:UID:HOME")
    system.add_argument("--out", type=Path, required=True)
    system.add_argument("--packages-out", type=Path, help="write the package list that `--recorded` reads")
    system.set_defaults(run=_operating_system)

    files = commands.add_parser("files", help="layer of single files and directories")
    files.add_argument("--file", action="append", default=[], metavar="SOURCE:IMAGE-PATH")
    files.add_argument("--directory", action="append", default=[], metavar="IMAGE-PATH:MODE:UID:GID")
    files.add_argument("--out", type=Path, required=True)
    files.set_defaults(run=_files)
    return parser


def _select(options: argparse.Namespace) -> None:
    own = read_lock(options.lock)
    parents = {path: read_lock(path) for path in options.parent}
    check_against({options.lock: own, **parents}, options.image)
    if options.out:
        part = part_of(own, options.only, options.without, options.lock)
        _write_lines(options.out, (own[name].as_requirement() for name in sorted(part)))
    if options.parents_out:
        below = {name: pin.version for pins in parents.values() for name, pin in pins.items()}
        _write_lines(options.parents_out, (f"{name}=={below[name]}" for name in sorted(below)))


def _libraries(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as work:
        tree = Path(work)
        corrections = read_corrections(options.overrides, options.excludes)
        replacements = read_replacements(options.replacements)
        unpack_wheels(options.wheels, tree, read_trimming(options.trimming), corrections, replacements)
        _compile(tree)
        _write(options.out, entries_of_tree(tree, PurePosixPath("/")))


def _interpreter(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as work:
        tree = Path(work)
        copy_interpreter(tree)
        _compile(tree)
        _write(options.out, [*entries_of_tree(tree, PurePosixPath("/")), directory(layout.SITE_PACKAGES)])


def _operating_system(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as work:
        system = bootstrap(options.suite, read_names(options.wanted), Path(work), _mtime())
        entries = system.entries
        for user in options.user:
            name, uid, home = user.split(":")
            entries = add_user(entries, name, int(uid), home)
        _write(options.out, entries)
    if options.packages_out:
        options.packages_out.write_text(system.packages, encoding="utf-8")
    changed = drift(read_packages(options.recorded.read_text(encoding="utf-8")), read_packages(system.packages))
    if changed:
        # Not a failure: a tree would stop building on the day of Debian's next security update.
        print(
            f"Debian's archive has moved on since {options.recorded} was written; the layer holds the newer packages:\n"
            + "\n".join(f"  {line}" for line in changed)
            + "\nTo record them: 3rdparty/README.md, `lock`."
        )


def _files(options: argparse.Namespace) -> None:
    entries: list[Entry] = []
    for item in options.file:
        source, _, place = item.partition(":")
        path = Path(source)
        mode = 0o755 if os.access(path, os.X_OK) else 0o644
        entries.append(Entry(PurePosixPath(place), b"0", mode, content=path, origin=source))
    for item in options.directory:
        place, mode_text, uid, gid = item.split(":")
        entries.append(directory(PurePosixPath(place), int(mode_text, 8), int(uid), int(gid)))
    _write(options.out, entries)


def _compile(tree: Path) -> None:
    # Not what is in bin: scripts are run, never imported.
    compile_tree(tree / layout.STDLIB.relative_to("/"), layout.STDLIB, _mtime())


def _write(out: Path, entries: Iterable[Entry]) -> None:
    with out.open("wb") as stream:
        write_layer(entries, stream, _mtime())


def _write_lines(out: Path, lines: Iterable[str]) -> None:
    out.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _mtime() -> int:
    value = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not value.isdigit():
        raise LayerError(
            f"SOURCE_DATE_EPOCH is {value!r}; layers need seconds since the epoch there, so that their bytes do not "
            "depend on the clock. pants.toml sets it."
        )
    return int(value)


if __name__ == "__main__":
    sys.exit(main())
