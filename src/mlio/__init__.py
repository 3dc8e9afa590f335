"""Reads data sets in batches: CSV, RecordIO-protobuf, Parquet and lines of text, from files, memory and pipes.

A drop-in for the Python interface of awslabs' ml-io 0.6 and 0.7, as far as README.md beside this file says.

Source: contract A-03.
"""

from __future__ import annotations

from typing import NoReturn

from mlio.csv_reader import CsvReader
from mlio.data_types import DataType
from mlio.errors import (
    CorruptFooterError,
    CorruptHeaderError,
    CorruptRecordError,
    DataReaderError,
    InflateError,
    InvalidInstanceError,
    InvalidTextError,
    MLIOError,
    NotSupportedError,
    RecordError,
    RecordTooLargeError,
    SchemaError,
    StreamError,
    UnavailableError,
)
from mlio.examples import Example
from mlio.files import list_files
from mlio.log_levels import LogLevel, set_log_level
from mlio.params import (
    BadExampleHandling,
    CsvParams,
    DataReaderParams,
    LastExampleHandling,
    MaxFieldLengthHandling,
    ParserParams,
)
from mlio.pipes import SageMakerPipe
from mlio.reader import DataReader
from mlio.recordio import RecordKind
from mlio.recordio_reader import RecordIOProtobufReader
from mlio.records import ParquetRecordReader, Record, RecordReader
from mlio.schema import Attribute, Schema
from mlio.stores import Compression, DataStore, File, InMemoryStore
from mlio.streams import InputStream
from mlio.tensors import CooTensor, DenseTensor, Device, DeviceArray, DeviceKind, Tensor
from mlio.text_reader import TextLineReader

__all__ = [
    "Attribute",
    "BadExampleHandling",
    "Compression",
    "CooTensor",
    "CorruptFooterError",
    "CorruptHeaderError",
    "CorruptRecordError",
    "CsvParams",
    "CsvReader",
    "DataReader",
    "DataReaderError",
    "DataReaderParams",
    "DataStore",
    "DataType",
    "DenseTensor",
    "Device",
    "DeviceArray",
    "DeviceKind",
    "Example",
    "File",
    "InMemoryStore",
    "InflateError",
    "InputStream",
    "InvalidInstanceError",
    "InvalidTextError",
    "LastExampleHandling",
    "LogLevel",
    "MLIOError",
    "MaxFieldLengthHandling",
    "NotSupportedError",
    "ParquetRecordReader",
    "ParserParams",
    "Record",
    "RecordError",
    "RecordIOProtobufReader",
    "RecordKind",
    "RecordReader",
    "RecordTooLargeError",
    "SageMakerPipe",
    "Schema",
    "SchemaError",
    "StreamError",
    "Tensor",
    "TextLineReader",
    "UnavailableError",
    "list_files",
    "set_log_level",
]

_IMAGES = "Read images with the library that your model was trained with"
_S3 = "Name the data in a channel of the job, or fetch it with boto3"
_UNAVAILABLE = {
    "ImageFrame": _IMAGES,
    "ImageReader": _IMAGES,
    "ImageReaderParams": _IMAGES,
    "S3Client": _S3,
    "S3Object": _S3,
    "list_s3_objects": _S3,
    "initialize_aws_sdk": _S3,
    "dispose_aws_sdk": _S3,
}


def __getattr__(name: str) -> NoReturn:
    if name in _UNAVAILABLE:
        raise UnavailableError(f"mlio.{name} was asked for, but this mlio does not have it. {_UNAVAILABLE[name]}.")
    raise AttributeError(f"module 'mlio' has no attribute {name!r}")
