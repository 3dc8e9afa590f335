"""What a generated package holds, read from its sources without running them."""

from __future__ import annotations

import ast
import enum
import json
import os
import re
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

from sagemaker_sklearn_container.autopilot.errors import InputError
from sagemaker_sklearn_container.errors import CodeSourceError
from sagemaker_sklearn_container.user_code import archive

TRAINER = "trainer.py"
SERVING = "sagemaker_serve.py"
PACKAGE = "candidate_data_processors"
# Names of the library whose columns are mostly zero; such a processor's output is recordio in generated notebooks.
_SPARSE = frozenset({"MultiColumnTfidfVectorizer", "TfidfVectorizer", "ThresholdOneHotEncoder", "OneHotEncoder"})
_MODULE = re.compile(r"dpp(\d+)\.py")
_SHOWN_FILES = 10
_IMPORT_TIMEOUT_S = 120.0
# Place and name of the arguments of Header.
_HEADER_ARGUMENTS = ((0, "column_names"), (1, "target_column_name"))
# The library's class has no other way to tell the names.
_ASK = """
import importlib, json, sys
sys.path.insert(0, "")
header = importlib.import_module(sys.argv[1]).HEADER
print(json.dumps([list(header._column_name_indices), header.target_column_name]))
"""


class Problem(enum.Enum):
    """What is predicted."""

    REGRESSION = "regression"
    BINARY = "binary"
    MULTICLASS = "multiclass"


@dataclass(frozen=True)
class Processor:
    """A data processor module.

    Attributes:
        name: Of the module, such as dpp0.
        columns: Names of all columns of the data, in order.
        target: Name of the target column.
        encodes_labels: Whether the labels are classes that it turns into numbers.
        labels: The classes that it lists; empty if it takes them from the data.
        is_sparse: Whether most of what it makes is zero.
        drops_labels: Whether it leaves out rows whose label is no number, in a regression.
    """

    name: str
    columns: tuple[str, ...]
    target: str
    encodes_labels: bool
    labels: tuple[str, ...]
    is_sparse: bool
    drops_labels: bool = False

    @property
    def target_index(self) -> int:
        """Place of the target column, from 0."""
        return self.columns.index(self.target)


@dataclass(frozen=True)
class Candidate:
    """A generated package.

    Attributes:
        modules: Directory of trainer.py, sagemaker_serve.py and the data processors.
        installable: Directory above it with a setup.py, as the service submits it; None without one.
        processors: Names of the data processors, by number.
    """

    modules: Path
    installable: Path | None
    processors: tuple[str, ...]

    def processor(self, name: str) -> Processor:
        """The data processor `name`.

        Raises:
            InputError: there is none of that name, or it is not as Autopilot writes it.
        """
        if name not in self.processors:
            raise InputError(
                f"The package has no data processor {name!r}; it has {', '.join(self.processors)}. "
                "Name one of these with --processor-module."
            )
        return _processor(self.modules / f"{name}.py")

    @property
    def knows_inference_keys(self) -> bool:
        """Whether its script for serving reads SAGEMAKER_INFERENCE_INPUT; that of 2020 takes one column of numbers."""
        return "SAGEMAKER_INFERENCE_INPUT" in (self.modules / SERVING).read_text(encoding="utf-8")


def opened(package: Path, scratch: Path) -> Candidate:
    """The package at `package`; an archive is unpacked below `scratch`.

    Raises:
        InputError: there is no such file, or no generated package in it.
    """
    if not package.exists():
        raise InputError(
            f"The package {package} does not exist. Name the directory or .tar.gz that Autopilot generated."
        )
    if package.is_file():
        package = _unpacked(package, scratch)
    modules = _modules(package)
    numbered = sorted(
        (int(match[1]), path.stem) for path in modules.iterdir() if (match := _MODULE.fullmatch(path.name))
    )
    if not numbered:
        raise InputError(
            f"{modules} has no data processor (dpp0.py, dpp1.py, ...); there are: {_files(modules)}. "
            "Export the package from the candidate definition notebook again."
        )
    outer = modules.parent
    is_installable = modules.name == PACKAGE and (outer / "setup.py").is_file()
    return Candidate(modules, outer if is_installable else None, tuple(name for _, name in numbered))


def _unpacked(file: Path, scratch: Path) -> Path:
    if not tarfile.is_tarfile(file):
        raise InputError(f"The package {file} is neither a directory nor a tar file. Name one of the two.")
    target = scratch / "package"
    target.mkdir()
    try:
        archive.extract(file, target)
    except CodeSourceError as exc:
        raise InputError(str(exc)) from exc
    return target


def _modules(package: Path) -> Path:
    """The one directory at or below `package` that has both scripts."""
    found = sorted(
        {path.parent for path in package.rglob(SERVING) if (path.parent / TRAINER).is_file() and path.is_file()},
        key=lambda folder: (len(folder.parts), str(folder)),
    )
    if not found:
        raise InputError(
            f"{package} is no generated package: no directory in it has both {TRAINER} and {SERVING}; there are: "
            f"{_files(package)}. Name the directory generated_module, or {PACKAGE} in it."
        )
    if len(found) > 1 and len(found[0].parts) == len(found[1].parts):
        shown = ", ".join(str(folder) for folder in found)
        raise InputError(f"{package} holds several packages: {shown}. Name one of them.")
    return found[0].resolve()


def _files(folder: Path) -> str:
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    return ", ".join(names[:_SHOWN_FILES]) + (", ..." if len(names) > _SHOWN_FILES else "") if names else "no files"


def _processor(path: Path) -> Processor:
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError) as exc:
        line = f":{exc.lineno}" if isinstance(exc, SyntaxError) else ""
        raise InputError(f"{path}{line}: the data processor is no Python 3.8 source: {exc}. Correct it.") from None
    header = _header(path, tree)
    found = _literals(header) or _imported(path)
    names, target = tuple(found[0]), found[1]
    if target not in names:
        raise InputError(
            f"{path}:{header.lineno}: the target column {target!r} is none of the column names of HEADER. Correct one."
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"{path}:{header.lineno}: HEADER names {twice[0]!r} more than once. Column names must differ.")
    encoder = _function(tree, "build_label_transform")
    drops_labels = encoder is not None and "NALabelEncoder" in _names(encoder)
    encodes_labels = encoder is not None and not drops_labels
    return Processor(
        name=path.stem,
        columns=names,
        target=str(target),
        encodes_labels=encodes_labels,
        labels=_labels(encoder) if encodes_labels and encoder else (),
        is_sparse=not _SPARSE.isdisjoint(_names(_function(tree, "build_feature_transform") or tree)),
        drops_labels=drops_labels,
    )


def _header(path: Path, tree: ast.Module) -> ast.Call:
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(
            isinstance(one, ast.Name) and one.id == "HEADER" for one in node.targets
        ):
            if isinstance(node.value, ast.Call):
                return node.value
            break
    raise InputError(
        f"{path}: the data processor has no line HEADER = Header(...). Autopilot writes one; export it again."
    )


def _literals(header: ast.Call) -> tuple[list[str], str] | None:
    """Column names and target, if they are written out, as Autopilot does."""
    keywords = {keyword.arg: keyword.value for keyword in header.keywords}
    nodes = [
        keywords.get(name) or (header.args[place] if place < len(header.args) else None)
        for place, name in _HEADER_ARGUMENTS
    ]
    try:
        columns, target = (ast.literal_eval(node) if node is not None else None for node in nodes)
    except ValueError:
        return None
    return ([str(column) for column in columns], str(target)) if columns and target else None


def _imported(path: Path) -> tuple[list[str], str]:
    """Column names and target of a HEADER that is computed: the module says, in a process of its own."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", _ASK, path.stem],
            cwd=path.parent,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=_IMPORT_TIMEOUT_S,
        )
        columns, target = json.loads(done.stdout.splitlines()[-1])
    except (subprocess.TimeoutExpired, ValueError, IndexError) as exc:
        is_late = isinstance(exc, subprocess.TimeoutExpired)
        said = "" if is_late else done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise InputError(
            f"{path}: importing the data processor, to see its HEADER, "
            + (f"took longer than {_IMPORT_TIMEOUT_S:g} s." if is_late else f"failed: {said or 'it has none'}.")
            + " Its libraries are in the extension image; run the command there, or correct the module."
        ) from None
    return columns, target


def _function(tree: ast.Module, name: str) -> ast.FunctionDef | None:
    return next((node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name), None)


def _names(tree: ast.AST) -> set[str]:
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return names | {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def _labels(encoder: ast.FunctionDef) -> tuple[str, ...]:
    """The classes that the label encoder lists."""
    for node in ast.walk(encoder):
        if isinstance(node, ast.keyword) and node.arg == "labels":
            try:
                return tuple(str(label) for label in ast.literal_eval(node.value))
            except (ValueError, TypeError):
                return ()
    return ()
