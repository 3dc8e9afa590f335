"""Bodies in pieces."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sagemaker_sklearn_container.codecs import doubles, pieces

SIZE = 8


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    body=st.text(alphabet="12,]\n", min_size=1, max_size=60).map(str.encode),
    ends=st.sampled_from([(b"\n", b","), (b"],",), (b"\n",)]),
)
def test_pieces_end_where_they_may(monkeypatch: pytest.MonkeyPatch, body: bytes, ends: tuple[bytes, ...]) -> None:
    """C-26: nothing is lost, and a piece is longer than it should be only if there is no end in it."""
    monkeypatch.setattr(doubles, "PIECE_BYTES", SIZE)
    found = []
    start = 0
    while start < len(body):
        piece = pieces.piece(memoryview(body), start, *ends)
        assert piece == pieces.piece(body, start, *ends)
        found.append(piece)
        start += len(piece)
    assert b"".join(found) == body
    for piece in found[:-1]:
        assert piece.endswith(ends)
    for piece in found:
        if len(piece) > SIZE:
            assert not any(end in piece[:-1] for end in ends)
