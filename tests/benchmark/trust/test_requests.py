"""Which alarms of the request trial are false: a form has no types, but the JSON in its fields has."""

from __future__ import annotations

from typing import Any

import pytest

from benchmark.trust.requests import alarms, in_form

WHOLE = [
    "in body - label: Incorrect type",
    "violates `type` at /properties/centre (was number, became array)",
]
INSIDE = [
    "in body - filters -> age_years -> max: Incorrect type",
    "violates `type` at /properties/filters/properties/sex (was string, became number)",
]


def failed(message: str) -> list[dict[str, Any]]:
    return [{"status": "failure", "failure_info": {"failure": {"title": "Accepted", "message": message}}}]


@pytest.mark.parametrize("message", WHOLE)
def test_another_type_is_no_alarm_in_a_form_and_one_in_json(message: str) -> None:
    assert list(alarms(failed(message), 200, True)) == []
    assert list(alarms(failed(message), 200, False)) == [f"Accepted (200): {message}"]


@pytest.mark.parametrize("message", [*INSIDE, "body: missing required field"])
def test_what_is_inside_the_json_of_a_form_is_an_alarm(message: str) -> None:
    assert list(alarms(failed(message), 200, True)) == [f"Accepted (200): {message}"]


def test_a_method_that_http_does_not_have_is_no_alarm() -> None:
    assert list(alarms(failed("x"), 501, False)) == []


@pytest.mark.parametrize(
    ("planned", "sent", "form"),
    [
        ("multipart/form-data", None, True),
        ("application/json", None, False),
        ("application/json", "multipart/form-data; boundary=x", True),
        ("multipart/form-data", "application/json", False),
    ],
)
def test_a_form_is_known_by_the_type_that_was_sent(planned: str, sent: str | None, form: bool) -> None:
    assert in_form(planned, {"headers": {"Content-Type": [sent]} if sent else {}}) is form
