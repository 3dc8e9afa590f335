"""20,000 malformed requests: a client's fault is a 4xx, quickly and in bounded memory, whatever the bytes."""

from __future__ import annotations

import io
import json
import random
import resource
import struct
import time
import zipfile
from typing import Any, Callable

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import sparse

from sagemaker_sklearn_container import codecs
from sagemaker_sklearn_container.codecs import recordio_codec
from sagemaker_sklearn_container.errors import DecodeError, RequestError, UnsupportedContentTypeError

REQUESTS = 20_000
SLOWEST_S = 5.0
LONGEST_MESSAGE = 2000
MOST_MORE_KIB = 400 * 1024
CLIENT_ERRORS = (400, 415)


def _npy(array: Any, allow_pickle: bool = False) -> bytes:
    out = io.BytesIO()
    np.save(out, array, allow_pickle=allow_pickle)
    return out.getvalue()


def _npz(matrix: Any) -> bytes:
    out = io.BytesIO()
    sparse.save_npz(out, matrix)
    return out.getvalue()


def _parquet(columns: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


MATRIX = sparse.csr_matrix(np.eye(4, dtype=np.float32))
VALID = {
    "application/json": [b"[[1.5, 2], [3, -4e5]]", b'{"instances": [[1, 2]]}', b'["1", null, NaN]'],
    "text/csv": [b"1,2.5\n3,-4e5\n", b'"1",2\r\n3,"4"\r\n', "1,2\n3,\u0661".encode()],
    "application/x-npy": [
        _npy(np.arange(6.0).reshape(2, 3)),
        _npy(np.array(["ab", "\u00e4"])),
        _npy(np.zeros(2, dtype=[("a", "f4"), ("b", "U2")])),
    ],
    "application/jsonlines": [b"[1, 2]\n[3, 4]\n", b"1\n2"],
    "application/x-recordio-protobuf": [
        recordio_codec.encode_labelled(np.arange(6.0).reshape(2, 3), np.arange(2)),
        recordio_codec.encode_labelled(MATRIX),
        recordio_codec.encode_labelled(np.array([[1, -2]])),
    ],
    "application/x-npz": [_npz(MATRIX), _npz(MATRIX.tocoo()), _npz(MATRIX.todia()), _npz(MATRIX.tobsr())],
    "application/x-parquet": [_parquet({"a": [1.0, None], "b": [1, 2]}), _parquet({"a": [True, False]})],
}
HEADERS = [
    "",
    "text",
    "text/plain",
    "text/csv; charset=utf-16",
    "text/csv; charset=\udcff",
    "text/csv;;;",
    "application/json; charset=no-such",
    "APPLICATION/JSON;q=x",
    "multipart/form-data",
    "a" * 5000,
    "\0",
    "text/csv, application/json",
    "application/x-npy; \u00e4",
]


def _damaged(random_: random.Random, body: bytes) -> bytes:
    """`body`, cut, with bytes changed, doubled, inserted or removed, or another text encoding."""
    raw = bytearray(body)
    for _ in range(random_.randint(1, 4)):
        at, action = random_.randrange(len(raw) + 1), random_.randrange(7)
        if action == 0:
            del raw[at:]
        elif action == 1 and at < len(raw):
            raw[at] = random_.choice([0, 0xFF, 0x80, ord("9"), ord(","), ord('"'), ord("["), random_.randrange(256)])
        elif action == 2:
            raw[at:at] = bytes(random_.randrange(256) for _ in range(random_.randint(1, 9)))
        elif action == 3:
            raw[at:at] = raw[: random_.randint(0, 40)]
        elif action == 4:
            del raw[at : at + random_.randint(1, 9)]
        elif action == 5:
            raw[at:at] = random_.choice(
                [b"1e999", b"-", b"\n", b"\r", b'"', b"[" * 50, b"99999999999", b"{}", b"\xef\xbb\xbf"]
            )
        elif action == 6 and at + 4 <= len(raw):
            raw[at : at + 4] = struct.pack("<I", random_.choice([0, 1, 2**31 - 1, 2**32 - 1]))
    return bytes(raw)


def _answer(body: bytes, content_type: str) -> tuple[int, str]:
    try:
        codecs.decode(body, content_type)
    except RequestError as exc:
        return exc.status, str(exc)
    return 200, ""


@pytest.mark.parametrize("seed", range(4))
def test_a_clients_fault_is_never_a_servers_error(seed: int) -> None:
    """S-40, S-42, S-43, C-07, C-08: any exception that carries no status would be a 500 and fails here."""
    random_ = random.Random(seed)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused = 0
    for _ in range(REQUESTS // 4):
        media_type = random_.choice(list(VALID))
        body = _damaged(random_, random_.choice(VALID[media_type]))
        kind = random_.randrange(20)
        content_type = random_.choice(HEADERS) if kind == 0 else media_type
        if kind == 1:
            content_type = random_.choice(list(VALID))
        started = time.monotonic()
        status, message = _answer(body, content_type)
        assert len(message) < LONGEST_MESSAGE
        assert time.monotonic() - started < SLOWEST_S, (content_type, body)
        assert status == 200 or status in CLIENT_ERRORS
        refused += status != 200
    assert refused > REQUESTS // 8
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MOST_MORE_KIB


def _header(text: str, version: int = 1, length: int | None = None) -> bytes:
    raw = text.encode("latin-1")
    size = len(raw) if length is None else length
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", size) + raw


def _shape(shape: str, descr: str = "'<f4'", order: str = "False") -> bytes:
    return _header(f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n")


def _zip_bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("data", "indices", "indptr", "shape", "format"):
            archive.writestr(f"{name}.npy", bytes(20 * 2**20))
    return out.getvalue()


def _lying_zip() -> bytes:
    body = bytearray(_npz(sparse.csr_matrix(np.ones((300, 300)))))
    at = body.index(b"PK\x01\x02")
    body[at + 24 : at + 28] = struct.pack("<I", 100)  # size after inflating
    return bytes(body)


def _outside() -> bytes:
    matrix = sparse.csr_matrix(np.eye(4))
    matrix.indices = matrix.indices + 1_000_000
    return _npz(matrix)


def _pickled_npz() -> bytes:
    out = io.BytesIO()
    np.savez(out, format=np.array([print], dtype=object))
    return out.getvalue()


BOMBS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "deep JSON": ("application/json", lambda: b"[" * 100_000),
    "deep, closed JSON": ("application/json", lambda: b"[" * 100_000 + b"]" * 100_000),
    "deep objects": ("application/json", lambda: b'{"a":' * 100_000),
    "JSON of 40 axes": ("application/json", lambda: b"[" * 40 + b"1" + b"]" * 40),
    "huge integer": ("application/json", lambda: b"[1" + b"0" * 100_000 + b"]"),
    "lone surrogate": ("application/json", lambda: b'["\\ud800"]'),
    "duplicate keys": ("application/json", lambda: b'{"instances": [1], "instances": "x"}'),
    "objects without end": ("application/json", lambda: b"[" + b"{}," * 5_000_000 + b"1]"),
    "UTF-16": ("application/json", lambda: json.dumps(["\u00e4"]).encode("utf-16")),
    "binary CSV": ("text/csv", lambda: bytes(range(256)) * 40),
    "UTF-16 CSV": ("text/csv", lambda: "1,2\n3,4".encode("utf-16")),
    "Latin-1 CSV": ("text/csv", lambda: "1,2\n3,\u00e4".encode("latin-1")),
    "open quote": ("text/csv", lambda: b'1,"' + b"2" * 10**7),
    "one long row with quotes": ("text/csv", lambda: b'"",' * 10**7),
    "blank lines": ("text/csv", lambda: b"\n" * 10**7),
    "blank lines, CR": ("text/csv", lambda: b"\r" * 10**7),
    "ragged at the end": ("text/csv", lambda: b"1,2\n" * 10**6 + b"3"),
    "digits without end": ("text/csv", lambda: b"1" * 10**7 + b"x"),
    "empty": ("text/csv", lambda: b""),
    "deep lines": ("application/jsonlines", lambda: b"[1]\n" + b"[" * 100_000),
    "ragged lines": ("application/jsonlines", lambda: b"[1,2],[3\n4]\n[5,6]"),
    "no lines": ("application/jsonlines", lambda: b"\n\n"),
    "pickle": ("application/x-npy", lambda: _npy(np.array([print], dtype=object), allow_pickle=True)),
    "huge shape": ("application/x-npy", lambda: _shape("(999999999999,)")),
    "negative shape": ("application/x-npy", lambda: _shape("(-1, -4)") + bytes(16)),
    "overflowing shape": ("application/x-npy", lambda: _shape("(4294967296, 4294967296)")),
    "empty axis beside a huge one": ("application/x-npy", lambda: _shape("(0, 99999999999999999999999)")),
    "entries of no bytes": ("application/x-npy", lambda: _shape("(999999999999,)", "'<U0'")),
    "33 axes": ("application/x-npy", lambda: _shape("(" + "1," * 33 + ")") + bytes(4)),
    "header that is an expression": ("application/x-npy", lambda: _header("1+" * 30_000 + "1")),
    "header that is deep": ("application/x-npy", lambda: _header("(" * 60_000)),
    "header that lies": ("application/x-npy", lambda: _header("{}", 2, 2**32 - 1)),
    "header that computes": ("application/x-npy", lambda: _header("__import__('os')")),
    "trailing bytes": ("application/x-npy", lambda: _npy(np.zeros(3)) + b"\0"),
    "no characters": ("application/x-npy", lambda: _shape("(1,)", "'<U1'") + b"\xff" * 4),
    "zip bomb": ("application/x-npz", _zip_bomb),
    "zip with a lying size": ("application/x-npz", _lying_zip),
    "indices outside": ("application/x-npz", _outside),
    "pickled format": ("application/x-npz", _pickled_npz),
    "long Parquet": ("application/x-parquet", lambda: _parquet({"a": np.zeros(20_000_000, dtype=np.float32)})),
    "text in Parquet": ("application/x-parquet", lambda: _parquet({"a": ["x"]})),
    "no rows": ("application/x-parquet", lambda: _parquet({"a": pa.array([], pa.float32())})),
    "frame that lies": ("application/x-recordio-protobuf", lambda: struct.pack("<II", 0xCED7230A, 2**32 - 1)),
    "no records": ("application/x-recordio-protobuf", lambda: b""),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused(name: str) -> None:
    """S-42, S-43, C-07, C-08."""
    content_type, make = BOMBS[name]
    body = make()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.monotonic()
    with pytest.raises(DecodeError, match=f"Reading the {content_type} body: ") as caught:
        codecs.decode(body, content_type)
    assert caught.value.status == 400
    assert len(str(caught.value)) < 2000
    assert time.monotonic() - started < SLOWEST_S
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MOST_MORE_KIB


@pytest.mark.parametrize("content_type", HEADERS[:3] + HEADERS[8:12])
def test_unknown_types_are_415(content_type: str) -> None:
    """S-40: with a message of bounded length."""
    with pytest.raises(UnsupportedContentTypeError) as caught:
        codecs.decode(b"1", content_type)
    assert caught.value.status == 415
    assert len(str(caught.value)) < 1000
