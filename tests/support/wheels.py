"""Small pure-Python wheels and locks of them, made where a test needs them."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import random
import zipfile
from pathlib import Path
from typing import Collection, Mapping, Sequence

_WHEEL = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def build_wheel(
    folder: Path,
    name: str,
    files: Mapping[str, str],
    *,
    version: str = "1.0",
    requires: Sequence[str] = (),
    headers: Sequence[str] = (),
    scripts: Mapping[str, str] | None = None,
    executable: Collection[str] = (),
    date_time: tuple[int, int, int, int, int, int] = (2020, 2, 2, 0, 0, 0),
    shuffle: int | None = None,
) -> Path:
    """Write a wheel into `folder`.

    Args:
        folder: Created where it is missing.
        name: Of the distribution, normalised, with `_` for `-`.
        files: Text by path in the archive; `NAME-VERSION.data/SCHEME/` places as the format says.
        version: Of the distribution.
        requires: What it declares as its dependencies.
        headers: Further lines of its metadata.
        scripts: `module:function` by name of the command.
        executable: Which paths of `files` carry the executable bit.
        date_time: Of every member.
        shuffle: Seed of the order of the members; None keeps that of `files`.

    Returns:
        The wheel.
    """
    info = f"{name}-{version}.dist-info"
    declared = "".join(f"{line}\n" for line in [*headers, *(f"Requires-Dist: {item}" for item in requires)])
    members = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{declared}\nAbout {name}.\n",
        f"{info}/WHEEL": _WHEEL,
    }
    if scripts:
        lines = "".join(f"{command} = {target}\n" for command, target in scripts.items())
        members[f"{info}/entry_points.txt"] = f"[console_scripts]\n{lines}"
    names = list(members)
    if shuffle is not None:
        random.Random(shuffle).shuffle(names)
    record = io.StringIO()
    rows = [(path, f"sha256={_digest(members[path])}", len(members[path].encode())) for path in names]
    csv.writer(record, lineterminator="\n").writerows([*rows, (f"{info}/RECORD", "", "")])
    members[f"{info}/RECORD"] = record.getvalue()
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path in [*names, f"{info}/RECORD"]:
            member = zipfile.ZipInfo(path, date_time)
            member.external_attr = (0o100755 if path in executable else 0o100644) << 16
            archive.writestr(member, members[path])
    return wheel


def locked(archive: Path, pin: str, *via: str) -> str:
    """The lines of a lock that pin `archive` as `pin`, `NAME==VERSION`, for those in `via`."""
    askers = "".join(f"    #   {asker}\n" for asker in via)
    return f"{pin} \\\n    --hash=sha256:{sha256_of(archive)}\n" + (f"    # via\n{askers}" if via else "")


def sha256_of(path: Path) -> str:
    """Hexadecimal digest of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _digest(content: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content.encode()).digest()).decode().rstrip("=")
