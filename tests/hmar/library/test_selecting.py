"""Filters as Python values."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from hmar.errors import ParameterError
from hmar.library.selecting import selection_from
from hmar.values.selection import Selection


def test_one_text_and_several_are_filters() -> None:
    assert selection_from({"modality": "ct", "body_part": ["CHEST", "abdomen"]}) == Selection(
        filters={"modality": frozenset({"CT"}), "body_part": frozenset({"CHEST", "ABDOMEN"})}
    )
    assert selection_from(
        {"sex": "f", "manufacturer": "Phantom Works, 1", "label": (label for label in ("a", "b"))}
    ) == Selection(
        filters={
            "sex": frozenset({"F"}),
            "manufacturer": frozenset({"PHANTOM WORKS, 1"}),
            "label": frozenset({"a", "b"}),
        }
    )


def test_ranges_have_two_ends_of_which_one_may_be_open() -> None:
    assert selection_from({"age_years": (40, None)}).filters["age_years"] == (40, 90)
    assert selection_from({"study_date": (date(2020, 1, 2), "2021-03-04")}).filters["study_date"] == (
        date(2020, 1, 2),
        date(2021, 3, 4),
    )
    assert selection_from({"study_date": (None, "2021-03-04")}).filters["study_date"] == (
        date.min,
        date(2021, 3, 4),
    )


def test_none_does_not_filter_and_the_rest_is_taken_over() -> None:
    assert selection_from({"modality": None, "age_years": None}, "teaching", "patient") == Selection(
        "teaching", group_by="patient"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("modalty", "CT"),
        ("modality", []),
        ("modality", 3),
        ("modality", ["CT", 3]),
        ("modality", "no such modality as this"),
        ("age_years", 40),
        ("age_years", (40,)),
        ("age_years", (True, 50)),
        ("age_years", ("40", "50")),
        ("age_years", (50, 40)),
        ("study_date", "2020-01-01"),
        ("study_date", (20200101, None)),
        ("study_date", ("1.1.2020", None)),
    ],
)
def test_what_can_be_no_filter_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ParameterError):
        selection_from({name: value})
    with pytest.raises(ParameterError, match="group_by"):
        selection_from({}, group_by="country")  # type: ignore[arg-type]
