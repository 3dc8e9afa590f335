"""Functions that scripts call on dictionaries, functions, files and modules."""

from __future__ import annotations

import importlib
import logging
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from sagemaker_sklearn_container.errors import CodeSourceError
from sagemaker_training import errors, files, functions, logging_config, mapping, modules, process

_MIXED = {"b": 1, "a": "\u00e4", "lst": ["\u00e4", 1], "d": {"z": 1, "y": 2}, "n": None, "by": b"q", "": "e", "t": True}


@pytest.mark.parametrize(
    "name",
    [
        "content_types",
        "encoders",
        "entry_point",
        "environment",
        "errors",
        "files",
        "functions",
        "logging_config",
        "mapping",
        "modules",
        "params",
        "process",
        "runner",
        "trainer",
    ],
)
def test_every_module_can_be_imported(name: str) -> None:
    """U-43."""
    assert importlib.import_module(f"sagemaker_training.{name}").__doc__


def test_to_env_vars() -> None:
    """U-40."""
    assert mapping.to_env_vars(_MIXED) == {
        "SM_B": "1",
        "SM_A": "\u00e4",
        "SM_LST": '["\\u00e4",1]',
        "SM_D": '{"y":2,"z":1}',
        "SM_N": "",
        "SM_BY": "q",
        "": "e",
        "SM_T": "true",
    }


def test_to_cmd_args() -> None:
    """U-40, T-50."""
    expected = "|e|-a|\u00e4|-b|1|--by|q|-d|y=2,z=1|--lst|['\u00e4', 1]|-n||-t|True"
    assert mapping.to_cmd_args(_MIXED) == expected.split("|")


def test_split_by_criteria() -> None:
    """U-40."""
    split = mapping.split_by_criteria({"a": 1, "ab": 2, "c": 3, "d": 4}, keys=["c"], prefix="a")
    assert (split.included, split.excluded) == ({"a": 1, "ab": 2, "c": 3}, {"d": 4})
    assert mapping.split_by_criteria({"a": 1}) == ({}, {"a": 1})


class _Point(mapping.MappingMixin):
    y = 2

    @property
    def x(self) -> int:
        """A property."""
        return 1


def test_mapping_mixin_makes_entries_of_properties() -> None:
    """U-40."""
    point = _Point()
    assert (dict(point), len(point), str(point)) == ({"x": 1}, 1, "{'x': 1}")
    with pytest.raises(KeyError, match="no entry 'y'; there are: x"):
        point["y"]


def _function(a: int, b: int = 1, *c: int, **d: int) -> int:
    return a + b + sum(c) + sum(d.values())


def _plain(a: int, b: int) -> float:
    return a / b


def test_arguments_that_match() -> None:
    """U-40."""
    assert functions.getargspec(_function) == (["a", "b"], "c", "d", (1,))
    assert functions.matching_args(_plain, {"a": 1, "c": 2}) == {"a": 1}
    assert functions.matching_args(_function, {"a": 1, "c": 2}) == {"a": 1, "c": 2}


def test_error_wrapper_keeps_the_cause() -> None:
    """U-40."""
    wrapped = functions.error_wrapper(_plain, errors.ClientError)
    assert wrapped(4, b=2) == 2
    with pytest.raises(errors.ClientError, match="division by zero") as raised:
        wrapped(1, 0)
    assert isinstance(raised.value.__cause__, ZeroDivisionError)


def test_files(tmp_path: Path) -> None:
    """U-40."""
    path = str(tmp_path / "f")
    files.write_file(path, '{"a": ')
    files.write_file(path, "1}", mode="a")
    assert (files.read_file(path), files.read_file(path, "rb")) == ('{"a": 1}', b'{"a": 1}')
    assert files.read_json(path) == {"a": 1}


def test_a_temporary_directory_goes_even_after_an_error(tmp_path: Path) -> None:
    """U-40."""
    with files.tmpdir("s", "p", str(tmp_path)) as first:
        assert Path(first).is_dir()
        assert (Path(first).parent, Path(first).name[0], first[-1]) == (tmp_path, "p", "s")
    with pytest.raises(FileNotFoundError), files.tmpdir(directory=str(tmp_path)) as second:
        Path(second, "missing", "f").write_text("")
    assert list(tmp_path.iterdir()) == []


def test_result_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """U-40, T-04, T-07."""
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    (tmp_path / "output").mkdir()
    files.write_success_file()
    files.write_failure_file("why")
    assert ((tmp_path / "output/success").read_text(), (tmp_path / "output/failure").read_text()) == ("", "why")


def test_s3_download_refuses_other_addresses(tmp_path: Path) -> None:
    """U-40."""
    for download in (files.s3_download, modules.s3_download):
        with pytest.raises(ValueError, match="'https://b/k': the address must have the form s3://bucket/key"):
            download("https://b/k", str(tmp_path / "f"))


def test_import_module_from_an_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """U-40: unpacked into the code directory and imported from there."""
    (tmp_path / "old_user_module.py").write_text("VALUE = 7\n")
    with tarfile.open(tmp_path / "sourcedir.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "old_user_module.py", "old_user_module.py")
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path / "ml"))
    monkeypatch.setattr(sys, "path", list(sys.path))
    module: Any = modules.import_module(str(tmp_path / "sourcedir.tar.gz"), "old_user_module")
    monkeypatch.delitem(sys.modules, "old_user_module")
    assert (module.VALUE, module.__file__) == (7, str(tmp_path / "ml/code/old_user_module.py"))
    assert not modules.has_requirements(str(tmp_path / "ml/code"))


def test_import_module_says_why_it_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """U-40."""
    code = tmp_path / "ml/code"
    code.mkdir(parents=True)
    (code / "old_broken_module.py").write_text("1 / 0\n")
    (code / "requirements.txt").touch()
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path / "ml"))
    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises(errors.ImportModuleError, match="Importing 'old_broken_module' .* ZeroDivisionError"):
        modules.import_module(str(code), "old_broken_module")
    assert modules.has_requirements(str(code))


def test_import_module_from_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """U-40."""
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    with pytest.raises(CodeSourceError, match="nothing is there"):
        modules.import_module(str(tmp_path / "nope"), "nope")


def test_exists() -> None:
    """U-40."""
    assert (modules.exists("json"), modules.exists("no_such_module")) == (True, False)


def test_python_executable() -> None:
    """U-40."""
    assert process.python_executable() == sys.executable


def test_configure_logger(monkeypatch: pytest.MonkeyPatch) -> None:
    """U-40."""
    root = logging.getLogger()
    botocore = logging.getLogger("botocore")
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)
    monkeypatch.setattr(botocore, "level", botocore.level)
    logging_config.configure_logger(logging.INFO, "%(message)s!")
    (handler,) = root.handlers
    assert handler.format(logging.makeLogRecord({"msg": "m"})) == "m!"
    assert (root.level, botocore.level) == (logging.INFO, logging.WARNING)
