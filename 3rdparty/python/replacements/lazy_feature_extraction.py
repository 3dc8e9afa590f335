"""Feature extraction from text, dates and time series; each module is imported when it is first asked for.

Written for this image, in place of the library's own file, which imports all of them at once.
"""

from importlib import import_module
from types import ModuleType
from typing import List

__all__ = ["date_time", "sequences", "text"]  # noqa: F822


def __getattr__(name: str) -> ModuleType:
    if name in __all__:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> List[str]:
    return sorted({*globals(), *__all__})
