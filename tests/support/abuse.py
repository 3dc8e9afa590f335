"""Requests that no client should send, made from random numbers: the same seed makes the same ones."""

from __future__ import annotations

import io
import json
import os
import pickle
import random
import struct
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Callable

import numpy as np

CSV, JSON, NPY = "text/csv", "application/json", "application/x-npy"
NPZ, LINES = "application/x-npz", "application/jsonlines"
PARQUET, RECORDS = "application/x-parquet", "application/x-recordio-protobuf"
_TYPES = (CSV, JSON, NPY, NPZ, LINES, PARQUET, RECORDS)
# Types of answers that any prediction of numbers can have, or none can.
_ACCEPTS = ("", "*/*", JSON, CSV, NPY, "text/*", "a/b", "text/html, a/b;q=0.1", ";;;", "q=1", "x" * 2000, "\x7f\xff")

WHOLE, BROKEN, ABANDONED = "whole", "broken", "abandoned"


@dataclass(frozen=True)
class Attempt:
    """One request, or what takes the place of one.

    Attributes:
        kind: WHOLE: HTTP as it should be, so that there is one answer, and the connection can go on. BROKEN: it is
            refused, or the server sees several requests in it; the last one asks for the end of the connection.
            ABANDONED: the client leaves before it has sent all, or before it is answered.
        name: Which kind of nonsense it is.
        data: Bytes for the connection.
    """

    kind: str
    name: str
    data: bytes


class Planted:
    """A pickle of this makes a directory where it is loaded."""

    def __init__(self, path: str) -> None:
        """One that makes the directory `path`."""
        self._path = path

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        """What the pickle calls."""
        return os.mkdir, (self._path,)


class Abuser:
    """Makes attempts."""

    def __init__(self, seed: int, marker: str) -> None:
        """The attempts of `seed`, whose pickles make the directory `marker`."""
        self._random = random.Random(seed)
        self._marker = marker
        planted = np.empty(1, dtype=object)
        planted[0] = Planted(marker)
        self._pickle = pickle.dumps(Planted(marker), protocol=2)
        self._pickled_npy = _npy(planted, allow_pickle=True)
        self._archive = _deflated("data.npy", self._pickled_npy, "format.npy", self._pickled_npy)
        self._whole: list[tuple[str, Callable[[], tuple[str, bytes]]]] = [
            (name[1:], getattr(self, name))
            for name in dir(self)
            if name.startswith(("_csv_", "_json_", "_npy_", "_pickle_", "_npz_", "_other_"))
        ]
        self._broken: list[Callable[[], bytes]] = [
            self._bad_line,
            self._bad_chunks,
            self._bad_length,
            self._header_flood,
            self._junk,
            self._junk_behind,
        ]

    def attempt(self) -> Attempt:
        """The next one."""
        choice = self._random.random()
        if choice < 0.15:
            make = self._random.choice(self._broken)
            last = b"\r\n\r\nGET /ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            return Attempt(BROKEN, make.__name__, make() + last)
        name, body = self._random.choice(self._whole)
        content_type, content = body()
        data = self._request(content_type, content)
        if choice < 0.17:
            said = b"Content-Length: %d" % (10 ** self._random.randint(6, 18))
            return Attempt(ABANDONED, "lying length", data.replace(b"Content-Length: ", said))
        if choice < 0.25:
            return Attempt(ABANDONED, name, data[: self._random.randint(1, len(data))])
        return Attempt(WHOLE, name, data)

    # HTTP as it should be around nonsense

    def _request(self, content_type: str, body: bytes) -> bytes:
        rand = self._random
        if rand.random() < 0.2:
            content_type = self._odd_type(content_type)
        accept = rand.choice(_ACCEPTS) if rand.random() < 0.3 else ""
        lines = [b"POST /invocations HTTP/1.1", b"Host: x"]
        lines += [b"Content-Type: " + content_type.encode("latin-1")] if content_type or rand.random() < 0.5 else []
        lines += [b"Content-Encoding: gzip"] if rand.random() < 0.05 else []
        lines += [b"Accept: " + accept.encode("latin-1")] if accept else []
        lines += [
            b"X-%d: " % number + self._bytes(20, printable=True) for number in range(rand.choice((0, 0, 0, 5, 60)))
        ]
        if rand.random() < 0.2:
            chunks, start = [], 0
            while start < len(body):
                size = rand.randint(1, max(1, min(len(body), 20_000)))
                piece = body[start : start + size]
                chunks.append(b"%x\r\n%s\r\n" % (len(piece), piece))
                start += size
            return b"\r\n".join((*lines, b"Transfer-Encoding: chunked", b"", b"".join(chunks) + b"0\r\n\r\n"))
        return b"\r\n".join((*lines, b"Content-Length: %d" % len(body), b"", body))

    def _odd_type(self, content_type: str) -> str:
        charset = self._random.choice(("utf-7", "utf-16", "latin-1", "no-such", "", "rot13", "\xff", "idna", "x" * 500))
        odd = ("", f"{content_type}; charset={charset}", content_type.upper(), content_type + ";;;", "/", "a/b", "text")
        more = (f"{content_type}, {content_type}", "multipart/form-data", "\xe9/\xe8", "*/*", "a" * 5000, "\t")
        return self._random.choice(odd + more)

    def _bytes(self, most: int, printable: bool = False) -> bytes:
        count = self._random.randint(1, most)
        low, high = (33, 126) if printable else (0, 255)
        return bytes(self._random.randint(low, high) for _ in range(count))

    def _csv_ragged(self) -> tuple[str, bytes]:
        rows = [",".join("1" * self._random.randint(0, 3) for _ in range(self._random.randint(1, 6))) for _ in range(5)]
        return CSV, "\n".join(rows).encode()

    def _csv_binary(self) -> tuple[str, bytes]:
        return CSV, self._bytes(300)

    def _csv_text(self) -> tuple[str, bytes]:
        cells = (
            '"',
            '""',
            '"1',
            "\0",
            "1\0",
            "nan",
            "1e999",
            "0x10",
            "1_0",
            "\ufeff1",
            "\u0661",
            "\ud7ff",
            " ",
            "'",
            "=1",
        )
        text = ",".join(self._random.choice(cells) for _ in range(self._random.randint(1, 8)))
        return CSV, text.encode(self._random.choice(("utf-8", "utf-16", "utf-32")))

    def _csv_wide(self) -> tuple[str, bytes]:
        return CSV, self._random.choice((b",", b"1", b'"', b"\n", b"\r", b"9,")) * self._random.choice((1000, 140_000))

    def _json_deep(self) -> tuple[str, bytes]:
        depth = self._random.choice((30, 900, 100_000))
        opening = self._random.choice((b"[", b'{"a":', b'{"instances":[', b"[[],"))
        return self._random.choice((JSON, LINES)), opening * depth + self._random.choice((b"", b"1" + b"]" * depth))

    def _json_odd(self) -> tuple[str, bytes]:
        odd = (b"{}", b"null", b"NaN", b'"a"', b"[1e999]", b"[-0]", b"[" + b"9" * 5000 + b"]", b'["\\ud800"]', b"[1,]")
        more = (
            b"[[1],[2,3]]",
            b'{"instances": 1}',
            b"[tru",
            b"\xff\xfe[\x001\x00]\x00",
            b"",
            b"\n\n",
            b'{"a":1,"a":2}',
        )
        return self._random.choice((JSON, LINES)), self._random.choice(odd + more)

    def _json_mixed(self) -> tuple[str, bytes]:
        values: tuple[Any, ...] = (1, 1.5, "x", "1", None, True, [], {}, [1], {"a": [1]}, -1e308, 10**40)
        nest = [self._random.choice(values) for _ in range(self._random.randint(0, 5))]
        return JSON, json.dumps(self._random.choice((nest, [nest, nest], {"instances": nest}))).encode()

    def _npy_cut(self) -> tuple[str, bytes]:
        whole = _npy(np.arange(12.0).reshape(3, 4))
        return NPY, whole[: self._random.randrange(len(whole))]

    def _npy_changed(self) -> tuple[str, bytes]:
        raw = bytearray(_npy(np.arange(12.0).reshape(3, 4)))
        for _ in range(self._random.randint(1, 5)):
            raw[self._random.randrange(90)] = self._random.randrange(256)
        return NPY, bytes(raw)

    def _npy_lying(self) -> tuple[str, bytes]:
        shapes = ("(1099511627776,)", "(1048576, 1048576, 8)", "(-1,)", "(0, 1099511627776)", "(2, -3)", "()", "(1e3,)")
        shape = self._random.choice((*shapes, "(" + "1," * 3000 + ")", "(True,)", "(" * 200, "(9" + "9" * 60 + ",)"))
        descr = self._random.choice(
            ("<f8", "|O", "<U1000000000", "|V0", "|S0", ">c16", "<M8[ns]", "|b1", "<f3", "[", "")
        )
        order = self._random.choice(("False", "True", "1"))
        text = f"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}\n"
        return NPY, _npy_head(text.encode()) + b"\0" * self._random.choice((0, 8, 4096))

    def _npy_code(self) -> tuple[str, bytes]:
        code = f"__import__('os').mkdir({self._marker!r})"
        text = self._random.choice(
            (code, f"{{'descr': {code}}}", f"{{'descr': '<f8', 'fortran_order': {code}, 'shape': (1,)}}")
        )
        return NPY, _npy_head(text.encode()) + b"\0" * 8

    def _npy_length(self) -> tuple[str, bytes]:
        version = self._random.choice((b"\1\0", b"\2\0", b"\3\0", b"\xff\xff"))
        return NPY, b"\x93NUMPY" + version + struct.pack(
            "<I", self._random.choice((0, 1, 65535, 2**32 - 1))
        ) + self._bytes(99)

    def _pickle_bare(self) -> tuple[str, bytes]:
        return self._random.choice((*_TYPES, "application/python-pickle", "application/x-pickle")), self._pickle

    def _pickle_in_npy(self) -> tuple[str, bytes]:
        return self._random.choice((NPY, NPZ)), self._pickled_npy

    def _pickle_in_npz(self) -> tuple[str, bytes]:
        return self._random.choice((NPY, NPZ)), self._archive

    def _npz_bomb(self) -> tuple[str, bytes]:
        return NPZ, _bomb(1 << self._random.choice((*[20] * 8, 25, 28)))

    def _npz_cut(self) -> tuple[str, bytes]:
        whole = self._archive
        return NPZ, whole[: self._random.randrange(len(whole))]

    def _other_parquet(self) -> tuple[str, bytes]:
        footer = struct.pack("<I", self._random.choice((0, 1, 60, 2**31, 2**32 - 1)))
        return PARQUET, b"PAR1" + self._bytes(200) + footer + self._random.choice((b"PAR1", b"PARE", b""))

    def _other_recordio(self) -> tuple[str, bytes]:
        magic = struct.pack("<I", 0xCED7230A)
        length = struct.pack("<I", self._random.choice((0, 1, 5, 2**29, 2**31, 2**32 - 1)))
        return RECORDS, (magic + length) * self._random.randint(1, 3) + self._bytes(60)

    def _other_any(self) -> tuple[str, bytes]:
        return self._random.choice(_TYPES), self._random.choice(
            (b"", self._bytes(400), b"\0" * 70_000, b"\x1f\x8b" + b"\xff" * 99)
        )

    # What is no good HTTP

    def _bad_line(self) -> bytes:
        lines = (
            b"GET /ping",
            b"GET",
            b"GET /ping HTTP/0.9",
            b"GET /ping HTTP/99999.1",
            b"GET  /ping  HTTP/1.1",
            b"get /ping http/1.1",
            b"POST http:// HTTP/1.1",
            b"POST invocations HTTP/1.1",
            b"BREW /invocations HTTP/1.1",
            b"DELETE /invocations HTTP/1.1",
            b"PUT /ping HTTP/1.1",
            b"OPTIONS * HTTP/1.1",
            b"GET " + b"/" * 70_000 + b" HTTP/1.1",
            b"GET /%00%ff%zz?" + b"&" * 500 + b" HTTP/1.1",
            b"GET /invocations/../ping HTTP/1.1",
            b"GET /" + self._bytes(30) + b" HTTP/1.1",
            b"\x16\x03\x01" + self._bytes(100),
            b"PRI * HTTP/2.0",
            b"CONNECT a:443 HTTP/1.1",
        )
        return self._random.choice(lines)

    def _bad_chunks(self) -> bytes:
        head = b"POST /invocations HTTP/1.1\r\nContent-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n"
        framings = (
            b"zz\r\n1",
            b"-1\r\n",
            b"ffffffffffffffffff\r\n",
            b"3\r\n1,2,3\r\n0\r\n",
            b"\r\n",
            b"3 \t;\0\r\n1,2\r\n",
        )
        return head + self._random.choice(
            (*framings, b"2;" + b"x" * 70_000 + b"\r\n1,\r\n", b"0x3\r\n1,2\r\n", b"3\n1,2\n")
        )

    def _bad_length(self) -> bytes:
        values = (
            b"-1",
            b"1e3",
            b"0x5",
            b"9" * 30,
            b"3, 3",
            b"3\r\nContent-Length: 4",
            b"",
            b"+3",
            b"1" * 5000,
            b"\xff",
        )
        more = (
            b"3\r\nTransfer-Encoding: chunked",
            b"3\r\nTransfer-Encoding: gzip",
            b"3\r\nTransfer-Encoding: chunked, x",
        )
        return b"POST /invocations HTTP/1.1\r\nContent-Type: text/csv\r\nContent-Length: %s\r\n\r\n1,2" % (
            self._random.choice(values + more)
        )

    def _header_flood(self) -> bytes:
        floods = (
            b"".join(b"X-%d: y\r\n" % number for number in range(self._random.choice((129, 3000)))),
            b"X: " + b"y" * 40_000 + b"\r\n",
            b"y" * 40_000 + b": x\r\n",
            b"X" + self._bytes(30) + b"\r\n",
            b": x\r\n",
            b"X: a\r\n b\r\n\tc\r\n",
            b"Content-Type: " + self._bytes(30) + b"\r\n",
        )
        return b"GET /ping HTTP/1.1\r\n" + self._random.choice(floods)

    def _junk(self) -> bytes:
        return self._bytes(2000)

    def _junk_behind(self) -> bytes:
        good = b"POST /invocations HTTP/1.1\r\nContent-Type: text/csv\r\nContent-Length: 3\r\n\r\n1,2"
        return good * self._random.randint(1, 5) + self._bytes(50)


def _npy(array: Any, allow_pickle: bool = False) -> bytes:
    out = io.BytesIO()
    np.save(out, array, allow_pickle=allow_pickle)
    return out.getvalue()


def _npy_head(text: bytes) -> bytes:
    return b"\x93NUMPY\1\0" + struct.pack("<H", min(len(text), 65535)) + text


@lru_cache(maxsize=None)
def _bomb(inflated: int) -> bytes:
    """A matrix like any other, but for the zeros that its archive makes little of."""
    form, shape, data = np.array(b"csr"), np.array([1, 1]), np.zeros(inflated, dtype=np.uint8)
    return _deflated("format.npy", _npy(form), "shape.npy", _npy(shape), "data.npy", _npy(data))


def _deflated(*members: str | bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in zip(members[::2], members[1::2]):
            archive.writestr(str(name), content)
    return out.getvalue()
