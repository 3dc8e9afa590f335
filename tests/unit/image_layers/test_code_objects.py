"""Code objects as bytes that depend on their source alone."""

from __future__ import annotations

import marshal
import os
import subprocess
import sys
from pathlib import Path
from types import CodeType

import pytest

from image_layers.code_objects import dumps

SOURCE = '''
"""Docstring."""
from __future__ import annotations
import os.path as path, json

CHOICES = ("auto", "none", ("nested", 1, -1, 2**70, -2**40, 1.5, -0.0, 0.0, 3j, b"bytes", b"", "", "not a name"))

class Größe:
    """Also a docstring."""
    size: int = 3

    def method(self, a, b=True, *rest: str, c=None, **more) -> None:
        def inner():
            nonlocal a
            a = b
            return [x for x in rest if x in {None, ..., False, "auto", "größe", "\\ud800", 1.0}]
        return inner, "long " * 100, more, not (a or ... is c)

async def later():
    async with path as p: yield lambda: p
'''


def _compile(source: str) -> CodeType:
    return compile(source, "a.py", "exec", dont_inherit=True)


def _differences(one: object, other: object) -> list[str]:
    if isinstance(one, CodeType) and isinstance(other, CodeType):
        names = [name for name in dir(one) if name.startswith("co_")]
        return [found for name in names for found in _differences(getattr(one, name), getattr(other, name))]
    if isinstance(one, tuple) and isinstance(other, tuple) and len(one) == len(other):
        return [found for pair in zip(one, other) for found in _differences(*pair)]
    if isinstance(one, frozenset) and isinstance(other, frozenset):
        return _differences(tuple(sorted(map(repr, one))), tuple(sorted(map(repr, other))))
    # Text, since 0.0 and -0.0, and 1 and True, are equal.
    return [] if (type(one), repr(one)) == (type(other), repr(other)) else [f"{one!r} became {other!r}"]


def test_the_interpreter_reads_back_the_same_code() -> None:
    code = _compile(SOURCE)
    assert _differences(code, marshal.loads(dumps(code))) == []


@pytest.mark.parametrize("package", ["json", "asyncio", "ctypes", "encodings"])
def test_real_modules_read_back_the_same(package: str) -> None:
    for source in sorted(Path(os.__file__).parent.joinpath(package).glob("*.py")):
        code = compile(source.read_bytes(), str(source), "exec", dont_inherit=True)
        assert _differences(code, marshal.loads(dumps(code))) == []


@pytest.mark.parametrize(
    "constant",
    [
        *(None, True, False, ...),
        *(0, -1, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**15, 2**200, -(2**200)),
        *(0.0, -0.0, 1.0, 5e-324, float("inf"), -1j, complex(-0.0, 1e300)),
        *("", "a", "name", "not a name", "a" * 255, "a" * 256, "ä", "größe" * 99, "\0", "\ud800", "\U0001f40d"),
        *(b"", b"a", b"\xff" * 300),
        *((), ((),), (1, True, 1.0), ("a", ("a", b"a")), (0.0, -0.0), tuple(range(300))),
        *(frozenset(), frozenset({"a", None, 1, (2, "b")})),
    ],
    ids=lambda constant: repr(constant)[:20],
)
def test_a_constant_reads_back_the_same(constant: object) -> None:
    code = compile("x = 1", "a.py", "exec", dont_inherit=True).replace(co_consts=(constant, (constant, "again")))
    assert _differences(code, marshal.loads(dumps(code))) == []


def test_references_held_elsewhere_in_the_process_do_not_matter() -> None:
    """The fault of `marshal.dumps` that this module is for: it marks what is referenced from anywhere as shared."""
    source = "unheard_of_name = 'unheard_of_text'\n"
    alone = dumps(_compile(source))
    kept = _compile(source)
    assert dumps(_compile(source)) == alone
    assert dumps(kept) == dumps(marshal.loads(alone)) == alone


def test_equal_names_are_written_once() -> None:
    written = dumps(_compile("def some_name(): some_name()\nsome_name()\n"))
    assert written.count(b"some_name") == 1


@pytest.mark.parametrize("seed", ["1", "2", "random"])
def test_the_seed_of_hashes_does_not_matter(seed: str) -> None:
    source = "x in {'a', 'b', 'c', 'd', None, 1, 2.5, ('e', 'f')}"
    program = (
        f"import sys; from image_layers.code_objects import dumps; print(dumps(compile({source!r}, 'a.py', 'exec')))"
    )
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": seed}
    done = subprocess.run(
        [sys.executable, "-B", "-c", program], env=environment, check=True, capture_output=True, text=True
    )
    assert done.stdout == f"{dumps(_compile(source))!r}\n"
