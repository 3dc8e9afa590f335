"""Servers that a job reaches on 127.0.0.1: S3, a package index, CodeArtifact."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Callable, Iterator
from urllib.parse import parse_qs, urlsplit
from urllib.request import Request, urlopen

import boto3
from moto.server import ThreadedMotoServer

_TIMEOUT_S = 60.0
_POLL_S = 0.05

REGION = "eu-west-1"
# Of nobody.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}

Answer = Callable[[BaseHTTPRequestHandler], "tuple[int, str, bytes]"]


@dataclass(frozen=True)
class Bucket:
    """A bucket of an S3 server.

    Attributes:
        name: Of the bucket.
        endpoint_url: Where the server is.
        client: Reaches it.
    """

    name: str
    endpoint_url: str
    client: Any

    @property
    def environ(self) -> dict[str, str]:
        """What a job needs to reach the server."""
        return {**CREDENTIALS, "AWS_REGION": REGION, "AWS_ENDPOINT_URL_S3": self.endpoint_url}

    def create(self) -> None:
        """Make the bucket."""
        self.client.create_bucket(Bucket=self.name, CreateBucketConfiguration={"LocationConstraint": REGION})

    def put(self, key: str, body: bytes) -> str:
        """Store an object and give its address."""
        self.client.put_object(Bucket=self.name, Key=key, Body=body)
        return f"s3://{self.name}/{key}"

    def objects(self) -> dict[str, bytes]:
        """Every object by its key."""
        listing = self.client.list_objects_v2(Bucket=self.name).get("Contents", [])
        keys = [item["Key"] for item in listing]
        return {key: self.client.get_object(Bucket=self.name, Key=key)["Body"].read() for key in keys}

    def wait_for(self, key: str) -> None:
        """Return once there is an object called `key`; fail if that takes too long."""
        deadline = time.monotonic() + _TIMEOUT_S
        while key not in self.objects():
            assert time.monotonic() < deadline, f"waited {_TIMEOUT_S} s for {key}; there are {list(self.objects())}"
            time.sleep(_POLL_S)


@contextmanager
def s3_bucket(name: str = "bucket") -> Iterator[Bucket]:
    """A bucket of a server that speaks the S3 protocol."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        _, port = server.get_host_and_port()
        endpoint_url = f"http://127.0.0.1:{port}"
        # Every server of this process holds the same objects.
        urlopen(Request(f"{endpoint_url}/moto-api/reset", method="POST")).close()
        client = boto3.client(
            "s3",
            region_name=REGION,
            endpoint_url=endpoint_url,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )
        bucket = Bucket(name, endpoint_url, client)
        bucket.create()
        yield bucket
    finally:
        server.stop()


@dataclass
class Requests:
    """A server's address, and the requests it has had.

    Attributes:
        url: Without a slash at its end.
        seen: `METHOD path` of each request, in order.
        authorizations: The Authorization header of each request, None where it had none.
    """

    url: str = ""
    seen: list[str] = field(default_factory=list)
    authorizations: list[str | None] = field(default_factory=list)


@contextmanager
def package_index(wheels: Path) -> Iterator[Requests]:
    """A package index (PEP 503) of the wheels in a directory, at `<url>/simple/`."""

    def answer(request: BaseHTTPRequestHandler) -> tuple[int, str, bytes]:
        last = request.path.rstrip("/").rpartition("/")[2]
        if (wheels / last).is_file():
            return 200, "application/octet-stream", (wheels / last).read_bytes()
        found = [path.name for path in wheels.glob(f"{last.replace('-', '_')}-*.whl")]
        links = "".join(f'<a href="/files/{name}">{name}</a>' for name in found)
        return (200 if found else 404), "text/html", f"<!DOCTYPE html><html><body>{links}</body></html>".encode()

    with _serving(answer) as requests:
        yield requests


@contextmanager
def code_artifact(token: str, repository_endpoint: str) -> Iterator[Requests]:
    """The two operations of CodeArtifact's API that lead to a package index."""

    def answer(request: BaseHTTPRequestHandler) -> tuple[int, str, bytes]:
        address = urlsplit(request.path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        if address.path == "/v1/authorization-token" and query == {"domain": "dom", "domain-owner": "123456789012"}:
            return 200, "application/json", json.dumps({"authorizationToken": token, "expiration": 1}).encode()
        if address.path == "/v1/repository/endpoint" and (query["repository"], query["format"]) == ("repo", "pypi"):
            return 200, "application/json", json.dumps({"repositoryEndpoint": repository_endpoint}).encode()
        return 404, "application/json", b'{"message": "no such repository"}'

    with _serving(answer) as requests:
        yield requests


@contextmanager
def _serving(answer: Answer) -> Iterator[Requests]:
    requests = Requests()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # noqa: N802 - the base class decides
            requests.seen.append(f"{self.command} {self.path}")
            requests.authorizations.append(self.headers.get("Authorization"))
            status, content_type, body = answer(self)
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    requests.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield requests
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
