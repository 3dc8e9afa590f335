"""Which files of a wheel ship."""

from __future__ import annotations

from pathlib import Path

import pytest

from image_layers.errors import LayerError
from image_layers.trimming import Trimming, read_trimming


def _read(folder: Path, text: str) -> Trimming:
    path = folder / "trimming.txt"
    path.write_text(text)
    return read_trimming(path)


def test_everything_ships_without_rules() -> None:
    assert not Trimming(()).drops("a/b.py")


def test_the_last_rule_that_matches_decides(tmp_path: Path) -> None:
    trimming = _read(tmp_path, "# Why.\n\n- */tests/*  # not needed\n+ pandas/tests/io/*\n- *.pyx\n")
    assert trimming == Trimming((("*/tests/*", True), ("pandas/tests/io/*", False), ("*.pyx", True)))
    paths = ["numpy/tests/a.py", "a/b/tests/c/d.py", "pandas/tests/io/x.py", "pandas/tests/io/x.pyx", "tests/a.py"]
    assert [trimming.drops(path) for path in paths] == [True, True, False, True, False]


def test_patterns_tell_upper_from_lower_case(tmp_path: Path) -> None:
    assert not _read(tmp_path, "- *.C\n").drops("a.c")


@pytest.mark.parametrize("line", ["*.pyx", "-*.pyx", "-", "!  *.pyx"])
def test_a_line_that_is_no_rule_is_named_with_its_number(tmp_path: Path, line: str) -> None:
    with pytest.raises(LayerError) as caught:
        _read(tmp_path, f"# Why.\n{line}\n")
    assert str(caught.value) == f"{tmp_path}/trimming.txt:2: {line!r} is not `- PATTERN` or `+ PATTERN`."
