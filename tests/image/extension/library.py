"""What the extension library and the libraries below it must do, as one program; tests run it inside the image.

    python tests/image/extension/library.py

prints a JSON object: for each check null, or how it failed. Only the checks themselves import the libraries, so that
tests know the checks' names without having them.
"""

from __future__ import annotations

import importlib
import json
import pickle
import subprocess
import sys
import traceback
from typing import Any, Callable, Iterator, NamedTuple

import numpy as np

LIBRARY = "sagemaker_sklearn_extension"
PACKAGES = ("decomposition", "externals", "feature_extraction", "impute", "preprocessing")

_NUMBERS = np.array([[1.0, 2.0, 40.0], [2.0, 5.0, 9.0], [4.0, 3.0, 0.5], [8.0, 7.0, 30.0], [16.0, 6.0, 2.0]])
_HOLES = np.where(_NUMBERS == 3, np.nan, _NUMBERS)
_WORDS = np.array([["red", "table"], ["green", "table (red)"], ["red", "chair"], ["blue", "chairs"], ["red", "table"]])
_LABELS = np.array(["yes", "no", "yes", "no", "yes"])
_CLASSES = np.array([1, 0, 1, 0, 0])
_DATES = np.array([["2018-01-01"], ["2019-06-30 12:30"], ["Feb 3, 2020"], [None], ["2020-02-29"]], dtype=object)
_TEXTS = np.array([["a red table", "x y"], ["a green table", "y z"], ["red chair", "x z"], ["", "z"], ["red", "x"]])
_SEQUENCES = np.array([["1, 2, 44"], ["1, 3, 4"], ["2, 2, 9"], ["1,, 3, NaN"], ["11, 111"]])


class Sample(NamedTuple):
    """What an estimator is made with, and fitted to.

    Attributes:
        data: The features; or the labels, for an encoder of labels.
        target: Labels, where the estimator needs them.
        options: Of the estimator.
        expected: The first row of the result, of the estimators whose documentation says what they compute.
    """

    data: Any
    target: Any = None
    options: Callable[[], dict[str, Any]] = dict
    expected: Any = None


def _auto_ml() -> dict[str, Any]:
    externals, preprocessing = (importlib.import_module(f"{LIBRARY}.{name}") for name in ("externals", "preprocessing"))
    header = externals.Header(column_names=["a", "b", "c", "y"], target_column_name="y")
    return {
        "header": header,
        "feature_transformer": preprocessing.RobustStandardScaler(),
        "target_transformer": preprocessing.RobustLabelEncoder(),
    }


# By module and class.
ESTIMATORS: dict[str, Sample] = {
    "decomposition.RobustPCA": Sample(_NUMBERS, options=lambda: {"n_components": 2}),
    "externals.AutoMLTransformer": Sample(_NUMBERS, _LABELS, _auto_ml),
    "feature_extraction.date_time.DateTimeVectorizer": Sample(_DATES, options=lambda: {"mode": "ordinal"}),
    "feature_extraction.sequences.TSFeatureExtractor": Sample(
        _SEQUENCES,
        options=lambda: {"augment": True, "extraction_type": "minimal"},
    ),
    "feature_extraction.sequences.TSFlattener": Sample(_SEQUENCES),
    "feature_extraction.sequences.TSFreshFeatureExtractor": Sample(
        [np.array(row) for row in ([1.0, 2.0, 44.0], [1.0, 3.0, 4.0], [2.0, 2.0, 9.0])],
        options=lambda: {"extraction_type": "efficient"},
    ),
    "feature_extraction.text.MultiColumnTfidfVectorizer": Sample(_TEXTS),
    "impute.RobustImputer": Sample(_HOLES, expected=[1.0, 2.0, 40.0]),
    "impute.RobustMissingIndicator": Sample(_HOLES, expected=[False, False, False]),
    "preprocessing.BaseExtremeValueTransformer": Sample(_NUMBERS, expected=[1.0, 2.0, 40.0]),
    "preprocessing.LogExtremeValuesTransformer": Sample(_NUMBERS),
    "preprocessing.NALabelEncoder": Sample(np.array(["1.5", "2", "x"]), expected=1.5),
    "preprocessing.QuadraticFeatures": Sample(_NUMBERS, expected=[1, 2, 40, 1, 4, 1600, 2, 40, 80]),
    "preprocessing.QuantileExtremeValuesTransformer": Sample(_NUMBERS),
    "preprocessing.RemoveConstantColumnsTransformer": Sample(
        np.array([[0, 1, 2, np.nan], [0, np.nan, 2, np.nan], [0, 1, 3, np.nan]]), expected=[1, 2]
    ),
    "preprocessing.RobustLabelEncoder": Sample(_LABELS, expected=1),
    "preprocessing.RobustOrdinalEncoder": Sample(_WORDS, expected=[2.0, 2.0]),
    "preprocessing.RobustStandardScaler": Sample(_NUMBERS),
    "preprocessing.SimilarityEncoder": Sample(_WORDS, options=lambda: {"seed": 0}),
    "preprocessing.ThresholdOneHotEncoder": Sample(_WORDS, options=lambda: {"threshold": 1}),
    "preprocessing.WOEEncoder": Sample(_WORDS[:, :1], _CLASSES),
}


def public_estimators() -> list[str]:
    """Module and class of every estimator that a public name of the library leads to."""
    from sklearn.base import BaseEstimator

    def below(name: str) -> Iterator[str]:
        module = importlib.import_module(f"{LIBRARY}.{name}")
        # The modules of the packages have no `__all__`: what they define is public there.
        public = [text for text in vars(module) if not text.startswith("_")]
        for text in getattr(module, "__all__", public):
            found = getattr(module, text)
            if isinstance(found, type(module)):
                if found.__name__ == f"{LIBRARY}.{name}.{text}":
                    yield from below(f"{name}.{text}")
                continue
            is_here = hasattr(module, "__all__") or getattr(found, "__module__", "") == module.__name__
            if is_here and isinstance(found, type) and issubclass(found, BaseEstimator):
                yield f"{name}.{text}"

    return sorted(estimator for package in PACKAGES for estimator in below(package))


def fitted(name: str) -> Any:
    """The estimator, fitted to its sample."""
    module, _, class_name = name.rpartition(".")
    sample = ESTIMATORS[name]
    estimator = getattr(importlib.import_module(f"{LIBRARY}.{module}"), class_name)(**sample.options())
    return estimator.fit(sample.data) if sample.target is None else estimator.fit(sample.data, sample.target)


def transformed(name: str, estimator: Any) -> Any:
    """What the estimator makes of its sample, as JSON has it: nested lists of numbers or texts, NaN as text."""
    result = estimator.transform(ESTIMATORS[name].data)
    for form in ("toarray", "to_numpy"):
        result = getattr(result, form)() if hasattr(result, form) else result
    return _plain(result)


def _plain(value: Any) -> Any:
    if isinstance(value, (list, np.ndarray)) and np.ndim(value):
        return [_plain(entry) for entry in value]
    if isinstance(value, np.generic):
        value = value.item()
    return str(value) if isinstance(value, float) and not np.isfinite(value) else value


def check_estimator(name: str) -> None:
    """It fits, transforms, and does the same after clone and pickle."""
    from sklearn.base import clone

    estimator = fitted(name)
    result = transformed(name, estimator)
    assert len(result)
    expected = ESTIMATORS[name].expected
    if expected is not None:
        np.testing.assert_array_equal(result[0], expected)
    assert transformed(name, pickle.loads(pickle.dumps(estimator))) == result
    sample, other = ESTIMATORS[name], clone(estimator)
    assert type(other) is type(estimator)
    other.fit(sample.data) if sample.target is None else other.fit(sample.data, sample.target)
    assert transformed(name, other) == result


def check_every_estimator_is_checked() -> None:
    """A release that adds one needs an entry in the table."""
    assert public_estimators() == sorted(ESTIMATORS)


def check_lazy_modules() -> None:
    """In a process of its own: what is imported already shows nothing."""
    script = """
import sys
import sagemaker_sklearn_extension.feature_extraction as package
import sagemaker_sklearn_extension.feature_extraction.text
from sagemaker_sklearn_extension.feature_extraction import date_time
import sagemaker_sklearn_extension.preprocessing, sagemaker_sklearn_extension.impute
import sagemaker_sklearn_extension.decomposition
heavy = {"pandas", "tsfresh", "stumpy", "numba", "matplotlib", "matrixprofile", "statsmodels"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
assert {"date_time", "sequences", "text"} <= set(dir(package)), dir(package)
try:
    package.other
except AttributeError as error:
    assert "has no attribute 'other'" in str(error)
else:
    raise AssertionError
assert package.sequences is sys.modules[package.__name__ + ".sequences"]
names = {}
exec("from sagemaker_sklearn_extension.feature_extraction import *", names)
assert {name for name in names if not name.startswith("_")} == {"date_time", "sequences", "text"}
"""
    done = subprocess.run([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stderr


def check_tsfresh() -> None:
    """Numbers that can be worked out by hand."""
    table = importlib.import_module("pandas").DataFrame(
        {"id": [0, 0, 0, 1, 1, 1], "time": [0, 1, 2] * 2, "x": [1.0, 2.0, 6.0, 0.0, 0.0, 3.0]}
    )
    settings = {"mean": None, "abs_energy": None, "linear_trend": [{"attr": "slope"}]}
    found = importlib.import_module("tsfresh").extract_features(
        table,
        default_fc_parameters=settings,
        column_id="id",
        column_sort="time",
        n_jobs=0,
        disable_progressbar=True,
    )
    wanted = [[3.0, 41.0, 2.5], [1.0, 9.0, 1.5]]
    np.testing.assert_allclose(found[["x__mean", "x__abs_energy", 'x__linear_trend__attr_"slope"']], wanted)


def check_statsmodels() -> None:
    """A line through points of one; the autocorrelation of what goes up and down."""
    models, tools = (importlib.import_module(f"statsmodels.{name}") for name in ("api", "tsa.stattools"))
    x = np.arange(10.0)
    found = models.OLS(2 * x + 1, models.add_constant(x)).fit()
    np.testing.assert_allclose(found.params, [1, 2], atol=1e-9)
    np.testing.assert_allclose(tools.acf(np.array([1.0, -1.0] * 4), nlags=2, fft=False), [1, -0.875, 0.75])


def _repeating() -> np.ndarray[Any, Any]:
    series: np.ndarray[Any, Any] = np.random.RandomState(0).uniform(size=64)
    series[40:48] = series[8:16]
    return series


def check_matrixprofile() -> None:
    """The pattern that is there twice is nearest to itself."""
    profile = importlib.import_module("matrixprofile").compute(_repeating(), windows=8)
    assert (profile["pi"][8], profile["pi"][40]) == (40, 8)
    assert profile["mp"][8] < 1e-5


def check_stumpy() -> None:
    """The same pattern, by another library; the distance to the nearest by definition."""
    series = _repeating()
    found = importlib.import_module("stumpy").stump(series, m=8)
    assert (found[8, 1], found[40, 1]) == (40, 8)
    windows = np.array([series[at : at + 8] for at in range(57)])
    normal = (windows - windows.mean(axis=1, keepdims=True)) / windows.std(axis=1, keepdims=True)
    distances = np.linalg.norm(normal - normal[25], axis=1)
    distances[25 - 2 : 25 + 3] = np.inf  # within a quarter of the window: itself
    assert abs(found[25, 0] - distances.min()) < 1e-6


CHECKS: dict[str, Callable[[], None]] = {
    **{
        name: check
        for name, check in globals().items()
        if name.startswith("check_") and name != check_estimator.__name__
    },
    **{name: (lambda name=name: check_estimator(name)) for name in ESTIMATORS},  # type: ignore[misc]
}


def main() -> None:
    """All checks."""
    outcomes: dict[str, str | None] = {}
    for name, check in CHECKS.items():
        try:
            check()
        except Exception:
            outcomes[name] = traceback.format_exc()
        else:
            outcomes[name] = None
    print(json.dumps(outcomes))


if __name__ == "__main__":
    main()
