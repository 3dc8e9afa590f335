"""Writes the bill of materials of one image, from what goes into the image and the bill of its parent."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from packaging.utils import canonicalize_name

from image_layers.errors import LayerError
from image_layers.lock import read_lock, read_requirements
from image_sbom.bill import (
    add_debian,
    add_distributions,
    add_interpreter,
    add_own,
    bill_of,
    licences_in,
    read_bill,
    write_bill,
)
from image_sbom.debian import read_debian
from image_sbom.distributions import read_distributions
from image_sbom.errors import BillError
from image_sbom.interpreter import interpreter_version
from image_sbom.licences import expression_of


def main() -> int:
    """0 when the bill is written, 1 with a message when it cannot be."""
    options = _parser().parse_args()
    try:
        _run(options)
    except (BillError, LayerError) as error:
        print(f"image_sbom {options.image}: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="image_sbom", description=__doc__)
    parser.add_argument("--image", required=True, metavar="NAME:TAG")
    parser.add_argument("--parent", type=Path, help="bill of the image below")
    parser.add_argument("--operating-system", type=Path, help="layer that the image adds")
    parser.add_argument("--packages", type=Path, help="package list written with that layer")
    parser.add_argument("--interpreter", type=Path, help="layer that the image adds")
    parser.add_argument(
        "--wheels", type=Path, action="append", default=[], help="wheels of a layer of libraries that the image adds"
    )
    parser.add_argument("--lock", type=Path, help="what these wheels were taken from")
    parser.add_argument("--list", type=Path, help="requirements list of the image")
    parser.add_argument("--own", action="append", default=[], metavar="NAME==VERSION", help="this repository's own")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--licences-out", type=Path, required=True, help="write one SPDX expression for all of it")
    return parser


def _run(options: argparse.Namespace) -> None:
    parent = read_bill(options.parent.read_text(encoding="utf-8")) if options.parent else None
    bom = bill_of(options.image, parent, _moment())
    if options.operating_system:
        add_debian(bom, read_debian(options.operating_system, options.packages))
    if options.interpreter:
        add_interpreter(bom, interpreter_version(options.interpreter))
    if options.wheels:
        pins = read_lock(options.lock)
        asked = sorted(canonicalize_name(item.name) for item in read_requirements(options.list))
        add_distributions(bom, read_distributions(options.wheels, pins, options.lock), asked)
    for pin in options.own:
        name, _, version = pin.partition("==")
        add_own(bom, name, version)
    options.out.write_text(write_bill(bom), encoding="utf-8")
    options.licences_out.write_text(expression_of(licences_in(bom)) + "\n", encoding="utf-8")


def _moment() -> int:
    value = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not value.isdigit():
        raise BillError(
            f"SOURCE_DATE_EPOCH is {value!r}; a bill needs seconds since the epoch there, so that its bytes do not "
            "depend on the clock. docker/macros.py sets it."
        )
    return int(value)


if __name__ == "__main__":
    sys.exit(main())
