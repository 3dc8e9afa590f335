"""Pipe mode: real FIFOs, each one epoch."""

from __future__ import annotations

import gzip
import os
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Callable, Iterator

import pytest

import mlio
from tests.unit.mlio.readers import csv_reader, rows, tables

Write = Callable[..., None]


@pytest.fixture()
def write() -> Iterator[Write]:
    """Starts a thread that makes a FIFO, if it is missing, and writes to it piece by piece."""
    threads: list[threading.Thread] = []

    def start(path: str, *pieces: bytes, make_after_s: float = 0) -> None:
        def run() -> None:
            time.sleep(make_after_s)
            if not os.path.exists(path):
                os.mkfifo(path)
            with open(path, "wb", buffering=0) as fifo:
                for piece in pieces:
                    fifo.write(piece)
                    time.sleep(0.01)

        if not make_after_s:
            os.mkfifo(path)
        threads.append(threading.Thread(target=run))
        threads[-1].start()

    yield start
    for thread in threads:
        thread.join()


def test_each_epoch_is_the_next_fifo(tmp_path: Path, write: Write) -> None:
    """A-03: numbered from 0 per path; `reset` goes on with the next one."""
    channel = str(tmp_path / "train")
    write(f"{channel}_0", b"a,b\nc", b",d\n")
    write(f"{channel}_1", b"e,f\n")
    store = mlio.SageMakerPipe(channel)
    assert store.id == channel
    reader = csv_reader(store)
    assert tables(reader) == [[["a", "b"], ["c", "d"]]]
    assert tables(reader) == []
    reader.reset()
    assert tables(reader) == [[["e", "f"]]]
    write(f"{channel}_2", b"g,h\n")
    assert rows(mlio.SageMakerPipe(channel)) == [["g", "h"]]


def test_more_than_a_pipe_holds_goes_through(tmp_path: Path, write: Write) -> None:
    """A-03."""
    line = b"x" * 999 + b"\n"
    write(f"{tmp_path}/train_0", *[line * 100] * 10)
    assert len(rows(mlio.SageMakerPipe(f"{tmp_path}/train"), _block_bytes=100_000, _small_bytes=0)) == 1000


def test_the_first_number_can_be_given(tmp_path: Path, write: Write) -> None:
    """A-03."""
    write(f"{tmp_path}/train_7", b"a\n")
    write(f"{tmp_path}/train_8", b"b\n")
    reader = csv_reader(mlio.SageMakerPipe(f"{tmp_path}/train", fifo_id=7))
    assert tables(reader) == [[["a"]]]
    reader.reset()
    assert tables(reader) == [[["b"]]]


def test_a_fifo_that_comes_late_is_waited_for(tmp_path: Path, write: Write) -> None:
    """A-03: three attempts, a second apart."""
    write(f"{tmp_path}/train_0", b"a\n", make_after_s=0.3)
    assert rows(mlio.SageMakerPipe(f"{tmp_path}/train")) == [["a"]]


def test_a_missing_fifo_is_an_error(tmp_path: Path) -> None:
    """A-03: OSError from the store, and as the cause of the reader's."""
    store = mlio.SageMakerPipe(f"{tmp_path}/train")
    with pytest.raises(FileNotFoundError):
        store.open_read()
    with pytest.raises(mlio.DataReaderError) as caught:
        rows(store)
    assert isinstance(caught.value.__cause__, FileNotFoundError)


def test_waiting_for_data_ends(tmp_path: Path) -> None:
    """A-03: when no writer comes, and when one stops writing."""
    os.mkfifo(tmp_path / "train_0")
    store = mlio.SageMakerPipe(f"{tmp_path}/train", timeout=timedelta(seconds=0.2))
    with pytest.raises(TimeoutError, match="no data came for 0.2 s"):
        store.open_read()
    os.mkfifo(tmp_path / "train_1")
    writer = os.open(tmp_path / "train_1", os.O_RDWR)
    os.write(writer, b"a\nb")
    with pytest.raises(mlio.DataReaderError) as caught:
        rows(store)
    os.close(writer)
    assert isinstance(caught.value.__cause__, TimeoutError)


def test_a_channel_is_open_once(tmp_path: Path) -> None:
    """A-03: a second stream is refused until the first is closed or given up."""
    os.mkfifo(tmp_path / "train_0")
    os.mkfifo(tmp_path / "train_1")
    writers = [os.open(tmp_path / f"train_{number}", os.O_RDWR) for number in range(2)]
    for writer in writers:
        os.write(writer, b"a\n")
    store = mlio.SageMakerPipe(f"{tmp_path}/train")
    stream = store.open_read()
    with pytest.raises(PermissionError, match="open already"):
        store.open_read()
    with pytest.raises(mlio.DataReaderError, match="denied") as caught:
        rows(mlio.SageMakerPipe(f"{tmp_path}/train"))
    assert isinstance(caught.value.__cause__, PermissionError)
    stream.close()
    stream.close()
    second = store.open_read()
    assert bytes(second.read(9)) == b"a\n"
    second.close()
    for writer in writers:
        os.close(writer)


def test_leaving_early_frees_the_channel(tmp_path: Path, write: Write) -> None:
    """A-03: a reader that reads a part, and one that is reset, close what they opened."""
    for number in range(3):
        write(f"{tmp_path}/train_{number}", b"a\nb\nc\n")
    store = mlio.SageMakerPipe(f"{tmp_path}/train")
    assert rows(store, num_instances_to_read=1) == [["a"]]
    reader = csv_reader(store, batch_size=1)
    assert reader.read_example() is not None
    reader.reset()
    assert len(tables(reader)) == 3


def test_compressed_channels(tmp_path: Path, write: Write) -> None:
    """A-03: GZIP is read; INFER is refused."""
    write(f"{tmp_path}/train_0", gzip.compress(b"a,b\n"))
    store = mlio.SageMakerPipe(f"{tmp_path}/train", compression=mlio.Compression.GZIP)
    assert rows(store) == [["a", "b"]]
    with pytest.raises(mlio.NotSupportedError, match="INFER"):
        mlio.SageMakerPipe(f"{tmp_path}/train", compression=mlio.Compression.INFER)


def test_an_empty_epoch_gives_nothing(tmp_path: Path) -> None:
    """A-03: a writer that closes without a byte ends the epoch."""
    os.mkfifo(tmp_path / "train_0")
    closer = threading.Thread(target=lambda: open(tmp_path / "train_0", "wb").close())
    closer.start()
    store = mlio.SageMakerPipe(f"{tmp_path}/train", timeout=timedelta(seconds=5))
    assert rows(store) == []
    closer.join()
