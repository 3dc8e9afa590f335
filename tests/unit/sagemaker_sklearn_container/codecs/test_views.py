"""Bodies in memory that is used again: all forms of a body give the same, and nothing of it is kept."""

from __future__ import annotations

import io
import json
import mmap
import tracemalloc
from typing import Any, Callable

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import sparse

from sagemaker_sklearn_container import codecs
from sagemaker_sklearn_container.codecs import doubles, recordio_codec
from sagemaker_sklearn_container.errors import DecodeError

ROWS = 20_000  # many pieces
TABLE = np.arange(ROWS * 4, dtype=np.float32).reshape(ROWS, 4) / 8
JSON_ROWS = ",".join(map(str, TABLE.tolist()))


def _csv(line_end: str = "\n", quote: str = "") -> bytes:
    return line_end.join(quote + ",".join(map(str, row)) + quote for row in TABLE.tolist()).encode()


def _npy(array: Any, version: Any = None) -> bytes:
    out = io.BytesIO()
    np.lib.format.write_array(out, array, version)  # type: ignore[no-untyped-call]
    return out.getvalue()


def _npz(matrix: Any) -> bytes:
    out = io.BytesIO()
    sparse.save_npz(out, matrix, compressed=False)
    return out.getvalue()


def _parquet() -> bytes:
    out = io.BytesIO()
    # Pages that are neither encoded nor compressed could be handed out as they are.
    table = pa.table(dict(zip("abcd", TABLE.T)))
    pq.write_table(table, out, compression="none", use_dictionary=False)
    return out.getvalue()


MATRIX = sparse.csr_matrix(TABLE)
BODIES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "CSV": ("text/csv", _csv),
    "short CSV": ("text/csv", lambda: b"1,2\n3,4\n"),
    "one row of CSV": ("text/csv", lambda: b"1,2"),
    "CSV with CRLF": ("text/csv", lambda: _csv("\r\n")),
    "CSV with CR": ("text/csv", lambda: _csv("\r")),
    "CSV with quotes": ("text/csv", lambda: _csv(quote='"').replace(b",", b'","')),
    "CSV that Python reads": ("text/csv", lambda: _csv() + b"\n,,,.5"),
    "CSV with a byte order mark": ("text/csv", lambda: b"\xef\xbb\xbf" + _csv()),
    "JSON": ("application/json", lambda: f"[{JSON_ROWS}]".encode()),
    "short JSON": ("application/json", lambda: b"[[1, 2], [3, 4]]"),
    "long list": ("application/json", lambda: json.dumps(TABLE.ravel().tolist()).encode()),
    "one long row": ("application/json", lambda: f" [ {TABLE.ravel().tolist()} ]\n".encode()),
    "two long rows": ("application/json", lambda: json.dumps(TABLE.reshape(2, -1).tolist()).encode()),
    "JSON that Python reads": ("application/json", lambda: f"[{JSON_ROWS}, [NaN, 1, 2, 3]]".encode()),
    "instances": ("application/json", lambda: f'{{"instances": [{JSON_ROWS}]}}'.encode()),
    "JSON Lines": ("application/jsonlines", lambda: JSON_ROWS.replace("],[", "]\n[").encode()),
    "JSON Lines of numbers": ("application/jsonlines", lambda: b"1\n2\n"),
    "NPY": ("application/x-npy", lambda: _npy(TABLE)),
    "NPY 2.0": ("application/x-npy", lambda: _npy(TABLE, (2, 0))),
    "RecordIO": ("application/x-recordio-protobuf", lambda: recordio_codec.encode_labelled(TABLE)),
    "RecordIO, one record": ("application/x-recordio-protobuf", lambda: recordio_codec.encode_labelled(TABLE[:1])),
    "RecordIO of integers": (
        "application/x-recordio-protobuf",
        lambda: recordio_codec.encode_labelled(np.arange(6).reshape(2, 3)),
    ),
    "sparse RecordIO": ("application/x-recordio-protobuf", lambda: recordio_codec.encode_labelled(MATRIX[:100])),
    "NPZ": ("application/x-npz", lambda: _npz(MATRIX)),
    "Parquet": ("application/x-parquet", _parquet),
}


def _dense(decoded: Any) -> Any:
    return decoded.toarray() if hasattr(decoded, "toarray") else decoded


@pytest.mark.parametrize("name", BODIES)
def test_a_buffer_may_be_used_again_after_the_call(name: str) -> None:
    """C-01 to C-09, C-26: the result is that of bytes, and refers to nothing in the buffer."""
    media_type, make = BODIES[name]
    body = make()
    expected = _dense(codecs.decode(body, media_type))
    buffer = bytearray(body)
    with memoryview(buffer) as writable:
        for form in (buffer, writable, writable.toreadonly()):
            found = codecs.decode(form, media_type)
            buffer[:] = b"\xff" * len(body)
            assert found.dtype == expected.dtype
            np.testing.assert_array_equal(_dense(found), expected)
            buffer[:] = body
    del form
    buffer.clear()  # an error if anything still held on to it


def test_a_mapped_file_may_be_closed_after_the_call() -> None:
    """C-26: as the server's workers get large bodies."""
    for media_type, make in BODIES.values():
        body = make()
        with mmap.mmap(-1, len(body)) as mapped:
            mapped.write(body)
            with memoryview(mapped) as view:
                found = codecs.decode(view.toreadonly(), media_type)
        np.testing.assert_array_equal(_dense(found), _dense(codecs.decode(body, media_type)))


@pytest.mark.parametrize("media_type", codecs.CODECS)
def test_errors_do_not_depend_on_the_form(media_type: str) -> None:
    """S-42."""
    for body in (b"", b"[[1,2],[3]]", b"1,2\n3,x\n", b"\xff\xfe" * 300_000, b"[1]\n[x]"):
        messages = []
        for form in (body, memoryview(bytearray(body)).toreadonly()):
            try:
                codecs.decode(form, media_type)
            except DecodeError as exc:
                messages.append(str(exc))
        assert len(messages) in (0, 2)
        assert len(set(messages)) < 2


@pytest.mark.parametrize(
    ("media_type", "row", "around"),
    [
        ("text/csv", b"0.123456,1.234567\n", b""),
        ("application/json", b"[0.123456,1.234567],", b"[]"),
        ("application/jsonlines", b"[0.123456,1.234567]\n", b""),
    ],
)
def test_views_take_no_more_memory_than_the_table(media_type: str, row: bytes, around: bytes) -> None:
    """C-26: beside a body of 20 MB its table, a tenth of that as reserve, and pieces."""
    rows = 1_000_000
    view = memoryview(around[:1] + (row * rows).rstrip(b",\n") + around[1:])
    tracemalloc.start()
    try:
        table = codecs.decode(view, media_type)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert table.shape == (rows, 2)
    assert peak < 1.1 * table.nbytes + 16 * doubles.PIECE_BYTES
