"""Leaving secrets out of what is shown."""

from __future__ import annotations

import pytest

from sagemaker_sklearn_container.redaction import REDACTED, redacted


@pytest.mark.parametrize(
    "name",
    ["password", "DB_PASSWD", "api_key", "apikey", "SM_HP_API-KEY", "AWS_SECRET_ACCESS_KEY", "HF_TOKEN", "authToken"]
    + [
        "pwd",
        "DBPASS",
        "ssh_key",
        "signing-key",
        "Cookie",
        "AWS_ACCESS_KEY_ID",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "Authorization",
        "private.key",
    ],
)
def test_values_with_secret_names_are_not_shown(name: str) -> None:
    """T-11: whatever kind of value it is."""
    assert redacted("hunter2", name) == redacted(1234, name) == redacted({"a": 1}, name) == REDACTED


@pytest.mark.parametrize("name", ["epochs", "tokenizer", "author", "monkey", "key", "PWD", "tokenization_steps"])
def test_other_values_are_shown(name: str) -> None:
    """T-11."""
    assert redacted("value", name) == "value"


def test_secrets_inside_values_are_not_shown() -> None:
    """T-11: in nested objects, and in addresses."""
    value = {"db": {"user": "u", "password": "p"}, "index": ["https://aws:tok@host/simple/", "https://host/a@b"]}
    assert redacted(value) == {
        "db": {"user": "u", "password": REDACTED},
        "index": [f"https://{REDACTED}@host/simple/", "https://host/a@b"],
    }


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://u:p/q@host/x", f"https://{REDACTED}@host/x"),
        ("https://host/x?api_key=abc&page=2", f"https://host/x?api_key={REDACTED}&page=2"),
        ("Server=db;Password=abc;Encrypt=yes", f"Server=db;Password={REDACTED};Encrypt=yes"),
        ('{"password": "p", "n": 1}', f'{{"password": "{REDACTED}", "n": 1}}'),
        ('{"a": {"token": "p"}}', f'{{"a": {{"token": "{REDACTED}"}}}}'),
    ],
)
def test_secrets_inside_text_are_not_shown(text: str, shown: str) -> None:
    """T-11: queries, connection strings, JSON."""
    assert redacted(text) == shown


@pytest.mark.parametrize("text", ['{"n":1}', "[1,2]", "{", "a=b", "s3://bucket/key=1/x"])
def test_text_without_secrets_is_shown_as_it_is(text: str) -> None:
    """T-11."""
    assert redacted(text) == text


def test_an_empty_secret_is_shown_as_empty() -> None:
    """T-11: that a value is missing is worth knowing."""
    assert redacted("", "password") == ""
