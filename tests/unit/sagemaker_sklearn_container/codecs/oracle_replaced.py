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

from sagemaker_containers import _encoders

TEXT_TYPES = ("application/json", "text/csv")


def answer(request):
    """The array of a body, or the body of an array, or the error's name."""
    body = base64.b64decode(request["body"])
    media_type = request["media_type"]
    try:
        if request["do"] == "decode":
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
