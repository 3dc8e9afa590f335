"""What clients ask about models, read and checked once."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Mapping
from urllib.parse import parse_qs, quote

from sagemaker_sklearn_container.gateway.request import HttpRequest
from sagemaker_sklearn_container.multi_model.errors import BadRequestError, ModelDirectoryError

# Let a caller run code that is not the endpoint's own.
_REFUSED = ("handler", "runtime")
_LONGEST_BODY = 64 * 1024
_LONGEST_NAME = 16 * 1024  # percent-encoded; half of what a request's head may have
_MOST_MODELS = 100  # in one answer (M-13)
_MOST_WORKERS = 1000
_SHOWN = 200


@dataclass(frozen=True)
class LoadRequest:
    """A model to load: its name, and the absolute path of its directory."""

    name: str
    url: str


def load_request(request: HttpRequest, base: Path) -> LoadRequest:
    """What POST /models asks for, in its body or, if there is none, in the query string.

    Args:
        request: With the body.
        base: The platform's directory, in which all models are.

    Raises:
        BadRequestError: something is missing, or not allowed.
        ModelDirectoryError: the directory is not there.

    Source: contract M-03, M-05, M-09 to M-11.
    """
    if request.length > _LONGEST_BODY:
        raise BadRequestError(f"The request to load a model has {request.length} bytes; at most {_LONGEST_BODY}.")
    given = _fields(bytes(request.body), request.target.query)
    refused = [name for name in _REFUSED if given.get(name)]
    if refused:
        raise BadRequestError(f"Loading a model: the parameter {refused[0]} is not allowed; leave it out.")
    name, url = given.get("model_name"), given.get("url")
    for key, value in (("model_name", name), ("url", url)):
        if not isinstance(value, str) or not value:
            raise BadRequestError(f"Parameter {key} is required: a text that is not empty.")
    if len(quote(str(name), safe="", errors="surrogatepass")) > _LONGEST_NAME:
        raise BadRequestError(
            f"model_name has {len(str(name))} characters; encoded for a path it may have {_LONGEST_NAME} at most, or "
            "no request could reach the model."
        )
    return LoadRequest(str(name), _directory(str(url), base))


def _fields(body: bytes, query: str) -> Mapping[str, object]:
    if not body.strip():
        return query_fields(query)
    try:
        given = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise BadRequestError(f"The request to load a model is no JSON: {exc}.") from None
    if not isinstance(given, dict):
        raise BadRequestError("The request to load a model must be a JSON object with model_name and url.")
    return given


def _directory(url: str, base: Path) -> str:
    shown = repr(url if len(url) <= _SHOWN else url[:_SHOWN] + "...")
    if not os.path.isabs(url) or "\0" in url:
        raise BadRequestError(f"url is {shown}; it must be the absolute path of the model's directory below {base}.")
    if ".." in url.split("/") or not _is_below(url, base):
        raise BadRequestError(f"url is {shown}; the model must be below {base}, without '..' in the path.")
    try:
        if not os.path.isdir(url):
            if os.path.exists(url):
                raise BadRequestError(f"url is {shown}, a file; it must be the directory of an unpacked model.")
            raise ModelDirectoryError(f"There is no directory {shown}.")
    except (OSError, ValueError) as exc:
        raise ModelDirectoryError(f"The directory {shown} cannot be looked at: {exc}.") from None
    return url


def _is_below(url: str, base: Path) -> bool:
    """Whether the directory is below the base, as it is written and when links are followed."""
    for root, path in (
        (os.path.normpath(base), os.path.normpath(url)),
        (os.path.realpath(base), os.path.realpath(url)),
    ):
        if path == root or os.path.commonpath((root, path)) != root:
            return False
    return True


@dataclass(frozen=True)
class Page:
    """A part of the list of models: from which one on, and how many at most."""

    start: int
    limit: int


def page(query: str) -> Page:
    """The part that GET /models asks for; what makes no sense counts as not said.

    Source: contract M-13.
    """
    given = query_fields(query)
    limit = _number(given.get("limit"), 1, _MOST_MODELS, _MOST_MODELS)
    return Page(_number(given.get("next_page_token"), 0, 2**31, 0), limit)


@dataclass(frozen=True)
class ScaleRequest:
    """How many workers a model is to have, and whether the answer waits for them."""

    workers: int
    synchronous: bool


def scale_request(query: str, workers: int) -> ScaleRequest:
    """What PUT /models/NAME asks for, of a model that has so many workers.

    Raises:
        BadRequestError: a number is none, or the most are fewer than the least.

    Source: contract M-20.
    """
    given = query_fields(query)
    least = _workers(given, "min_worker", 1)
    most = _workers(given, "max_worker", max(least, workers))
    if most < least:
        raise BadRequestError(f"max_worker is {most}, less than min_worker, which is {least}.")
    return ScaleRequest(min(max(workers, least), most), given.get("synchronous", "").lower() == "true")


def _workers(given: Mapping[str, str], name: str, default: int) -> int:
    if name not in given:
        return default
    number = _number(given[name], 0, _MOST_WORKERS, -1)
    if number < 0:
        raise BadRequestError(f"{name} is {given[name][:_SHOWN]!r}; it must be a number, 0 to {_MOST_WORKERS}.")
    return number


def query_fields(query: str) -> dict[str, str]:
    """The first value of each name in a query string."""
    return {name: values[0] for name, values in parse_qs(query, keep_blank_values=True).items()}


def _number(text: str | None, least: int, most: int, default: int) -> int:
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 10:
        return default
    return int(text) if least <= int(text) <= most else default
