"""No NaN and no infinity reaches JSON."""

from __future__ import annotations

import json
import math

import numpy as np

from hmar.values.plain import finite_json


def test_numbers_that_are_not_finite_become_null_wherever_they_are() -> None:
    value = {"a": math.nan, "b": (1.5, -math.inf), 7: [{"c": np.float32("nan")}], "d": np.float64("inf")}
    text = json.dumps(finite_json(value), allow_nan=False)
    assert text == '{"a": null, "b": [1.5, null], "7": [{"c": null}], "d": null}'


def test_everything_else_stays_as_it_is() -> None:
    value = {"text": "NaN", "none": None, "yes": True, "whole": 2**70, "list": [0.1, -0.0]}
    assert finite_json(value) == value
