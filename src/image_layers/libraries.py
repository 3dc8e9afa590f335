"""Unpacks wheels into a tree the way an installer would, without what need not ship."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import BinaryIO, Iterator, cast

from installer import install
from installer.destinations import SchemeDictionaryDestination
from installer.sources import WheelContentElement, WheelFile

from image_layers import layout
from image_layers.corrections import Corrections
from image_layers.errors import LayerError
from image_layers.replacements import Replacements
from image_layers.trimming import Trimming


class ShippedWheel(WheelFile):
    """A wheel as it ships: trimmed of files, with some replaced, and with its declared dependencies corrected.

    Its RECORD is written from what is unpacked, so it lists just what is there.
    """

    trimming: Trimming
    corrections: Corrections
    replacements: Replacements

    def get_contents(self) -> Iterator[WheelContentElement]:
        replaced = self.replacements.of(self.distribution)
        for record, stream, executable in super().get_contents():
            if self.trimming.drops(record[0]):
                continue
            replacement = replaced.pop(record[0], None)
            if replacement is not None:
                stream = cast(BinaryIO, io.BytesIO(replacement.apply(stream.read())))
            if record[0] == f"{self.dist_info_dir}/METADATA":
                corrected = self.corrections.apply(stream.read().decode("utf-8"))
                stream = cast(BinaryIO, io.BytesIO(corrected.encode("utf-8")))
            yield record, stream, executable
        for missing in replaced.values():
            raise LayerError(
                f"{missing.origin} replaces {missing.path} of {missing.distribution}, which ships no such file any "
                "more. Look where the library has put its content, and change the line or take it away."
            )


def unpack_wheels(
    wheels: Path, tree: Path, trimming: Trimming, corrections: Corrections, replacements: Replacements
) -> None:
    """Install every wheel in `wheels` below `tree`, which stands for the image's root.

    Args:
        wheels: Directory of `*.whl`.
        tree: Directory to fill.
        trimming: What need not ship.
        corrections: What the wheels declare wrongly.
        replacements: What ships in place of some of their files.

    Raises:
        LayerError: two wheels bring the same file; or one to be replaced has changed or is gone.
    """
    destination = SchemeDictionaryDestination(
        scheme_dict={
            "purelib": str(layout.SITE_PACKAGES),
            "platlib": str(layout.SITE_PACKAGES),
            "scripts": str(layout.PREFIX / "bin"),
            "data": str(layout.PREFIX),
            "headers": str(layout.PREFIX / "include" / layout.PYTHON),
        },
        interpreter=str(layout.INTERPRETER),
        script_kind="posix",
        destdir=str(tree),
    )
    for path in sorted(wheels.glob("*.whl")):
        with ShippedWheel.open(path) as wheel:
            shipped = cast(ShippedWheel, wheel)
            shipped.trimming, shipped.corrections, shipped.replacements = trimming, corrections, replacements
            try:
                install(source=shipped, destination=destination, additional_metadata={"INSTALLER": b"pip\n"})
            except FileExistsError as error:
                # The library says which file in its message only.
                place = str(error).partition(str(tree))[2]
                raise LayerError(
                    f"{path.name} brings {place}, which another wheel in {wheels} has brought already. Leave it out "
                    "by the rules of 3rdparty/python/trimming.txt, or one of the two wheels by the lock."
                ) from error
    for record in sorted(tree.rglob("*.dist-info/RECORD")):
        _sort_record(record)


def _sort_record(record: Path) -> None:
    # The installer library lists files in the archive's order, which a rebuilt wheel need not keep.
    rows = sorted(csv.reader(record.read_text(encoding="utf-8").splitlines()))
    with record.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(rows)
