"""The containers of an endpoint, one's answer being the next one's request."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Iterator, Sequence

from sagemaker_sklearn_container import contract
from sagemaker_sklearn_container.autopilot import culprit
from sagemaker_sklearn_container.autopilot.answers import asked, passing, said
from sagemaker_sklearn_container.autopilot.batches import MIB
from sagemaker_sklearn_container.autopilot.errors import StepError
from sagemaker_sklearn_container.autopilot.servers import Answer, Server
from sagemaker_sklearn_container.autopilot.table import Sample

# Rows of one request.
_ROWS_AT_ONCE = 50


@dataclass
class Link:
    """A container of the endpoint, and what went through it."""

    name: str
    server: Server
    rows: int = 0
    sent: int = 0
    received: int = 0
    seconds: float = 0.0
    kind: str = ""


class Chain:
    """The containers in their order, as the platform calls them."""

    def __init__(self, step: str, named: Sequence[tuple[str, Server]]) -> None:
        """Nothing is sent yet; errors are those of `step`."""
        self._step = step
        self.links = [Link(name, server) for name, server in named]

    def predict(self, samples: Sequence[Sample]) -> bytes:
        """The last container's answer.

        Raises:
            StepError: names the container, and the row if it is one alone that fails.
        """
        body, kind = b"".join(sample.features for sample in samples), contract.CSV
        for link in self.links:
            begin = time.monotonic()
            answer = asked(self._step, link.server, body, kind)
            link.seconds += time.monotonic() - begin
            if answer.status != 200:
                raise self._failed(link, answer, samples)
            link.rows += len(samples)
            link.sent += len(body)
            link.received += len(answer.body)
            body, kind = answer.body, answer.content_type
            link.kind = kind
        return body

    def _failed(self, link: Link, answer: Answer, samples: Sequence[Sample]) -> StepError:
        where = ""
        if link is self.links[0]:
            passes = passing(link.server)
            features = [sample.features for sample in samples]
            place = culprit.line(len(samples), lambda start, end: passes(b"".join(features[start:end])))
            where = f"{samples[place].where}: " if place is not None else ""
        return StepError(self._step, f"{link.name}: {where}{said(answer)}", link.server.log)


def chunks(samples: Sequence[Sample]) -> Iterator[list[Sample]]:
    """One row alone, as a client that asks now and then, then more at a time within the container's MiB."""
    chunk: list[Sample] = []
    for number, sample in enumerate(samples):
        too_long = sum(len(one.features) for one in chunk) + len(sample.features) > MIB
        if chunk and (number == 1 or len(chunk) >= _ROWS_AT_ONCE or too_long):
            yield chunk
            chunk = []
        chunk.append(sample)
    if chunk:
        yield chunk
