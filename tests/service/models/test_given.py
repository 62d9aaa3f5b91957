"""An answer tells what is declared, and numbers as they are."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from hmar.values.frames import Units
from service.models.pictures import PictureHeaders
from service.models.regions import Box
from service.models.search_answer import Gate

BOX = {"x": 1, "y": 2.5, "width": 3.0, "height": 4}


def test_whole_numbers_stay_integers_and_others_stay_as_they_are() -> None:
    assert json.dumps(Box.of(BOX).to_json()) == json.dumps(BOX)


def test_a_field_that_is_not_declared_is_not_told_and_its_value_is_in_no_error() -> None:
    with pytest.raises(ValidationError) as error:
        Box.of(BOX | {"patient": "GEHEIM-0815"})
    assert "GEHEIM-0815" not in str(error.value)


def test_a_field_whose_name_is_a_word_of_python_has_it_in_json() -> None:
    assert Gate.of({"global": 0.25, "local": 0.75}).to_json() == {"global": 0.25, "local": 0.75}


def test_a_header_that_is_not_known_is_absent() -> None:
    headers = PictureHeaders(rows=2, columns=3, units=Units.HU, window="40,400").fields()
    assert headers == {
        "X-HMAR-Rows": "2",
        "X-HMAR-Columns": "3",
        "X-HMAR-Units": "HU",
        "X-HMAR-Window": "40,400",
    }
