"""The text of the failure file."""

from __future__ import annotations

import pytest

from sagemaker_sklearn_container.training.failure import describe

TRACEBACK = b"""noise before
Traceback (most recent call last):
  File "train.py", line 9, in <module>
    main()
  File "train.py", line 5, in main
    raise ValueError("bad\\nvalue")
ValueError: bad
value
"""
COMMAND = ["python", "train.py", "--a", "b c"]


def test_exception_then_frames_then_the_rest() -> None:
    """T-05."""
    lines = describe(1, TRACEBACK, COMMAND).split("\n")
    assert lines[:6] == [
        "ValueError: bad",
        "value",
        '  File "train.py", line 9, in <module>',
        "    main()",
        '  File "train.py", line 5, in main',
        '    raise ValueError("bad\\nvalue")',
    ]
    assert "Exit code 1 from: python train.py --a 'b c'" in lines
    assert "noise before" in lines


def test_of_a_chain_the_last_exception_counts() -> None:
    """T-05."""
    chain = (
        TRACEBACK
        + b"\nDuring handling of the above exception, another exception occurred:\n\n"
        + TRACEBACK.replace(b"ValueError: bad", b"KeyError: 'last'")
    )
    assert describe(1, chain, COMMAND).startswith("KeyError: 'last'\n")


def test_long_messages_and_deep_stacks_leave_room_for_the_innermost_frame() -> None:
    """T-05: all of it within the 1024 characters that are shown."""
    frames = b"".join(b'  File "train.py", line %d, in f%d\n    call()\n' % (n, n) for n in range(200))
    text = describe(1, b"Traceback (most recent call last):\n" + frames + b"ValueError: " + b"x" * 5000, COMMAND)
    assert text.startswith("ValueError: xxx")
    assert "in f199\n" in text[:1024]
    assert "  ...\n" in text[:1024]


@pytest.mark.parametrize(
    ("exit_code", "reason"),
    [
        (3, "The program ended with exit code 3."),
        (137, "The program was ended by SIGKILL (exit code 137). Most often the instance is out of memory"),
        (143, "The program was ended by SIGTERM (exit code 143)."),
        (255, "The program ended with exit code 255."),
    ],
)
def test_without_exception_the_exit_code_is_the_reason(exit_code: int, reason: str) -> None:
    """T-04, T-10."""
    assert describe(exit_code, b"last words \xff\n", COMMAND).startswith(reason)
    assert "last words \ufffd" in describe(exit_code, b"last words \xff\n", COMMAND)
