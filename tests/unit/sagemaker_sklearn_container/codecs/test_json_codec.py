"""application/json."""

from __future__ import annotations

import math
from typing import Any, Iterator

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from sagemaker_sklearn_container.codecs import doubles, json_codec, plain_tables
from sagemaker_sklearn_container.errors import DecodeError, EncodeError


@pytest.fixture(scope="module", params=["compiled", "not-compiled"], autouse=True)
def _reader(request: Any) -> Iterator[None]:
    """Both ways of reading: what the compiled reader leaves goes the other way."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "not-compiled":
            patch.setattr(plain_tables, "_compiled", None)
        yield


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ("[[1, 2], [3, 4]]", [[1, 2], [3, 4]]),
        ("[1, 2]", [1, 2]),
        (b"7", 7),
        ('["42", 1, true]', [42, 1, 1]),
        ("[]", []),
        ('{"instances": [[1, 2], [3, 4]]}', [[1, 2], [3, 4]]),
        ("[[1, 2], [3, 4]]" + " " * 600, [[1, 2], [3, 4]]),
        ("\ufeff[1]".encode(), [1]),
        ("[1, 2]".encode("utf-16"), [1, 2]),
        ("[Infinity]", [math.inf]),
    ],
)
def test_nests_of_numbers_become_arrays(body: str | bytes, value: Any) -> None:
    """C-01."""
    array = json_codec.decode(body)
    assert array.dtype == np.float32
    assert array.tolist() == value


def test_null_is_nan() -> None:
    """C-01, C-21: what is written can be read."""
    np.testing.assert_array_equal(json_codec.decode("[1, null]"), [1, math.nan])


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[1",
        "[[1, 2], [3]]",
        '{"a": 1}',
        '["x"]',
        b"\xff",
        "[" * 100_000,
        "[1" + "0" * 400 + "]",
        '{"instances": 1, "b": 2}',
    ],
    ids=range(9),
)
def test_anything_else_is_a_client_error(body: str | bytes) -> None:
    """S-42."""
    with pytest.raises(DecodeError, match="Reading the application/json body"):
        json_codec.decode(body)


@pytest.mark.parametrize(
    "body",
    [
        "[5, [[1], 2, 3]]",
        "[[[1], 2]]",
        "[[1, 2, [3]], 4]",
        "[[[1, 2], []]]",
        "[[1, 2], [[], 3, 4]]",
        "[[1], [2], 3]",
        "[[1, 2], [3], [4, 5, 6]]",
        "[[], []]",
        '[["ab"], ["cd"]]',
        '[{"a": 1}, {"b": 2}]',
        '[[{"a": 1}], [2]]',
        '{"aa": 1, "bb": 2}',
        '"[1]"',
        "[[1, 2], [3, 4]],",
        "[[1, 2], [3, 4]] [5]",
        " [ [1, 2, 3, 4, 5] ]\n",
        " [ [1, 2, 3, 4, 5] ",
        "[[1, 2, 3, 4, 5, 6, 7],] ",
    ],
)
@pytest.mark.parametrize("piece_bytes", [16, doubles.PIECE_BYTES])
def test_nests_are_not_taken_for_others(monkeypatch: pytest.MonkeyPatch, piece_bytes: int, body: str) -> None:
    """C-01, S-42: with simdjson as without."""
    expected = _outcome(body)
    monkeypatch.setattr(json_codec, "_SMALL_BYTES", 0)
    monkeypatch.setattr(doubles, "PIECE_BYTES", piece_bytes)
    assert _outcome(body) == expected


def _outcome(body: str) -> Any:
    try:
        array = json_codec.decode(body)
    except DecodeError as exc:
        return str(exc)
    return array.shape, array.tolist()


@pytest.mark.parametrize(
    ("prediction", "body"),
    [
        (np.array([3.0, 7.0]), b"[3.0, 7.0]"),
        (np.array([[1, 2]]), b"[[1, 2]]"),
        (np.float32(0.5), b"0.5"),
        (np.full((2, 9), 0.5), ("[" + ", ".join(["[" + ", ".join(["0.5"] * 9) + "]"] * 2) + "]").encode()),
        (np.full(17, math.nan), ("[" + ", ".join(["null"] * 17) + "]").encode()),
        (np.full(17, 1e-7), ("[" + ", ".join(["1e-07"] * 17) + "]").encode()),
        (np.full(17, True), ("[" + ", ".join(["true"] * 17) + "]").encode()),
        (np.full(17, 5, dtype=np.uint8), ("[" + ", ".join(["5"] * 17) + "]").encode()),
        ({"scores": np.array([1.5]), "labels": ["a"]}, b'{"scores": [1.5], "labels": ["a"]}'),
        ([np.int64(1), np.bool_(True)], b"[1, true]"),
        (np.array([math.nan, math.inf, 1.0]), b"[null, null, 1.0]"),
        ({"a": (math.nan, np.array([math.nan])), "b": "x"}, b'{"a": [null, [null]], "b": "x"}'),
        (sparse.csr_matrix([[0, 1]]), b"[[0, 1]]"),
        (pd.DataFrame({"a": [1, 2]}), b"[[1], [2]]"),
    ],
)
def test_predictions_become_json(prediction: Any, body: bytes) -> None:
    """C-20, C-21."""
    assert json_codec.encode(prediction) == body


@pytest.mark.parametrize("prediction", [object(), {1, 2}, [b"x"]])
def test_what_has_no_json_form_is_a_server_error(prediction: Any) -> None:
    """S-44."""
    with pytest.raises(EncodeError, match="has no JSON form") as caught:
        json_codec.encode(prediction)
    assert caught.value.status == 500
