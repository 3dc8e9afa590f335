"""Lines with a name before them."""

from __future__ import annotations

import os
from typing import Callable, TextIO

from sagemaker_sklearn_container.multi_model.output import named_text


def _written(use: Callable[[TextIO], None], name: str = "m") -> bytes:
    """What comes out of a stream."""
    reading, writing = os.pipe()
    try:
        stream = named_text(name, writing)
        use(stream)
        stream.flush()
        os.close(writing)
        return os.read(reading, 1 << 16)
    finally:
        os.close(reading)


def test_each_line_has_the_name() -> None:
    """M-38: whole lines at once, what is left when it is flushed."""

    def use(stream: TextIO) -> None:
        print("one", "two", file=stream)
        stream.write("a\n\nb")
        stream.write("c\nd")
        stream.flush()
        stream.flush()
        stream.write("e")

    assert _written(use) == b"[m] one two\n[m] a\n[m] \n[m] bc\n[m] d\n[m] e\n"


def test_nothing_is_written_for_nothing() -> None:
    """M-38."""
    assert _written(lambda stream: stream.flush()) == b""


def test_what_scripts_expect_of_a_standard_stream() -> None:
    """M-38, U-30: bytes, settings, encodings, whatever the text."""

    def use(stream: TextIO) -> None:
        stream.buffer.write(b"\xff bytes\n")
        stream.reconfigure(line_buffering=True)  # type: ignore[attr-defined]
        print("\u2603 \ud800", file=stream)
        assert stream.encoding == "utf-8"
        assert stream.writable()
        assert not stream.isatty()
        assert isinstance(stream.fileno(), int)

    assert _written(use, "\u00fc") == "[\u00fc] ".encode() + b"\xff bytes\n[\xc3\xbc] \xe2\x98\x83 \\ud800\n"


def test_line_ends_of_other_systems() -> None:
    """M-38: as they are."""
    assert _written(lambda stream: print("a\rb\r", file=stream)) == b"[m] a\rb\r\n"
