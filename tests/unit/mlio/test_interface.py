"""Names, tensors and ways to other libraries."""

from __future__ import annotations

import importlib
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

import mlio
from mlio.integ.arrow import as_arrow_file
from mlio.integ.numpy import as_numpy, as_tensor, to_numpy, to_tensor
from mlio.integ.pandas import to_pandas
from tests.unit.mlio.readers import csv_reader

DT = mlio.DataType

NAMES = """
    Attribute BadExampleHandling Compression CooTensor CorruptFooterError CorruptHeaderError
    CorruptRecordError CsvParams CsvReader DataReader DataReaderError DataReaderParams DataStore DataType
    DenseTensor Device DeviceArray DeviceKind Example File InMemoryStore InflateError InputStream
    InvalidInstanceError LastExampleHandling LogLevel MLIOError MaxFieldLengthHandling NotSupportedError
    ParquetRecordReader ParserParams Record RecordError RecordIOProtobufReader RecordKind RecordReader
    RecordTooLargeError SageMakerPipe Schema SchemaError StreamError Tensor TextLineReader list_files
    set_log_level
""".split()


def test_every_name_is_there() -> None:
    """A-03: what section 5 of the facts about Autopilot lists."""
    assert set(NAMES) <= set(mlio.__all__)
    assert all(getattr(mlio, name) is not None for name in mlio.__all__)
    integrations = {
        "numpy": ["as_numpy", "to_numpy", "as_tensor", "to_tensor"],
        "scipy": ["to_coo_matrix", "to_tensor"],
        "pandas": ["to_pandas"],
        "arrow": ["as_arrow_file"],
    }
    for module, names in integrations.items():
        found = importlib.import_module(f"mlio.integ.{module}")
        assert all(callable(getattr(found, name)) for name in names)


def test_data_types() -> None:
    """A-03: with the names of older releases."""
    assert [kind.name for kind in DT] == [
        *["SIZE", "FLOAT16", "FLOAT32", "FLOAT64"],
        *["INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64", "STRING"],
    ]
    assert DT.SINT64 is DT.INT64  # type: ignore[comparison-overlap]


@pytest.mark.parametrize(
    ("error", "parents"),
    [
        (mlio.MLIOError, [RuntimeError]),
        (mlio.StreamError, [mlio.MLIOError]),
        (mlio.InflateError, [mlio.StreamError]),
        (mlio.RecordError, [mlio.MLIOError]),
        (mlio.CorruptRecordError, [mlio.RecordError]),
        (mlio.CorruptHeaderError, [mlio.CorruptRecordError]),
        (mlio.CorruptFooterError, [mlio.CorruptRecordError]),
        (mlio.RecordTooLargeError, [mlio.RecordError]),
        (mlio.DataReaderError, [mlio.MLIOError]),
        (mlio.SchemaError, [mlio.DataReaderError]),
        (mlio.InvalidInstanceError, [mlio.DataReaderError]),
        (mlio.NotSupportedError, [mlio.MLIOError]),
        (mlio.InvalidTextError, [UnicodeDecodeError]),
    ],
)
def test_errors_descend_as_they_should(error: type[Exception], parents: list[type[Exception]]) -> None:
    """A-03."""
    assert list(error.__bases__) == parents


@pytest.mark.parametrize("name", ["ImageReader", "S3Client", "list_s3_objects", "initialize_aws_sdk"])
def test_what_is_left_out_says_so(name: str) -> None:
    """A-03: NotSupportedError with the next step, also as an ImportError."""
    with pytest.raises(mlio.NotSupportedError, match=f"mlio.{name} was asked for, but this mlio does not have it"):
        getattr(mlio, name)
    with pytest.raises(ImportError, match="does not have it"):
        exec(f"from mlio import {name}")
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        getattr(mlio, "nonsense")  # noqa: B009 - a name that is not there


@pytest.mark.parametrize("name", ["tensorflow", "torch", "mxnet", "dlpack"])
def test_bridges_that_are_left_out_say_so(name: str) -> None:
    """A-03."""
    with pytest.raises(ImportError, match=r"Use mlio\.integ\.numpy\.as_numpy"):
        importlib.import_module(f"mlio.integ.{name}")


def test_only_numpy_is_loaded_at_first() -> None:
    """A-03: a server that reads a row does not pay for more."""
    program = """
import sys, mlio
from mlio.integ.numpy import as_numpy
params = mlio.DataReaderParams([mlio.InMemoryStore(b"a,b\\n")], 1)
[example] = mlio.CsvReader(params, mlio.CsvParams(header_row_index=None))
assert as_numpy(example[0]).tolist() == [["a"]]
print([name for name in ("numpy", "pyarrow", "pandas", "scipy", "ctypes.util") if name in sys.modules])
"""
    environment = {"PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE, check=True, timeout=60
    )
    assert done.stdout == b"['numpy']\n"


def test_dense_tensors_share_or_copy() -> None:
    """A-03."""
    values = np.arange(6.0)
    tensor = mlio.DenseTensor((2, 3), values)
    assert (tensor.shape, tensor.strides, tensor.dtype, tensor.data.size) == ((2, 3), (3, 1), DT.FLOAT64, 6)
    assert not np.shares_memory(as_numpy(tensor), values)
    assert np.shares_memory(as_numpy(mlio.DenseTensor((2, 3), values, copy=False)), values)
    strided = mlio.DenseTensor((3, 2), values, strides=(1, 3))
    assert as_numpy(strided).tolist() == values.reshape(2, 3).T.tolist()
    assert np.array_equal(np.array(tensor), as_numpy(tensor))
    assert np.asarray(tensor.data, np.int8).tolist() == list(range(6))
    assert tensor.data.data_type is DT.FLOAT64
    assert tensor.data.device == mlio.Device(mlio.DeviceKind.cpu, 0)
    assert "shape=(2, 3)" in repr(tensor)


def test_tensors_that_cannot_be() -> None:
    """A-03."""
    values = np.arange(6.0)
    for arguments in (((2, 2), values), ((3, 3), values, (3, 1)), ((6,), values, (-1,)), ((6,), values, (1, 1))):
        with pytest.raises(ValueError, match="shape|strides"):
            mlio.DenseTensor(*arguments)
    with pytest.raises(ValueError, match="dtype is complex"):
        mlio.DenseTensor((1,), np.zeros(1, complex))
    for coords in ([[0]], [[0], [0, 1]]):
        with pytest.raises(ValueError, match="Making a CooTensor"):
            mlio.CooTensor((2, 2), [1.0], coords)
    with pytest.raises(ValueError, match="0 features, its schema 1"):
        mlio.Example(mlio.Schema([mlio.Attribute("a", DT.STRING, (1,))]), [])


def test_numpy_there_and_back() -> None:
    """A-03: `as` shares memory, `to` copies."""
    values = np.arange(6, dtype=np.int32).reshape(2, 3)
    shared = as_tensor(values.T)
    assert np.shares_memory(as_numpy(shared), values)
    assert (shared.shape, shared.strides, shared.data_type) == ((3, 2), (1, 3), DT.INT32)
    copied = to_tensor(values.T)
    assert not np.shares_memory(as_numpy(copied), values)
    assert np.array_equal(to_numpy(copied), values.T)
    assert not np.shares_memory(to_numpy(shared), values)
    with pytest.raises(ValueError, match="must hold numbers"):
        as_tensor(np.array(["a"], object))


def test_pandas_gets_a_table() -> None:
    """A-03: names and types of the columns, a table of its own."""
    [example] = csv_reader(b"a,b\n1,x\n2,y\n", default_data_type=None, header_row_index=0)
    expected = pd.DataFrame({"a": np.array([1, 2]), "b": ["x", "y"]})
    pd.testing.assert_frame_equal(to_pandas(example), expected)


@pytest.mark.parametrize("memory_map", [True, False])
def test_pyarrow_gets_a_file(tmp_path: Path, memory_map: bool) -> None:
    """A-03: from any store; those that can be are seekable."""
    path = tmp_path / "a.parquet"
    pa.parquet.write_table(pa.table({"a": [1, 2]}), path)
    with as_arrow_file(mlio.File(str(path), memory_map)) as file:
        assert file.seekable()
        assert pa.parquet.read_table(file).to_pydict() == {"a": [1, 2]}
    with as_arrow_file(store=mlio.InMemoryStore(b"a,b\n")) as file:
        assert file.read() == b"a,b\n"
    with pytest.raises(TypeError, match="neither a data store nor a record"):
        as_arrow_file(b"")  # type: ignore[arg-type]


def test_errors_can_be_sent_between_processes() -> None:
    """A-03: joblib's workers do."""
    error = mlio.InvalidTextError(b"a\xff", "row 1")
    error.request_status = 400
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.object, copy.start, copy.request_status) == ("row 1", b"a\xff", 1, 400)
