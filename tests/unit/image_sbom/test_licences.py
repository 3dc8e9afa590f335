"""Licences of distributions, from metadata as they are found on the index."""

from __future__ import annotations

from email.parser import Parser
from typing import Sequence

import pytest
from cyclonedx.model.license import DisjunctiveLicense, License, LicenseExpression
from license_expression import get_spdx_licensing

from image_sbom.errors import BillError
from image_sbom.licences import expression_of, licences_of

BSD = "License :: OSI Approved :: BSD License"
MIT = "License :: OSI Approved :: MIT License"
APACHE = "License :: OSI Approved :: Apache Software License"

TWO_CLAUSES = """
Copyright (c) someone. Redistribution and use in source and binary
forms, with or without modification, are permitted: retain this list; reproduce it.
THIS SOFTWARE IS PROVIDED "AS IS".
"""
THREE_CLAUSES = TWO_CLAUSES.replace("THIS", "No name may be used to endorse or promote products without leave.\nTHIS")
FOUR_CLAUSES = THREE_CLAUSES.replace("THIS", "All advertising materials must display it.\nTHIS")


def _licences(*lines: str, texts: Sequence[str] = ()) -> list[License]:
    return licences_of(Parser().parsestr("".join(f"{line}\n" for line in lines)), texts)


def _shown(licences: Sequence[License]) -> list[str]:
    shown = []
    for item in licences:
        text = item.value if isinstance(item, LicenseExpression) else item.id or f"named {item.name}"
        shown.append(f"{text}, {item.acknowledgement.value}" if item.acknowledgement else str(text))
    return shown


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["License-Expression: BSD-2-Clause"], ["BSD-2-Clause, declared"]),
        (["License-Expression: Apache-2.0 OR BSD-2-Clause"], ["Apache-2.0 OR BSD-2-Clause, declared"]),
        (
            ["License: Apache-2.0 OR MIT", f"Classifier: {APACHE}", f"Classifier: {MIT}"],
            ["Apache-2.0 OR MIT, declared"],
        ),
        (
            ["License: MIT License", f"Classifier: {APACHE}", f"Classifier: {MIT}"],
            ["Apache-2.0, declared", "MIT, declared"],
        ),
        (["License: UNKNOWN", f"Classifier: {APACHE}"], ["Apache-2.0, declared"]),
        (["License: new BSD", "Classifier: License :: OSI Approved"], ["BSD-3-Clause, declared"]),
        (["License: BSD-3-Clause", f"Classifier: {BSD}"], ["BSD-3-Clause, declared"]),
        (
            ["License: BSD 3-Clause License", "        Copyright (c) someone", f"Classifier: {BSD}"],
            ["BSD-3-Clause, declared"],
        ),
        (["License: BSD", f"Classifier: {BSD}"], ["named BSD License, declared"]),
        (["License: Ours AND yours"], ["named Ours AND yours, declared"]),
        (["License: Proprietary"], ["named Proprietary, declared"]),
        (["Name: nothing"], ["named not declared, declared"]),
    ],
)
def test_metadata_become_spdx_ids_where_they_are_unambiguous(lines: list[str], expected: list[str]) -> None:
    assert _shown(_licences(*lines)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (TWO_CLAUSES, "BSD-2-Clause, concluded"),
        (THREE_CLAUSES, "BSD-3-Clause, concluded"),
        (FOUR_CLAUSES, "named BSD License, declared"),
        ("Do as you please.", "named BSD License, declared"),
        # What a library bundles comes after its own.
        (TWO_CLAUSES + THREE_CLAUSES, "BSD-2-Clause, concluded"),
    ],
)
def test_the_text_of_a_bsd_licence_tells_its_clauses(text: str, expected: str) -> None:
    assert _shown(_licences("License: BSD", f"Classifier: {BSD}", texts=[text])) == [expected]


def test_a_text_says_nothing_of_a_licence_that_is_not_called_bsd() -> None:
    assert _shown(_licences("License: PSF", texts=[THREE_CLAUSES])) == ["named PSF, declared"]


def test_licences_are_joined_sorted_and_once() -> None:
    licences: list[License] = [
        DisjunctiveLicense(id="MIT"),
        LicenseExpression("MPL-2.0 AND MIT"),
        LicenseExpression("MIT OR Apache-2.0"),
        DisjunctiveLicense(name="Python Software Foundation License"),
        DisjunctiveLicense(id="BSD-3-Clause"),
    ]
    joined = expression_of(licences)
    assert joined == expression_of(reversed(licences))
    assert joined == (
        "BSD-3-Clause AND LicenseRef-Python-Software-Foundation-License AND MIT AND (MIT OR Apache-2.0) AND MPL-2.0"
    )
    spdx = get_spdx_licensing()
    assert spdx.unknown_license_keys(joined) == ["LicenseRef-Python-Software-Foundation-License"]


def test_an_expression_of_unlisted_licences_is_refused() -> None:
    with pytest.raises(BillError, match="SPDX does not list Nobodys-1.0"):
        expression_of([LicenseExpression("MIT OR Nobodys-1.0")])
