"""Every requirement of the contract is named by the tests that hold it."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Iterator

from tests.support import contract_ids

FAMILIES = {id[0] for id in contract_ids.ALL}


def _named() -> dict[str, list[str]]:
    """The tests that name an id in their docstrings, by id."""
    found: dict[str, list[str]] = {}
    for test, text in _tests():
        for id in contract_ids.ids_in(text):
            found.setdefault(id, []).append(test)
    assert len(found) > 100, "the sources of the tests are not here"
    return found


def _tests() -> Iterator[tuple[str, str]]:
    for path in sorted(Path("tests").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield f"{path}::{node.name}", ast.get_docstring(node) or ""


def test_every_requirement_is_named_by_a_test() -> None:
    """But for those that are left for later."""
    assert sorted(contract_ids.ALL - contract_ids.LATER - set(_named())) == []


def test_what_is_left_for_later_has_no_test_yet() -> None:
    """A test that comes takes its requirement off the list."""
    named = _named()
    assert {id: named[id] for id in sorted(contract_ids.LATER) if id in named} == {}
    assert contract_ids.LATER <= contract_ids.ALL


def test_tests_name_requirements_that_there_are() -> None:
    """A slip of the pen would pass for a covered requirement."""
    named = _named()
    assert {id: named[id] for id in sorted(named) if id[0] in FAMILIES and id not in contract_ids.ALL} == {}
