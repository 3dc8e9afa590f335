"""Files and headers.

Source: contract U-44.
"""

from __future__ import annotations

import re
from typing import Any, Mapping

_CONTENT_TYPE = re.compile("content-?type", re.IGNORECASE)


def read_file(path: str, mode: str = "r") -> Any:
    """The content of a file: text, or bytes if the mode says so."""
    with open(path, mode) as stream:
        return stream.read()


def write_file(path: str, data: Any, mode: str = "w") -> None:
    """Write text to a file, or bytes if the mode says so."""
    with open(path, mode) as stream:
        stream.write(data)


def retrieve_content_type_header(request_property: Mapping[str, str]) -> str | None:
    """The content type among the headers of a request, None if there is none; case and hyphen do not matter."""
    return next((value for name, value in request_property.items() if _CONTENT_TYPE.match(name)), None)


def parse_accept(accept: str) -> list[str]:
    """The entries of an Accept header, without blanks."""
    return accept.replace(" ", "").split(",")


def remove_crlf(illegal_string: str) -> str:
    """The text with a blank in place of every carriage return and line feed."""
    return illegal_string.replace("\r", " ").replace("\n", " ")
