"""Protobuf's variable-length integers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_sklearn_container.codecs import varints

# Of every length, near the borders between them.
NUMBERS = st.one_of(
    st.integers(0, 127),
    st.integers(-(2**31), 2**63 - 1),
    st.builds(lambda groups, less: (1 << 7 * groups) - less, st.integers(0, 8), st.integers(0, 1)),
    st.builds(lambda bits, more: -(1 << bits) + more, st.integers(0, 31), st.integers(0, 1)),
)


def _one_by_one(numbers: list[int]) -> list[bytes]:
    return [varints.one(number & 0xFFFFFFFFFFFFFFFF) for number in numbers]


@pytest.mark.parametrize(
    ("number", "content"),
    [
        (0, "00"),
        (127, "7f"),
        (128, "8001"),
        (300, "ac02"),
        (2**63 - 1, "ffffffffffffffff7f"),
        (-1, "ffffffffffffffffff01"),
        (-(2**31), "80808080f8ffffffff01"),
    ],
)
def test_single_numbers(number: int, content: str) -> None:
    """C-25."""
    assert _one_by_one([number]) == [bytes.fromhex(content)]
    packed, sizes = varints.packed(np.array([number]))
    assert (packed.tobytes().hex(), sizes.tolist()) == (content, [len(content) // 2])


@given(numbers=st.lists(NUMBERS, max_size=40), step=st.sampled_from([1, 7, 32 * 1024]))
def test_many_at_a_time_are_as_one_by_one(numbers: list[int], step: int) -> None:
    """C-25: short ones behind long ones, whose words reach into them; in pieces and not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(varints, "_STEP", step)
        content, sizes = varints.packed(np.array(numbers, np.int64))
        found = varints.unpacked(content, varints.LONGEST)
    expected = _one_by_one(numbers)
    assert content.tobytes() == b"".join(expected)
    assert sizes.tolist() == [len(number) for number in expected]
    assert found is not None
    assert (found[0] & (2**56 - 1)).tolist() == [number & 2**56 - 1 for number in numbers]
    assert found[1].tolist() == np.cumsum(sizes, dtype=int).tolist()


@pytest.mark.parametrize(
    ("content", "most_bytes"), [(b"\x80", 10), (b"\x01\xff", 10), (b"\x80" * 10 + b"\x01", 10), (b"\x80\x80\x01", 2)]
)
def test_what_is_no_number_is_refused(content: bytes, most_bytes: int) -> None:
    """C-25: without an end, or too long."""
    assert varints.unpacked(np.frombuffer(content, np.uint8), most_bytes) is None
