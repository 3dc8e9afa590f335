"""The replaced codecs, as a program: one JSON request per line of standard input, one JSON answer per line.

Runs under any Python from 3.6 on that has sagemaker-containers 2.8.6.post2 and NumPy; imports nothing of this tree.
"""

# mypy: ignore-errors

import base64
import io
import json
import sys
import warnings

import numpy as np
from scipy import sparse

from sagemaker_containers import _encoders, _recordio
from sagemaker_containers.record_pb2 import Record

TEXT_TYPES = ("application/json", "text/csv")


def records(saved):
    """The records of the rows and labels in an NPZ body: `rows`, or the three parts and the shape of a csr_matrix."""
    parts = np.load(io.BytesIO(saved), allow_pickle=False)
    if "rows" in parts:
        rows = parts["rows"]
    else:
        rows = sparse.csr_matrix((parts["data"], parts["indices"], parts["indptr"]), shape=tuple(parts["shape"]))
    return _encoders.array_to_recordio_protobuf(rows, parts.get("labels"))


def tensors(body):
    """What protobuf reads in each record: kind, values, keys and shape of the features; kind and values of labels."""
    for message in _recordio._read_recordio(io.BytesIO(body)):
        record = Record.FromString(message)
        features = record.features["values"]
        kind = features.WhichOneof("value")
        tensor = getattr(features, kind)
        found = [kind, list(tensor.values), list(tensor.keys), list(tensor.shape)]
        if "values" in record.label:
            label = record.label["values"]
            kind = label.WhichOneof("value")
            found += [kind, list(getattr(label, kind).values)]
        yield found


def answer(request):
    """The array of a body, or the body of an array, or the error's name."""
    body = base64.b64decode(request["body"])
    media_type = request["media_type"]
    try:
        if request["do"] == "records":
            found = records(body)
        elif request["do"] == "tensors":
            found = json.dumps(list(tensors(body))).encode("ascii")
        elif request["do"] == "decode":
            # The replaced default input_fn: text types get float32.
            if media_type in TEXT_TYPES:
                result = _encoders.decode(body.decode("utf-8"), media_type).astype(np.float32)
            else:
                result = _encoders.decode(body, media_type)
            out = io.BytesIO()
            np.save(out, result, allow_pickle=False)
            found = out.getvalue()
        else:
            found = _encoders.encode(np.load(io.BytesIO(body), allow_pickle=False), media_type)
            found = found.encode("utf-8") if isinstance(found, str) else found
    except Exception as exc:
        return {"error": type(exc).__name__}
    return {"body": base64.b64encode(found).decode("ascii")}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(json.loads(line))) + "\n")
        sys.stdout.flush()
