"""What a failed training job says, and where.

Every case takes the fixture `platform`.
"""

from __future__ import annotations

import json
import textwrap

import pytest

from tests.support.platform import Platform
from tests.support.recorder import RECORDER, seen_by

# What consoles show of the failure file without scrolling.
SHOWN = 300

FAILURES = {
    "exception": ("raise ValueError('target has 3 classes')", 1, "ValueError: target has 3 classes"),
    "exception without message": ("assert []", 1, "AssertionError\n"),
    "exception with a long message": ("raise ValueError('wide ' * 9000)", 1, "ValueError: wide wide"),
    "syntax": ("def fit(:\n    pass", 1, "SyntaxError: invalid syntax"),
    "indentation": ("if True:\npass", 1, "IndentationError: expected an indented block"),
    "missing module": ("import no_such_module", 1, "ModuleNotFoundError: No module named 'no_such_module'"),
    "killed": (
        "import os; os.kill(os.getpid(), 9)",
        137,
        "ended by SIGKILL (exit code 137). Most often the instance is",
    ),
    "killed in a shell": ("import os; os._exit(137)", 137, "ended by SIGKILL (exit code 137)"),
    "segmentation fault": ("import ctypes; ctypes.string_at(0)", 139, "ended by SIGSEGV (exit code 139)"),
    "exit code": ("import sys; print('no data for May', file=sys.stderr); sys.exit(3)", 3, "code 3.\nno data for May"),
    "exit with a text": ("raise SystemExit('no data for May')", 1, "no data for May"),
    "exit code -1": ("import sys; sys.exit(-1)", 255, "exit code 255"),
    "not UTF-8": (
        "import sys; sys.stderr.buffer.write(b'temp\\xe9rature\\n'); sys.stderr.flush(); raise OSError('sensor \\xe9')",
        1,
        "OSError: sensor \xe9",
    ),
    "not UTF-8 and no exception": (
        "import os, sys; sys.stderr.buffer.write(b'temp\\xe9rature\\n'); sys.stderr.flush(); os._exit(4)",
        4,
        "temp\ufffdrature",
    ),
    "chained": (
        "try:\n    {}['split']\nexcept KeyError as error:\n    raise RuntimeError('no split') from error",
        1,
        "RuntimeError: no split\ncaused by KeyError: 'split'",
    ),
    "logged, then exit": (
        "import logging, sys\ntry:\n    1 / 0\nexcept Exception:\n    logging.exception('fit failed')\n    sys.exit(2)",
        2,
        "ZeroDivisionError: division by zero",
    ),
    "in a worker of joblib": (
        "from joblib import Parallel, delayed\n"
        "def fit(n):\n    raise ValueError('fold %d' % n)\n"
        "if __name__ == '__main__':\n    Parallel(n_jobs=2)(delayed(fit)(n) for n in [7, 7])",
        1,
        "ValueError: fold 7",
    ),
    "a fit in a grid search": (
        "from sklearn.linear_model import LogisticRegression\nfrom sklearn.model_selection import GridSearchCV\n"
        "if __name__ == '__main__':\n"
        "    search = GridSearchCV(LogisticRegression(), {'C': [1, -2]}, n_jobs=2, cv=2, error_score='raise')\n"
        "    search.fit([[0], [1], [0], [1]], [0, 1, 0, 1])",
        1,
        "ValueError: Penalty term must be positive",
    ),
    "a very long message": ("raise ValueError('row\\n' * 300000)", 1, "ValueError: row"),
    "in a worker process": (
        "from concurrent.futures import ProcessPoolExecutor as Pool\n"
        "def fit(n):\n    raise ValueError('fold %d' % n)\n"
        "if __name__ == '__main__':\n    list(Pool(1).map(fit, [7]))",
        1,
        "ValueError: fold 7",
    ),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_the_users_own_error_comes_first(platform: Platform, failure: str) -> None:
    """T-02 to T-05, T-10: in the first 300 characters, of which the platform shows 1024."""
    script, exit_code, wanted = FAILURES[failure]
    tree = platform.tree()
    tree.code(train=script)
    tree.hyperparameters(sagemaker_program="train.py", alpha=0.5, text="long " * 100)
    result = platform.train(tree)
    assert (result.exit_code, result.succeeded) == (exit_code, False)
    assert result.failure is not None
    assert wanted in result.failure[:SHOWN]
    assert "sagemaker_sklearn_container" not in result.failure[:1024]


def test_a_module_that_a_package_does_not_have_is_named(platform: Platform) -> None:
    """T-05, T-46."""
    tree = platform.tree()
    tree.package("flowers", train=RECORDER)
    tree.hyperparameters(sagemaker_program="flowers/trian.py")
    result = platform.train(tree, {"PIP_NO_INDEX": "1"})
    assert result.exit_code == 1
    assert result.failure is not None
    assert "No module named flowers.trian" in result.failure[:SHOWN]


def test_a_command_that_cannot_run_is_named(platform: Platform) -> None:
    """T-05, T-46: as the shell says it."""
    tree = platform.tree()
    tree.write("code/go.sh", "#!/no/such/interpreter\n")
    tree.hyperparameters(sagemaker_program="go.sh")
    result = platform.train(tree)
    assert result.exit_code == 127
    assert result.failure is not None
    assert "go.sh: not found" in result.failure[:SHOWN]


@pytest.mark.parametrize("name", ["hyperparameters", "inputdataconfig", "resourceconfig"])
@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ('{"a": ', "it is no valid JSON: Expecting value: line 1 column 7"),
        ("[1, 2]", "it holds a JSON list; it must be an object"),
        ("", "it is no valid JSON"),
        (b"\xff\xfe", "invalid start byte"),
    ],
    ids=["cut off", "list", "empty", "not UTF-8"],
)
def test_a_malformed_configuration_file_is_named(
    platform: Platform, name: str, content: str | bytes, fault: str
) -> None:
    """T-04, T-20: with its fault; the program is not started, the model directory stays empty."""
    tree = platform.tree()
    tree.code(train=RECORDER)
    tree.write(f"input/config/{name}.json", content)
    result = platform.train(tree, {"SAGEMAKER_PROGRAM": "train.py"})
    assert result.exit_code != 0
    assert result.failure is not None
    assert result.failure.startswith(f"Reading {tree.inside(f'input/config/{name}.json')}: ")
    assert fault in result.failure[:SHOWN]
    assert not list((tree.root / "model").glob("*"))


@pytest.mark.parametrize(
    ("resources", "fault"),
    [
        ({"hosts": "algo-1", "current_host": "algo-1"}, "hosts is 'algo-1'"),
        ({"hosts": [1], "current_host": "algo-1"}, "hosts is [1]"),
        ({"hosts": ["algo-1"], "instance_groups": 3}, "instance_groups is 3"),
        ({"instance_groups": [{"instance_group_name": "g", "hosts": 5}]}, "'hosts': 5"),
        ({"current_group_name": [1]}, "current_group_name is [1]"),
    ],
)
def test_hosts_that_are_no_names_are_named(platform: Platform, resources: dict[str, object], fault: str) -> None:
    """T-04, T-28."""
    tree = platform.tree()
    tree.code(train=RECORDER)
    tree.write("input/config/resourceconfig.json", json.dumps(resources))
    result = platform.train(tree, {"SAGEMAKER_PROGRAM": "train.py"})
    assert result.exit_code != 0
    assert result.failure is not None
    assert fault in result.failure[:SHOWN]


def test_hyperparameters_that_are_no_json_are_text(platform: Platform) -> None:
    """T-21: also what only looks like JSON."""
    tree = platform.tree()
    tree.code(train=RECORDER)
    odd = {"a": "{", "b": "[1,", "c": "'x'", "d": "None", "e": "", "f": "\u2713 \u00e9", "g": "[" * 5000}
    tree.raw_hyperparameters({"sagemaker_program": "train.py", **odd})
    seen = seen_by(platform.train(tree))
    assert json.loads(seen["env"]["SM_HPS"]) == odd
    assert seen["argv"] == [word for name, value in odd.items() for word in (f"-{name}", value)]


@pytest.mark.parametrize(
    "program", ["my train.py", "tr\u00e4in \u2713.py", "./train.py", "sub dir/./train.py", "it's $HOME.py"]
)
def test_programs_of_any_name_run(platform: Platform, program: str) -> None:
    """T-40, T-46, T-49."""
    tree = platform.tree()
    tree.write(f"code/{program}", RECORDER)
    tree.hyperparameters(sagemaker_program=program, a="x y")
    seen = seen_by(platform.train(tree))
    assert seen["argv"] == ["-a", "x y"]
    assert seen["env"]["SM_USER_ENTRY_POINT"] == program


@pytest.mark.parametrize("program", ["go now.sh", "./go.sh", "g\u00f6.sh", "it's $HOME.sh"])
def test_commands_of_any_name_run(platform: Platform, program: str) -> None:
    """T-40, T-46."""
    tree = platform.tree()
    tree.write(f"code/{program}", '#!/bin/sh\necho "ran with $*"\n')
    tree.hyperparameters(sagemaker_program=program, a="x $HOME")
    result = platform.train(tree)
    assert (result.exit_code, result.stdout) == (0, b"ran with -a x $HOME\n")


def test_more_than_the_system_can_pass_is_a_clear_failure(platform: Platform) -> None:
    """T-04, T-50."""
    tree = platform.tree()
    tree.code(train=RECORDER)
    tree.hyperparameters(sagemaker_program="train.py", blob="x" * 140000)
    result = platform.train(tree)
    assert result.exit_code != 0
    assert result.failure is not None
    assert "Starting the program 'train.py'" in result.failure[:SHOWN]
    assert "Argument list too long" in result.failure[:SHOWN]


def test_as_many_hyperparameters_as_the_platform_takes_reach_the_program(platform: Platform) -> None:
    """T-50: a hundred of 2500 characters, more than one variable can hold."""
    tree = platform.tree()
    tree.code(train=RECORDER)
    tree.hyperparameters(sagemaker_program="train.py", **{f"p{number:02}": "x" * 2500 for number in range(100)})
    seen = seen_by(platform.train(tree))
    assert seen["argv"] == [word for number in range(100) for word in (f"--p{number:02}", "x" * 2500)]


def test_text_that_no_argument_can_hold_is_a_clear_failure(platform: Platform) -> None:
    """T-04, T-50."""
    tree = platform.tree()
    tree.code(train=RECORDER)
    tree.hyperparameters(sagemaker_program="train.py", blob="a\0b")
    result = platform.train(tree)
    assert result.exit_code != 0
    assert result.failure is not None
    assert result.failure.startswith("Starting the program 'train.py'")
    assert "null byte" in result.failure[:SHOWN]


def test_a_damaged_archive_is_named(platform: Platform) -> None:
    """T-04, T-44: nothing is left of what was unpacked before the damage."""
    tree = platform.tree()
    tree.write_archive("input/code.tar.gz", {"train.py": RECORDER, "data.bin": "".join(map(str, range(50000)))})
    whole = (tree.root / "input/code.tar.gz").read_bytes()
    tree.write("input/code.tar.gz", whole[: len(whole) // 2])
    tree.hyperparameters(sagemaker_program="train.py", sagemaker_submit_directory=tree.inside("input/code.tar.gz"))
    result = platform.train(tree)
    assert result.exit_code != 0
    assert result.failure is not None
    assert "code.tar.gz" in result.failure[:SHOWN]
    assert not list(result.model_dir.iterdir())


def test_a_failure_file_that_the_program_wrote_is_kept_whatever_its_exit_code(platform: Platform) -> None:
    """T-06: also when it was killed."""
    script = """
    import os
    with open(os.path.join(os.environ["SM_OUTPUT_DIR"], "failure"), "w") as f:
        f.write("out of patience")
    os.kill(os.getpid(), 9)
    """
    tree = platform.tree()
    tree.code(train=textwrap.dedent(script))
    tree.hyperparameters(sagemaker_program="train.py")
    result = platform.train(tree)
    assert (result.exit_code, result.failure) == (137, "out of patience")
