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
HEADER = "Traceback (most recent call last):"
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


@pytest.mark.parametrize(
    "link",
    [
        "During handling of the above exception, another exception occurred:",
        "The above exception was the direct cause of the following exception:",
    ],
)
def test_of_a_chain_the_last_exception_and_the_first_count(link: str) -> None:
    """T-05: both in the first 300 characters, however long; an older traceback is another story."""
    chain = TRACEBACK + f"retrying\n{HEADER}\n  File 'a'\nKeyError: 'first {'x' * 900}'\n".encode()
    for message in ("TypeError: 'middle'", f"RuntimeError: last {'y' * 900}"):
        chain += f"\n{link}\n\n{HEADER}\n  File 'b'\n{message}\n".encode()
    shown = describe(1, chain, COMMAND)[:300]
    assert shown.startswith("RuntimeError: last y")
    assert "\ncaused by KeyError: 'first x" in shown


def test_a_script_that_does_not_compile_is_an_exception_without_header() -> None:
    """T-05."""
    text = b'warning: x\n  File "train.py", line 1\n    def f(:\n          ^\nSyntaxError: invalid syntax\n'
    assert describe(1, text, COMMAND).startswith('SyntaxError: invalid syntax\n  File "train.py", line 1\n')


def test_a_logged_exception_counts_when_the_exit_code_is_no_signal() -> None:
    """T-05: exit code 255 is that of sys.exit(-1), 137 that of SIGKILL."""
    assert describe(255, TRACEBACK, COMMAND).startswith("ValueError: bad")
    assert describe(137, TRACEBACK, COMMAND).startswith("The program was ended by SIGKILL")


@pytest.mark.parametrize(
    "noise",
    [
        "Exception ignored in: <generator object f at 0x1>\n",
        "Error in atexit._run_exitfuncs:\n",
        "Exception in thread Thread-1:\n",
    ],
)
def test_exceptions_that_ended_nothing_do_not_count(noise: str) -> None:
    """T-05."""
    text = TRACEBACK + f"{noise}{HEADER}\n  File 'x', line 1\nOSError: beside\n".encode()
    assert describe(1, text, COMMAND).startswith("ValueError: bad\nvalue\n  File")


def test_an_exception_that_was_survived_stands_beside_the_last_words() -> None:
    """T-05: both in the first 300 characters."""
    text = TRACEBACK + b"".join(b"epoch %d\n" % n for n in range(40)) + b"no data for May\n"
    shown = describe(1, text, COMMAND)[:300]
    assert "ValueError: bad" in shown
    assert "no data for May" in shown


def test_the_frames_of_a_worker_are_shown_not_those_of_its_pool() -> None:
    """T-05: the same exception, raised again where the result was asked for."""
    remote = (
        f'multiprocessing.pool.RemoteTraceback: \n"""\n{HEADER}\n  File "train.py", in fit\nValueError: fold 7\n"""\n'
    )
    again = f'{HEADER}\n  File "pool.py", in get\nValueError: fold 7\n'
    text = remote + "\nThe above exception was the direct cause of the following exception:\n\n" + again
    assert describe(1, text.encode(), COMMAND).startswith('ValueError: fold 7\n  File "train.py", in fit\n')


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
    text = describe(exit_code, b"one\ntwo\n\nthree\nlast words \xff\n", COMMAND)
    assert text.startswith(reason)
    assert "\ntwo\nthree\nlast words \ufffd\nExit code" in text
