"""Loading the user's script as a module, from where it lies."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

from sagemaker_sklearn_container.errors import CodeSourceError

_SHOWN_FILES = 20


def script_path(code_dir: Path, program: str) -> Path | None:
    """The file that `program`, with or without `.py`, names below `code_dir`, or None.

    Source: contract U-01.
    """
    candidates = (code_dir / program, code_dir / f"{program}.py")
    return next((path for path in candidates if path.suffix == ".py" and path.is_file()), None)


def missing_program(code_dir: Path, program: str, *fallbacks: Path) -> CodeSourceError:
    """The error for a program that is not in the code directory; it lists what is there.

    Args:
        code_dir: The code directory.
        program: The name that was looked for.
        fallbacks: Further directories that were looked at, in this order.

    Source: contract U-01, U-03.
    """
    files = {place: _files(place) for place in (code_dir, *fallbacks)}
    import difflib  # for the error only

    nearest = difflib.get_close_matches(program, [file for found in files.values() for file in found], n=1)
    if fallbacks:
        looked = "is not in any of the places looked at: "
        looked += "; ".join(f"{place} ({', '.join(found) or 'no files'})" for place, found in files.items()) + "."
    else:
        shown = ", ".join(files[code_dir])
        looked = f"is not in {code_dir}. " + (f"Files there: {shown}." if shown else "There are no files.")
    return CodeSourceError(
        f"The program {program!r} {looked}"
        + (f" Nearest: {nearest[0]!r}." if nearest else "")
        + " Set SAGEMAKER_PROGRAM to the script's path inside the code directory."
    )


def _files(directory: Path) -> list[str]:
    """The first files below `directory`, relative to it."""
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file())[:_SHOWN_FILES]


def load(code_dir: Path, program: str) -> ModuleType:
    """Import the user's script in place and give its module.

    The code directory, and the script's own if that is another, come first on sys.path. Names that a pickle looks up in
    `__main__` are found in the module, as if the script were the program that runs.

    Args:
        code_dir: Directory of the user's code.
        program: Script below it, with or without `.py`; or the dotted name of an installed module.

    Raises:
        CodeSourceError: there is no such script, or its name belongs to a module that is already loaded.
        Exception: whatever the script raises.

    Source: contract U-01, U-04, U-06, U-32, U-33.
    """
    path = script_path(code_dir, program)
    for directory in [code_dir] if path is None or path.parent == code_dir else [code_dir, path.parent]:
        sys.path.insert(0, str(directory))
    importlib.invalidate_caches()
    module = _import_installed(code_dir, program) if path is None else _import_file(path)
    _stand_in_for_main(module)
    return module


def forget(code_dir: Path) -> None:
    """Undo what `load` has done to this process: modules from below `code_dir` are imported anew when asked for again.

    Source: contract M-34.
    """
    below = str(code_dir) + os.sep
    sys.path[:] = [place for place in sys.path if place != str(code_dir) and not place.startswith(below)]
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(below):
            del sys.modules[name]


def _import_file(path: Path) -> ModuleType:
    name = path.stem
    present = sys.modules.get(name)
    if present is not None and getattr(present, "__file__", None) != str(path):
        raise CodeSourceError(
            f"The program {path.name!r} has the name of a module that Python has already loaded "
            f"({getattr(present, '__file__', None) or 'built in'}); give the script another name."
        )
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise CodeSourceError(f"The program {path} cannot be loaded as a Python module; its name must end in .py.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # pickles of the script's own classes look here
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _import_installed(code_dir: Path, program: str) -> ModuleType:
    name = (program[:-3] if program.endswith(".py") else program).replace("/", ".")
    try:
        found = importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):  # a parent package is missing, or the text is no module name
        found = False
    if not found:
        raise missing_program(code_dir, program)
    return importlib.import_module(name)


def _stand_in_for_main(module: ModuleType) -> None:
    """Let `__main__` answer for `module`: a model trained by the script as a program was pickled under that name."""
    main = sys.modules["__main__"]

    def find(name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(f"module '__main__' has no attribute {name!r}")
        return getattr(module, name)

    main.__getattr__ = find  # type: ignore[method-assign]
