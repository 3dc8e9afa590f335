"""The context of a request."""

from __future__ import annotations

import pytest

from sagemaker_sklearn_container.user_code.context import Context
from sagemaker_sklearn_container.user_code.results import Response

BODY = Response(b"x", "a/b", 200, (("X-Own", "1"),))


def test_what_a_request_says_is_readable() -> None:
    """U-26, S-30, S-31: under the names of the Multi Model Server, too."""
    context = Context("/models/m", "m", {"X-Amzn-Sagemaker-Target-Model": "t", "X-Request-Id": "r"})
    assert context.get_request_header(0, "X-Amzn-SageMaker-Target-Model") == "t"
    assert context.request_headers["x-amzn-sagemaker-target-model"] == "t"
    assert context.request_processor[0].get_request_property("X-AMZN-SAGEMAKER-TARGET-MODEL") == "t"
    assert context.get_all_request_header(0) == {"X-Amzn-Sagemaker-Target-Model": "t", "X-Request-Id": "r"}
    assert (context.get_request_header(0, "No"), context.get_request_id()) == (None, "r")
    assert (context.system_properties["model_dir"], context.system_properties["model_name"]) == ("/models/m", "m")
    assert (context.system_properties.get("gpu_id"), context.model_name) == (None, "m")


def test_what_is_set_is_readable_and_is_in_the_answer() -> None:
    """U-26, S-30: the last value of a header counts, in whatever case its name is written."""
    context = Context("", "")
    context.set_response_status(299, "ignored")
    context.set_response_content_type(0, "c/d")
    context.set_response_header(0, "X-Set", "1")
    context.set_response_header(0, "x-set", 2)
    assert context.get_response_content_type(0) == "c/d"
    assert context.get_response_headers(0) == {"x-set": "2"}
    completed = context.request_processor[0].completed(BODY, own=False)
    assert completed == Response(b"x", "c/d", 299, (("X-Own", "1"), ("x-set", "2")))
    context.set_all_response_status(250)
    context.set_response_header(0, "Content-Type", "e/f")
    completed = context.request_processor[0].completed(BODY, own=False)
    assert (completed.status, completed.content_type) == (250, "e/f")


def test_without_settings_the_answer_stays() -> None:
    """U-26."""
    assert Context("", "").request_processor[0].completed(BODY, own=False) == BODY
    assert Context("", "").request_processor[0].completed(BODY, own=True) is BODY


def test_a_response_object_of_the_script_stays_and_gets_only_headers_it_lacks() -> None:
    """U-28."""
    context = Context("", "")
    context.set_response_status(299)
    context.set_response_content_type(0, "c/d")
    context.set_response_header(0, "x-own", "2")
    context.set_response_header(0, "X-Amzn-SageMaker-Custom-Attributes", "c")
    completed = context.request_processor[0].completed(BODY, own=True)
    assert completed == Response(b"x", "a/b", 200, (("X-Own", "1"), ("X-Amzn-SageMaker-Custom-Attributes", "c")))


@pytest.mark.parametrize("code", [0, 100, 600, "200", None, True])
def test_only_final_status_codes_can_be_set(code: int) -> None:
    """U-26."""
    with pytest.raises(ValueError, match="Setting the status of the response: it is .* 200 to 599"):
        Context("", "").set_response_status(code)


@pytest.mark.parametrize("name", ["Content-Length", "connection", "Transfer-Encoding"])
def test_headers_of_the_server_cannot_be_set(name: str) -> None:
    """U-26."""
    with pytest.raises(ValueError, match=f"header {name}: the server sets it"):
        Context("", "").set_response_header(0, name, "1")


def test_a_header_that_cannot_be_sent_is_refused_where_it_is_set() -> None:
    """S-30."""
    with pytest.raises(ValueError, match="line break"):
        Context("", "").set_response_header(0, "X-A", "a\nb")


def test_there_is_one_request() -> None:
    """U-26."""
    with pytest.raises(IndexError):
        Context("", "").get_request_header(1, "Accept")
