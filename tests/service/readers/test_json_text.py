from __future__ import annotations

import json
import time

import pytest

from service.errors import MalformedRequestError
from service.readers.json_text import MAX_BYTES, MAX_DEPTH, json_value


@pytest.mark.parametrize("value", [{}, {"a": [1, 2.5, None, True, 'ü"\\[{']}, [[[]]], "x", 7, None])
def test_json_is_read_as_the_standard_library_reads_it(value: object) -> None:
    text = json.dumps(value)
    assert json_value(text) == json_value(text.encode()) == json.loads(text)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('{"k": 1, "k": 2}', "'k'"),
        ('{"a": [{"b": {"k": 1, "k": 1}}]}', "'k'"),
        ('{"\\u006b": 1, "k": 1}', "'k'"),
        ('{"k": NaN}', "NaN"),
        ('{"k": -Infinity}', "-Infinity"),
        ('{"k": 1e999}', "1e999"),
        ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "deeply"),
        ("[" * 200_000, "deeply"),
        ('{"a":' * 100_000, "deeply"),
        ("{} {}", "cannot be parsed at character 3"),
        ('{"k": 1}x', "cannot be parsed"),
        ("", "cannot be parsed at character 0"),
        ("{'k': 1}", "cannot be parsed"),
        ('{"k": 01}', "cannot be parsed"),
        ('{"k": ' + "9" * 5000 + "}", "cannot be parsed"),
        ('{"k": "\\ud800"}', "surrogate"),
        ('{"\\udfff": 1}', "surrogate"),
        ("\ufeff{}", "cannot be parsed"),
        (" " * (MAX_BYTES + 1), str(MAX_BYTES + 1)),
    ],
)
def test_what_is_no_strict_json_is_refused_and_named(text: str, named: str) -> None:
    with pytest.raises(MalformedRequestError) as refused:
        json_value(text)
    assert named in refused.value.detail
    assert len(refused.value.detail) < 200


@pytest.mark.parametrize("data", [b"\xff{}", '{"k": 1}'.encode("utf-16"), b'{"k": "\xed\xa0\x80"}'])
def test_bytes_that_are_not_utf_8_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedRequestError):
        json_value(data)


def test_brackets_in_texts_are_no_depth() -> None:
    assert json_value(json.dumps(["[" * 100, '\\"[[' * 50])) == ["[" * 100, '\\"[[' * 50]


@pytest.mark.parametrize("unit", ['\\"', '"', "\\", '"[', "[]"])
def test_the_time_grows_with_the_size_and_not_with_its_square(unit: str) -> None:
    text = '"' + unit * ((MAX_BYTES - 8) // len(unit))
    started = time.process_time()
    with pytest.raises(MalformedRequestError):
        json_value(text)
    # The square would take minutes.
    assert time.process_time() - started < 10
