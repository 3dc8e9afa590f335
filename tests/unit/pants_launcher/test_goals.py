"""Which command lines need an engine, a CPython 3.8, or a checkout to write in."""

from pathlib import Path

import pytest

from pants_launcher.goals import Needs, needs_of

NOTHING = Needs(engine=False, python38=False)
PYTHON = Needs(engine=False, python38=True)
ENGINE = Needs(engine=True, python38=True)
TEST = Needs(engine=True, python38=True, tests=True)
PACKAGE = Needs(engine=True, python38=True, writes=True)


@pytest.mark.parametrize(
    ("line", "needs"),
    [
        ("", NOTHING),
        ("list ::", NOTHING),
        ("roots", NOTHING),
        ("lint check ::", PYTHON),
        ("fmt src::", Needs(engine=False, python38=True, writes=True)),
        ("package ::", PACKAGE),
        ("test tests/unit::", TEST),
        ("publish docker/0.23-1/final:image", TEST),
        ("run src/image_layers:tool", ENGINE),
        ("lint test ::", TEST),
        ("tailor", Needs(engine=False, python38=False, writes=True)),
        ("--tag=-image test ::", TEST),
        ("-ldebug --no-pantsd package --docker-build-verbose ::", PACKAGE),
        ("list :: package", PACKAGE),
        ("--level=debug lint ::", PYTHON),
    ],
)
def test_the_goals_decide(line: str, needs: Needs, tmp_path: Path) -> None:
    assert needs_of(line.split(), str(tmp_path)) == needs


@pytest.mark.parametrize(
    "line",
    ["help package", "package --help", "--version", "-v", "test -h", "help-all", "version", "--help-advanced test"],
)
def test_a_question_about_pants_needs_nothing(line: str, tmp_path: Path) -> None:
    assert needs_of(line.split(), str(tmp_path)) == NOTHING


def test_what_is_passed_through_is_no_goal(tmp_path: Path) -> None:
    assert needs_of(["list", "::", "--", "package", "--help"], str(tmp_path)) == NOTHING


def test_help_for_the_program_that_is_run_is_no_help_of_pants(tmp_path: Path) -> None:
    assert needs_of(["run", "src:tool", "--", "--help"], str(tmp_path)) == ENGINE


@pytest.mark.parametrize("target", ["test/", "package:image", "test.py", "run::", "test*", "package#generated"])
def test_a_target_is_no_goal(target: str, tmp_path: Path) -> None:
    assert needs_of(["list", target], str(tmp_path)) == NOTHING


def test_a_leading_goal_is_a_goal_beside_a_folder_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "test").mkdir()
    assert needs_of(["test", "::"], str(tmp_path)) == TEST


def test_behind_a_target_a_word_that_names_a_folder_is_a_target(tmp_path: Path) -> None:
    (tmp_path / "test").mkdir()
    assert needs_of(["list", "src:", "test"], str(tmp_path)) == NOTHING
