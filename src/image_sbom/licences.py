"""Tells under which licences a Python distribution is, in SPDX's terms as far as its metadata allow.

What is ambiguous stays a name: `BSD License` says neither how many clauses there are nor whose. Only where a
distribution calls itself BSD and carries its licence's text is the number of clauses taken from that.
"""

from __future__ import annotations

import re
from email.message import Message
from typing import Iterable, Sequence

from cyclonedx.factory.license import LicenseFactory
from cyclonedx.model.license import DisjunctiveLicense, License, LicenseAcknowledgement, LicenseExpression
from cyclonedx.spdx import fixup_id
from license_expression import combine_expressions, get_spdx_licensing

from image_sbom.errors import BillError

NOT_DECLARED = "not declared"

_CLASSIFIED = {
    # Versions 1.0 and 1.1 went out of use before the index had classifiers.
    "Apache Software License": "Apache-2.0",
    "Historical Permission Notice and Disclaimer (HPND)": "HPND",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}

# What people write in the free field; compared in lower case.
_WRITTEN = {
    "2-clause bsd": "BSD-2-Clause",
    "3-clause bsd license": "BSD-3-Clause",
    "apache license 2.0": "Apache-2.0",
    "bsd 3-clause": "BSD-3-Clause",
    "bsd 3-clause license": "BSD-3-Clause",
    "mit license": "MIT",
    "new bsd": "BSD-3-Clause",
}

_REFERENCE = "LicenseRef-"
_spdx = get_spdx_licensing()
_factory = LicenseFactory()


def licences_of(metadata: Message, texts: Sequence[str]) -> list[License]:
    """The licences of a distribution: one expression, or one or several single licences.

    Args:
        metadata: Of its wheel.
        texts: The licence files of its wheel.
    """
    expression = metadata.get("License-Expression")
    field = metadata.get("License", "").strip()
    first_line = "" if field == "UNKNOWN" else field.partition("\n")[0].strip()
    if expression or _is_compound(first_line):
        return [_factory.make_from_string(expression or first_line, license_acknowledgement=_DECLARED)]
    classifiers = [item.split(" :: ") for item in metadata.get_all("Classifier", [])]
    # `License :: OSI Approved` alone names none.
    classified = [item[-1] for item in classifiers if item[0] == "License" and item[1:] != ["OSI Approved"]]
    if len(classified) > 1:
        # Whether all hold or one may be chosen is not said, and the field names one of them at most.
        return [_licence(name, "", texts) for name in classified]
    return [_licence("".join(classified), first_line, [field, *texts])]


_DECLARED = LicenseAcknowledgement.DECLARED


def _is_compound(text: str) -> bool:
    return bool(re.search(r" (AND|OR|WITH) ", text)) and not _spdx.validate(text).errors


def _licence(classified: str, written: str, texts: Sequence[str]) -> License:
    found = _CLASSIFIED.get(classified) or fixup_id(written) or _WRITTEN.get(written.lower())
    if found:
        return DisjunctiveLicense(id=found, acknowledgement=_DECLARED)
    if "BSD" in classified or "BSD" in written or not (classified or written):
        clauses = next(filter(None, map(_bsd_clauses, texts)), None)
        if clauses:
            return DisjunctiveLicense(id=clauses, acknowledgement=LicenseAcknowledgement.CONCLUDED)
    return DisjunctiveLicense(name=classified or written or NOT_DECLARED, acknowledgement=_DECLARED)


def _bsd_clauses(text: str) -> str | None:
    # The first such text only: those of bundled libraries may follow.
    grant, separator, rest = " ".join(text.split()).partition("Redistribution and use in source and binary forms")
    conditions, disclaimer, _ = rest.partition("THIS SOFTWARE IS PROVIDED")
    if not (separator and disclaimer) or "advertising materials" in conditions:
        return None
    return "BSD-3-Clause" if "endorse or promote products" in conditions else "BSD-2-Clause"


def expression_of(licences: Iterable[License]) -> str:
    """One SPDX expression that says that all of `licences` hold: sorted, and each named once.

    A licence that SPDX does not list becomes `LicenseRef-NAME`.

    Raises:
        BillError: what comes out is no valid expression.
    """
    parts: set[str] = set()
    for licence in licences:
        parsed = _spdx.parse(_as_expression(licence))
        parts.update(str(part) for part in (parsed.args if isinstance(parsed, _spdx.AND) else [parsed]))
    combined = str(combine_expressions(sorted(parts), relation="AND", licensing=_spdx))
    unknown = [key for key in _spdx.unknown_license_keys(combined) if not key.startswith(_REFERENCE)]
    if unknown:
        raise BillError(f"joining licences to {combined!r}: SPDX does not list {', '.join(unknown)}.")
    return combined


def _as_expression(licence: License) -> str:
    if isinstance(licence, LicenseExpression):
        return str(licence.value)
    if licence.id:
        return str(licence.id)
    return _REFERENCE + re.sub(r"[^A-Za-z0-9.]+", "-", licence.name or "").strip("-")
