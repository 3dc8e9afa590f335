"""Bad input to generated code: the client is told what is wrong with it, and the server goes on.

Every case takes the fixture `platform`. The scripts know some of the faults; of the others the container makes answers.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.support import records
from tests.support.autopilot import (
    RECORDIO,
    Candidates,
    answered,
    data,
    feature_transform,
    inverse_label_transform,
    post,
    refused,
    serving,
    text_of,
)
from tests.support.platform import Platform

MIB = 1024 * 1024


def test_rows_that_cannot_be_read(platform: Platform, candidates: Candidates) -> None:
    """A-05, S-42: in front of the predictor, where a fault of the rows is met by the reader or by the library."""
    tree = candidates.tree(platform, "dpp2")
    good = "5.1,3.5,1.4,0.2\n"
    with platform.serve(tree, feature_transform(tree)) as server:
        refused(post(server, ""), 400, "The request's body is empty", "IndexError", "Send at least one row")
        for blank in ("\n", "\r\n\r\n"):
            refused(post(server, blank), 400, "The request's body is blank")
        refused(post(server, good + "1,2,3\n"), 400, "row 2 has 3 columns (column 4 is missing)")
        refused(post(server, good + good + "1,2,3,4,5\n"), 400, "row 3 has 5 columns (column 5 is too many)")
        refused(post(server, good + '1,2,3,"4\n'), 400, "record 2: a quote is opened but never closed")
        latin = b"1,2,\xe4,4\n"
        refused(post(server, latin, "text/csv; charset=utf-8"), 400, "row 1, column 3 has the byte 0xe4")
        # The library names the numbers of columns.
        sizes = "Expected number of columns is 4. Number of columns in the received data is {}."
        refused(post(server, "1,2,3\n"), 400, sizes.format(3))
        refused(post(server, "1,2,3,4,setosa,6\n"), 400, sizes.format(6))
        refused(post(server, "5.1;3.5;1.4;0.2\n"), 400, sizes.format(1))
        # With a target, one that no training row had is another class; that is the transform's choice.
        found = records.read(answered(post(server, "5.1,3.5,1.4,0.2,rose\n")).content)
        assert found[0].features.dense[0] == 3.0
        names = "sepal length,sepal width,petal length,petal width"
        refused(post(server, f"{names}\n{good}"), 400, "row 1 holds the names of the columns", "without a header line")
        # An imputer takes text for missing values.
        found = records.read(answered(post(server, f"a,b,c,d\n{good}")).content)
        expected = candidates.expected(platform, "dpp2").features[:1].astype(np.float32)
        np.testing.assert_array_equal(found[1].features.dense, expected[0])
        assert len(found) == 2
        assert np.isfinite(found[0].features.dense).all()


def test_labels_that_are_none(platform: Platform, candidates: Candidates) -> None:
    """A-05, S-42: a label transform that knows no others, and one that takes no text."""
    tree = candidates.tree(platform, "dpp5")
    rows = [list(row) for row in data("dpp5").rows[:3]]
    rows[1][data("dpp5").target] = "9.0"
    with platform.serve(tree, serving(tree, SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT=RECORDIO)) as server:
        refused(post(server, text_of(rows)), 400, "y contains previously unseen labels", "9.0")
        # Without a target the first feature would be taken for it, and that the script cannot know.
        assert len(records.read(answered(post(server, text_of(data("dpp5").features[:2]))).content)) == 2


@pytest.mark.parametrize("keys", ["", "predicted_label,probability"])
def test_answers_of_a_predictor_that_cannot_be_read(platform: Platform, candidates: Candidates, keys: str) -> None:
    """A-05, S-42: behind the predictor, with and without keys; text is found again, row and column."""
    tree = candidates.tree(platform, "dpp2")
    environ = inverse_label_transform(tree)
    if keys:
        environ.update(SAGEMAKER_INFERENCE_INPUT=keys, SAGEMAKER_INFERENCE_OUTPUT=keys)
    rest = ",0.5" if keys else ""
    with platform.serve(tree, environ) as server:
        refused(post(server, f"predicted_label{rest}\n1{rest}\n"), 400, "row 1, column 1 is 'predicted_label'")
        refused(
            post(server, f"1{rest}\n\n2{rest}\nset'osa{rest}\n", "text/csv; charset=utf-8"),
            400,
            "ValueError: could not convert string to float",
            'row 3, column 1 is "set\'osa"',
        )
        refused(post(server, f"1{rest}\n2,3,4,5\n"), 400, "row 2 has 4 columns")
        if keys:
            refused(post(server, ""), 400, "The request's body is empty")
            refused(post(server, "1\n2\n"), 400, "IndexError")
        assert answered(post(server, f"1{rest}\n")).text.startswith("versicolor")


def test_bodies_of_any_length_up_to_the_limit(platform: Platform, candidates: Candidates) -> None:
    """A-02, S-47: 100 MB are answered if nothing says otherwise."""
    tree = candidates.tree(platform, "dpp2")
    row = "5.1,3.5,1.4,0.2" + "0" * 4000 + "\n"
    rows = 100 * MIB // len(row)
    body = row * rows
    expected = candidates.expected(platform, "dpp2").features[:1].astype(np.float32)
    with platform.serve(tree, feature_transform(tree, SAGEMAKER_MODEL_SERVER_TIMEOUT="110")) as server:
        found = records.dense(answered(post(server, body)).content)
    np.testing.assert_array_equal(found, np.repeat(expected, rows, axis=0))


def test_bodies_beyond_the_limit(platform: Platform, candidates: Candidates) -> None:
    """A-02, S-47: as the variable has it, in bytes."""
    tree = candidates.tree(platform, "dpp2")
    row = "5.1,3.5,1.4,0.2\n"
    with platform.serve(tree, feature_transform(tree, MAX_CONTENT_LENGTH=str(100 * len(row)))) as server:
        assert len(records.read(answered(post(server, row * 100)).content)) == 100
        refused(post(server, row * 101), 413)
        refused(post(server, "x" * 100 * MIB), 413)
        assert len(records.read(answered(post(server, row)).content)) == 1
