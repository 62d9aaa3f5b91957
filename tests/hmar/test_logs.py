"""The same trouble is logged once a minute, other lines always."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys

import pytest

from hmar import request_ids
from hmar.logs import EVERY_S, JsonLines, OnceAMinute
from tests.phantoms import PATIENT_NAME


def record(text: str, level: int = logging.WARNING, *arguments: object) -> logging.LogRecord:
    return logging.LogRecord("hmar", level, __file__, 1, text, arguments, None)


def test_the_same_text_passes_once_a_minute_and_then_says_how_often_it_was_left_out() -> None:
    now = [0.0]
    told = OnceAMinute(lambda: now[0])
    assert told.filter(record("not ready: %s", logging.WARNING, "disk"))
    for _ in range(3):
        now[0] += 1
        assert not told.filter(record("not ready: %s", logging.WARNING, "disk"))
    assert told.filter(record("not ready: %s", logging.WARNING, "broker"))
    now[0] = EVERY_S
    again = record("not ready: %s", logging.WARNING, "disk")
    assert told.filter(again)
    assert again.getMessage() == "not ready: disk (3 more like it before)"


def test_a_text_that_was_not_left_out_stays_as_it_is() -> None:
    now = [0.0]
    told = OnceAMinute(lambda: now[0])
    told.filter(record("trouble"))
    now[0] = 10 * EVERY_S
    again = record("trouble")
    assert told.filter(again)
    assert again.getMessage() == "trouble"


def test_what_is_no_trouble_always_passes() -> None:
    told = OnceAMinute(lambda: 0.0)
    assert all(told.filter(record("GET /", logging.INFO)) for _ in range(3))


def test_texts_of_long_ago_are_forgotten() -> None:
    now = [0.0]
    told = OnceAMinute(lambda: now[0])
    for number in range(100):
        now[0] += EVERY_S
        told.filter(record(f"trouble {number}"))
    assert len(told._told) <= 3


def test_a_line_of_json_says_when_how_bad_who_and_what() -> None:
    one = record("a %s\nof two lines", logging.ERROR, "text")
    one.created = 1_796_000_000.25
    line = JsonLines().format(one)
    assert "\n" not in line
    assert json.loads(line) == {
        "time": "2026-11-30T00:53:20.250+00:00",
        "level": "ERROR",
        "logger": "hmar",
        "message": "a text\nof two lines",
    }


def test_a_line_of_json_has_the_id_of_the_request_that_is_worked_on() -> None:
    with request_ids.within("ward-7"):
        assert json.loads(JsonLines().format(record("GET /")))["request_id"] == "ward-7"


def test_a_line_of_json_says_where_an_error_happened_and_does_not_quote_it() -> None:
    one = record("it failed")
    try:
        raise ValueError(PATIENT_NAME)
    except ValueError:
        one.exc_info = sys.exc_info()
    told = json.loads(JsonLines().format(one))["exception"]
    assert told.endswith("ValueError")
    assert "test_logs.py" in told
    assert PATIENT_NAME not in told


@pytest.mark.slow
@pytest.mark.parametrize(("form", "is_json"), [("json", True), ("text", False), ("", False)])
def test_the_setting_chooses_the_form_of_every_line(form: str, is_json: bool) -> None:
    script = (
        "import logging, os; from hmar.logs import log_to_stderr\n"
        "log_to_stderr(logging.INFO, '%(levelname)s %(message)s', os.environ)\n"
        "logging.getLogger('library').warning('trouble')"
    )
    told = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "HMAR_LOG_FORMAT": form},
        capture_output=True,
        text=True,
        check=True,
    ).stderr.strip()
    assert (json.loads(told)["message"] if is_json else told) == ("trouble" if is_json else "WARNING trouble")
