"""Short ways to read what a test holds in memory."""

from __future__ import annotations

from typing import Any, Sequence

import mlio
from mlio.integ.numpy import as_numpy

PLAIN = {"default_data_type": mlio.DataType.STRING, "header_row_index": None, "allow_quoted_new_lines": True}


def csv_reader(*stores: bytes | mlio.DataStore, batch_size: int = 1000, **options: Any) -> mlio.CsvReader:
    """A reader as Autopilot's library makes it; `options` go to the parameters that have them, "_" ones to it."""
    dataset = [mlio.InMemoryStore(store) if isinstance(store, bytes) else store for store in stores]
    common = vars(mlio.DataReaderParams([], 1))
    for_reader = {name: options.pop(name) for name in list(options) if name in common}
    internal = {name: options.pop(name) for name in list(options) if name.startswith("_")}
    for_reader.setdefault("warn_bad_instances", False)
    return mlio.CsvReader(
        data_reader_params=mlio.DataReaderParams(dataset=dataset, batch_size=batch_size, **for_reader),
        csv_params=mlio.CsvParams(**{**PLAIN, **options}),
        **internal,
    )


def table(example: mlio.Example) -> list[list[Any]]:
    """The rows of a batch."""
    columns = [as_numpy(feature)[:, 0].tolist() for feature in example]
    return [list(row) for row in zip(*columns)]


def tables(reader: mlio.DataReader) -> list[list[list[Any]]]:
    """The rows of each batch that is left."""
    return [table(example) for example in reader]


def rows(*stores: bytes | mlio.DataStore, **options: Any) -> list[list[Any]]:
    """All rows of CSV."""
    return [row for batch in tables(csv_reader(*stores, **options)) for row in batch]


def texts(batches: Sequence[Sequence[Sequence[bytes]]]) -> list[list[list[str | None]]]:
    """The reference's batches as text; None for cells that are no UTF-8."""
    return [[[_text(cell) for cell in row] for row in batch] for batch in batches]


def _text(cell: bytes) -> str | None:
    try:
        return cell.decode("utf-8")
    except UnicodeDecodeError:
        return None


def batch_columns(example: mlio.Example) -> list[list[str] | None]:
    """The columns of a batch; None for one that has a cell that is no UTF-8."""
    columns: list[list[str] | None] = []
    for feature in example:
        try:
            columns.append(as_numpy(feature)[:, 0].tolist())
        except UnicodeDecodeError:
            columns.append(None)
    return columns
