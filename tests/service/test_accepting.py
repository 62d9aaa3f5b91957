"""Which form of an answer an Accept chooses."""

from __future__ import annotations

import pytest

from service.accepting import RELATED, Form, chosen_form
from service.errors import NotAcceptableError

WHOLE, PART = Form("application/dicom"), Form(RELATED, "application/dicom")
STORED = "1.2.840.10008.1.2.4.90"


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (None, PART),
        ("*/*", PART),
        ("multipart/*", PART),
        ("application/*", WHOLE),
        ("application/dicom", WHOLE),
        ('multipart/related; type="application/dicom"', PART),
        ("Multipart/Related; Type=application/dicom", PART),
        ("multipart/related; type=application/dicom; transfer-syntax=*", PART),
        (f"multipart/related; type=application/dicom; transfer-syntax={STORED}", PART),
        ("image/jpeg, application/dicom;q=0.5, multipart/related;q=0.1", WHOLE),
        ("application/dicom; transfer-syntax=1.2, multipart/related;q=0.1", PART),
        ("multipart/related;q=0, */*", WHOLE),
        ("*/*, multipart/related;q=0", WHOLE),
        ("multipart/*;q=0, */*;q=0.1", WHOLE),
        ("multipart/related;q=0, multipart/related; type=application/dicom", PART),
        ("application/dicom, multipart/related", WHOLE),
        ("*/*;q=0.5, application/dicom;q=0.1", PART),
    ],
)
def test_the_form_liked_best_is_chosen(accept: str | None, form: Form) -> None:
    assert chosen_form(accept, (PART, WHOLE), STORED) == form


@pytest.mark.parametrize(
    "accept",
    [
        "image/jpeg",
        "application/dicom;q=0",
        "application/dicom;q=many",
        "multipart/related; type=image/jpeg",
        "multipart/related; type=application/dicom; transfer-syntax=1.2.840.10008.1.2.1",
        ";,,;",
        '"',
    ],
)
def test_what_is_not_accepted_is_refused_and_what_there_is_is_named(accept: str) -> None:
    with pytest.raises(NotAcceptableError, match=f"or application/dicom in.*{STORED}"):
        chosen_form(accept, (PART, WHOLE), STORED)
