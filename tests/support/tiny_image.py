"""Images of one file that runs: an x86-64 program of a few bytes that prints a line."""

from __future__ import annotations

import io
import os
import struct
import tarfile
from contextlib import contextmanager
from typing import Iterator

from docker.api.client import APIClient

_BASE = 0x400000
_HEADERS = 64 + 56


def program(line: str) -> bytes:
    """An executable without libraries that prints a line and ends with 0."""
    text = f"{line}\n".encode()
    code = b"".join(
        (
            b"\xb8\x01\x00\x00\x00",  # mov eax, 1 (write)
            b"\xbf\x01\x00\x00\x00",  # mov edi, 1
            b"\x48\x8d\x35" + struct.pack("<i", 16),  # lea rsi, [rip + 16]: behind the code
            b"\xba" + struct.pack("<I", len(text)),  # mov edx, length
            b"\x0f\x05",  # syscall
            b"\xb8\x3c\x00\x00\x00",  # mov eax, 60 (exit)
            b"\x31\xff",  # xor edi, edi
            b"\x0f\x05",  # syscall
        )
    )
    size = _HEADERS + len(code) + len(text)
    header = struct.pack(
        "<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 2, 62, 1, _BASE + _HEADERS, 64, 0, 0, 64, 56, 1, 0, 0, 0
    )
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _BASE, _BASE, size, size, 0x1000)
    return header + segment + code + text


@contextmanager
def tiny_image(engine: APIClient, name: str, padding: int = 0) -> Iterator[str]:
    """The id of an image whose `/say` prints its name; the image goes with all of its names.

    Args:
        engine: Gets the image.
        name: REPOSITORY:TAG in that engine; no two tests use one.
        padding: Bytes of noise in it, to make its layer large.
    """
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as layer:
        for path, content, mode in (("say", program(name), 0o755), ("noise", os.urandom(padding), 0o644)):
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(content), mode
            layer.addfile(member, io.BytesIO(content))
    repository, _, tag = name.partition(":")
    engine.import_image_from_data(archive.getvalue(), repository=repository, tag=tag, changes=['CMD ["/say"]'])
    image_id = str(engine.inspect_image(name)["Id"])
    try:
        yield image_id
    finally:
        engine.remove_image(image_id, force=True)
