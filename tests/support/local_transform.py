"""Batch transform as the SageMaker Python SDK's local mode does it, from the files to what is written beside them.

Source: contract K-12, B-01 to B-03. Names of settings are those of the job's request.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import Any, Iterator

import requests

from tests.support.platform import Server

_TIMEOUT_S = 60
_STRATEGIES = {"SingleRecord": "SINGLE_RECORD", "MultiRecord": "MULTI_RECORD"}


@dataclass
class LocalTransform:
    """One transform job.

    Attributes:
        content_type: Of the input.
        accept: What the job asks for, if it does.
        batch_strategy: SingleRecord or MultiRecord, if the job says so.
        max_payload_mb: Largest request in MB, 0 for any, if the job says so.
        split_type: Line, or None for whole files.
        assemble_with: Line, or None.
        sent: Bodies of the requests, for the test.
    """

    content_type: str
    accept: str | None = None
    batch_strategy: str | None = None
    max_payload_mb: int | None = None
    split_type: str | None = "Line"
    assemble_with: str | None = "Line"
    sent: list[bytes] = field(default_factory=list)

    def environ(self) -> dict[str, str]:
        """What the job's container is told; the platform waits for its ping."""
        environ = {"SAGEMAKER_BATCH": "True", "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": "1"}
        if self.max_payload_mb is not None:
            environ["SAGEMAKER_MAX_PAYLOAD_IN_MB"] = str(self.max_payload_mb)
        if self.batch_strategy is not None:
            environ["SAGEMAKER_BATCH_STRATEGY"] = _STRATEGIES[self.batch_strategy]
        return environ

    def run(self, server: Server, text: str) -> bytes:
        """What the job writes for an input file that holds `text`."""
        given: dict[str, Any] = {}
        if self.batch_strategy is not None:
            given["BatchStrategy"] = self.batch_strategy
        if self.max_payload_mb is not None:
            given["MaxPayloadInMB"] = self.max_payload_mb
        answer = requests.get(f"{server.base_url}/execution-parameters", timeout=_TIMEOUT_S)
        if answer.status_code == 200:
            told = answer.json()
            for setting in ("BatchStrategy", "MaxPayloadInMB"):
                if setting not in given and setting in told:
                    given[setting] = told[setting]
        strategy = given.get("BatchStrategy", "MultiRecord")
        # The SDK compares the server's word with those of the request, not with those of the environment.
        if strategy not in _STRATEGIES:
            raise ValueError(f"Invalid Batch Strategy: {strategy}")
        out = bytearray()
        for body in self._batches(text, strategy, int(given.get("MaxPayloadInMB", 6)) * 1024 * 1024):
            out += self._invoke(server, body).strip()
            out += b"\n" if self.assemble_with == "Line" else b""
        return bytes(out)

    def _batches(self, text: str, strategy: str, limit: int) -> Iterator[str]:
        records = [text] if self.split_type is None else io.StringIO(text)
        batch = ""
        for record in records:
            if limit and len(record) >= limit:
                raise RuntimeError(f"Record is larger than {limit} bytes. Please increase your max_payload")
            if strategy == "SingleRecord" or (batch and limit and len(batch) + len(record) >= limit):
                if batch:
                    yield batch
                batch = record
            else:
                batch += record
        if batch:
            yield batch

    def _invoke(self, server: Server, body: str) -> bytes:
        headers: dict[str, str | None] = {"Content-type": self.content_type, "Accept": self.accept}
        self.sent.append(body.encode("utf-8"))
        answer = requests.post(
            f"{server.base_url}/invocations", data=self.sent[-1], headers=headers, timeout=_TIMEOUT_S
        )
        assert answer.status_code == 200, answer.text
        return bytes(answer.content)
