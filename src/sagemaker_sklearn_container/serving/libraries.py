"""What a library must do otherwise in a server: set when the user's code, or the model, imports it."""

from __future__ import annotations

import importlib.abc
import sys
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Sequence

_SEQUENCES = "sagemaker_sklearn_extension.feature_extraction.sequences"


def extract_features_without_pools() -> None:
    """Let `TSFeatureExtractor` compute in the worker itself, as the library means to in a server.

    The library looks at import whether SAGEMAKER_PROGRAM is exactly `sagemaker_serve`; under any other name it forks a
    pool of processes for every request. The variable is the user's, so what the library made of it is changed instead.

    Source: contract A-02, L-14.
    """
    if _SEQUENCES in sys.modules:
        _without_pools(sys.modules[_SEQUENCES])
    sys.meta_path.insert(0, _Watch())


class _Watch(importlib.abc.MetaPathFinder):
    """Finds the one module as Python does, and sees to it once it is loaded; in an image without it, nothing is."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != _SEQUENCES:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def load_without_pools(module: ModuleType) -> None:
                load(module)
                _without_pools(module)

            # Of this loader only: all else that is asked of it, its source for instance, it still answers.
            spec.loader.exec_module = load_without_pools  # type: ignore[method-assign]
        return spec


def _without_pools(module: ModuleType) -> None:
    module.N_TSFRESH_JOBS = 0  # type: ignore[attr-defined]
