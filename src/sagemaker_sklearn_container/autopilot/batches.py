"""The requests of a batch transform job: as many whole lines as fit."""

from __future__ import annotations

import json
from typing import Any, Iterator

from sagemaker_sklearn_container import contract
from sagemaker_sklearn_container.autopilot.errors import StepError
from sagemaker_sklearn_container.autopilot.report import size
from sagemaker_sklearn_container.autopilot.servers import Server
from sagemaker_sklearn_container.autopilot.table import Source

MIB = 1024 * 1024


def payload(step: str, server: Server) -> int:
    """Bytes of a mini-batch: what the container says, else the platform's own number.

    Raises:
        StepError: the container does not answer as it should.

    Source: contract B-02.
    """
    said: Any = None
    try:
        answer = server.ask(None, path="/execution-parameters")
        if answer.status == 200:
            said = json.loads(answer.body).get("MaxPayloadInMB")
    except (OSError, ValueError, AttributeError) as exc:
        raise StepError(step, f"GET /execution-parameters: {exc}", server.log) from None
    return (said if isinstance(said, int) and said > 0 else contract.DEFAULT_BATCH_PAYLOAD_MIB) * MIB


def mini_batches(step: str, source: Source, limit: int) -> Iterator[tuple[int, list[bytes]]]:
    """Whole lines of a file, as many as fit in a request, and the number of the first one, from 1.

    The platform cuts at each line end, quoted ones too.

    Raises:
        StepError: a line is longer than a request may be.

    Source: contract B-05.
    """
    first, used = 1, 0
    lines: list[bytes] = []
    with source.channel.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            if len(line) > limit:
                raise StepError(
                    step,
                    f"{source.file}:{source.line(number)}: the line has {size(len(line))}, and a request {size(limit)}",
                )
            if used + len(line) > limit:
                yield first, lines
                first, lines, used = number, [], 0
            lines.append(line)
            used += len(line)
    if lines:
        yield first, lines
