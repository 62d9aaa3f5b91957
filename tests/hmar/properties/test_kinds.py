"""Kinds of properties: what they keep of a header, and what a filter may ask of them."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmar.errors import ParameterError
from hmar.properties.header_text import whole_years
from hmar.properties.kinds.any_of import AnyOf
from hmar.properties.kinds.choices import Choices
from hmar.properties.kinds.codes import Codes
from hmar.properties.kinds.days import Days
from hmar.properties.kinds.decimals import Decimals
from hmar.properties.kinds.kind import Kind
from hmar.properties.kinds.labels import Labels, label_value
from hmar.properties.kinds.names import Names
from hmar.properties.kinds.whole_numbers import WholeNumbers
from hmar.properties.kinds.words import Words
from hmar.properties.kinds.yes_no import YesNo

CODES, SEXES, LABELS, YES_NO = Codes(), Choices("F", "M", "O"), Labels(), YesNo()
MAKERS, KERNELS = Names(such_as="SIEMENS"), Names(such_as="B30F", joined=True)
AGES = WholeNumbers("age", "years", greatest=90, number_of=whole_years)
DESCRIPTIONS = Words()
DAYS, MEASURES = Days("study date"), Decimals("slice thickness", "mm")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("SIEMENS", "SIEMENS"),
        (" Philips  Medical\tSystems ", "PHILIPS MEDICAL SYSTEMS"),
        ("HOLOGIC, Inc.", "HOLOGIC, INC."),
        ('"GE Healthcare"', "GE HEALTHCARE"),
        ("GE MEDICAL S]STEMS", "GE MEDICAL S STEMS"),
        ("CHEST\nX-Injected: yes", "CHEST X-INJECTED YES"),
        ("", None),
        (" \0 ", None),
        ("€", None),
    ],
)
def test_a_name_is_kept_in_upper_case_and_few_signs(typed: str, kept: str | None) -> None:
    assert MAKERS.read([typed]) == kept


def test_the_first_of_several_values_counts_unless_they_make_one_name() -> None:
    assert MAKERS.read(["Siemens", "Philips"]) == "SIEMENS"
    assert KERNELS.read(["I31f", "3"]) == "I31F 3"
    assert CODES.read(["CT", "MR"]) == "CT"
    for kind in (MAKERS, KERNELS, CODES, SEXES, AGES, DAYS, MEASURES, YES_NO):
        assert kind.read([]) is None
        assert kind.read([""]) is None


@pytest.mark.slow
@given(st.lists(st.text(max_size=80), min_size=1, max_size=3))
def test_what_is_kept_of_a_text_finds_itself_and_so_does_the_text(typed: list[str]) -> None:
    for kind in (CODES, SEXES, MAKERS):
        kept = kind.read(typed)
        if kept is not None:
            assert len(kept) <= 64
            assert kind.from_options("x", [kept]) == kind.from_options("x", typed[:1]) == {kept}
    joined = KERNELS.read(typed)
    if joined is not None:
        assert (
            KERNELS.from_options("x", ["\\".join(typed)]) == KERNELS.from_options("x", [joined]) == {joined}
        )


@pytest.mark.parametrize("wrong", ["", "   ", "x" * 65, "a\nb", "a\0b"])
def test_a_label_has_1_to_64_printable_characters(wrong: str) -> None:
    with pytest.raises(ParameterError, match="The label is"):
        label_value(wrong)
    assert label_value(" nodules, set 2: née ") == "nodules, set 2: née"


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        (CODES, "CT*", r"name is 'CT\*'"),
        (CODES, "x" * 17, "name is 'xxx"),
        (SEXES, "female", "name is 'female'"),
        (MAKERS, "***", r"name is '\*\*\*'"),
        (LABELS, "", "The label is ''"),
        (DESCRIPTIONS, "Miller", "name is 'Miller'"),
        (DESCRIPTIONS, "LUNG Miller", "name is 'LUNG Miller'"),
    ],
)
def test_a_text_that_can_be_none_is_refused_by_name(kind: AnyOf, value: str, said: str) -> None:
    for asked in (value, [value, value]):
        with pytest.raises(ParameterError, match=said) as raised:
            kind.from_json("name", asked)
        assert raised.value.remedy.startswith("Give ")


def test_texts_are_brought_into_the_form_that_is_kept() -> None:
    assert CODES.from_options("modality", ["ct", " MR "]) == {"CT", "MR"}
    assert SEXES.from_json("sex", ["f", "M"]) == {"F", "M"}
    assert LABELS.from_json("label", " Set 2 ") == {"Set 2"}


def test_a_description_is_found_by_its_words_in_any_order_and_case() -> None:
    values, positions = ["CHEST LUNG 1.25mm", "LUNG 5.0", "FLAIR SAG", None], {}
    column = np.array(DESCRIPTIONS.encode(values, positions), DESCRIPTIONS.dtype)

    def found(*typed: str) -> list[str | None]:
        condition = DESCRIPTIONS.from_options("name", typed)
        mask = DESCRIPTIONS.fitting(column, condition, positions)
        assert mask.tolist() == [DESCRIPTIONS.fits(value, condition) for value in values]
        return [value for value, is_in in zip(values, mask, strict=True) if is_in]

    assert found("lung") == ["CHEST LUNG 1.25mm", "LUNG 5.0"]
    assert found("1.25 mm lung") == ["CHEST LUNG 1.25mm"]
    assert found("sag", "5.0") == ["LUNG 5.0", "FLAIR SAG"]
    assert found("lung flair") == []


def test_an_open_end_of_a_band_goes_as_far_as_it_goes() -> None:
    assert AGES.from_options("age", ["40-"]) == AGES.from_json("age", {"min": 40}) == (40, 90)
    assert AGES.from_options("age", ["-40"]) == AGES.from_json("age", {"max": 40}) == (0, 40)
    assert DAYS.from_options("date", ["2020-02-29.."]) == (date(2020, 2, 29), date.max)
    assert DAYS.from_json("date", {"to": "2020-02-29"}) == (date.min, date(2020, 2, 29))
    assert MEASURES.from_options("mm", [" 0.7 - "]) == MEASURES.from_json("mm", {"min": 0.7}) == (0.7, np.inf)
    assert MEASURES.from_options("mm", ["-3"]) == MEASURES.from_json("mm", {"max": 3}) == (0, 3)


@pytest.mark.parametrize("asked", [{}, {"min": None}, {"min": 40, "max": None}, {"least": 3}, [1, 2], 3])
def test_a_band_is_an_object_of_its_ends_and_null_is_none(asked: object) -> None:
    with pytest.raises(ParameterError, match="Give an object of min and max, or of one of them"):
        AGES.from_json("age_years", asked)


@pytest.mark.parametrize("band", [(60, 40), (-1, 5), (0, 91)])
def test_a_band_of_ages_lies_within_0_to_90(band: tuple[int, int]) -> None:
    with pytest.raises(ParameterError, match=f"{band[0]} to {band[1]} years"):
        AGES.from_json("age_years", {"min": band[0], "max": band[1]})
    with pytest.raises(ParameterError, match="91 to None years"):
        AGES.from_json("age_years", {"min": 91})


@pytest.mark.parametrize("band", [(2.5, 1.0), (-0.1, 5.0)])
def test_a_band_of_measures_begins_at_0(band: tuple[float, float]) -> None:
    with pytest.raises(ParameterError, match=rf"slice thickness band is {band[0]} to {band[1]} mm"):
        MEASURES.from_json("x", {"min": band[0], "max": band[1]})


@pytest.mark.parametrize("end", [True, "1", float("inf"), float("nan"), 10**400, [1], {}])
def test_an_end_of_a_band_of_measures_is_a_finite_number(end: object) -> None:
    with pytest.raises(ParameterError, match="Give numbers of mm"):
        MEASURES.from_json("x", {"min": end})


@pytest.mark.parametrize(
    "ends",
    [
        {"from": "2021-01-01", "to": "2020-01-01"},
        {"from": "2021-02-29"},
        {"from": "20210101"},
        {"from": "2021-W01-1"},
        {"to": "yesterday"},
        {"from": ""},
    ],
)
def test_study_dates_are_days_in_order(ends: dict[str, str]) -> None:
    with pytest.raises(ParameterError, match="study date"):
        DAYS.from_json("x", ends)


@pytest.mark.parametrize(
    ("kind", "typed", "said"),
    [
        (AGES, "40", "The age is '40', which is not a range. Give both ends, A-B"),
        (AGES, "forty-60", "The age is 'forty'"),
        (AGES, "1000-", "The age is '1000'"),
        (MEASURES, "1.25", "The slice thickness is '1.25', which is not a range"),
        (MEASURES, "1e3-", "The slice thickness is '1e3'"),
        (MEASURES, "1-2-3", "The slice thickness is '2-3'"),
        (DAYS, "2020", "The study date is '2020', which is not a range. Give both ends, A..B"),
        (DAYS, "2020..", "The study date is '2020'"),
        (YES_NO, "maybe", "x is 'maybe'"),
    ],
)
def test_an_option_that_means_nothing_is_named(kind: Kind, typed: str, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        kind.from_options("x", [typed])


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("2.500000", 2.5),
        ("0.69999998807907", 0.7),
        ("+1.25E+0", 1.25),
        ("1000", 1000.0),
        ("0", None),
        ("0.0004", None),
        ("-5", None),
        ("nan", None),
        ("1e999", None),
        ("5 mm", None),
    ],
)
def test_a_measure_is_above_0_and_rounded_to_three_decimals(text: str, kept: float | None) -> None:
    assert MEASURES.read([text]) == kept


def test_a_whole_measure_is_a_whole_number_in_json() -> None:
    assert json.dumps([MEASURES.to_json(value) for value in (5.0, 2.5)]) == "[5, 2.5]"


@pytest.mark.parametrize(
    ("texts", "answer"),
    [
        (["OMNIPAQUE 350"], True),
        (["IV"], True),
        (["Non-ionic"], True),
        (["YES"], True),
        (["NO", "YES"], True),
        (["NO", ""], False),
        (["NO"], False),
        (["none"], False),
        (["No contrast"], False),
        (["NON-CONTRAST"], False),
        (["without"], False),
        (["N"], False),
        ([""], None),
        (["."], None),
        (["0"], None),
        (["N/A"], None),
        (["unknown"], None),
        ([], None),
    ],
)
def test_yes_and_no_are_told_from_silence(texts: list[str], answer: bool | None) -> None:
    assert YES_NO.read(texts) is answer


def test_yes_or_no_is_asked_for_as_such() -> None:
    assert YES_NO.from_json("x", True) is YES_NO.from_options("x", ["Yes"]) is True
    assert YES_NO.from_json("x", False) is YES_NO.from_options("x", ["no"]) is False
    for asked in ("yes", 1, None, [True]):
        with pytest.raises(ParameterError, match="Give true or false"):
            YES_NO.from_json("x", asked)


def test_the_forms_that_people_are_shown_are_taken() -> None:
    assert AGES.json_forms("40-60") == '`{"min": 40, "max": 60}`, or one of the two'
    assert DAYS.json_forms("2020-01-01..2020-12-31").startswith(
        '`{"from": "2020-01-01", "to": "2020-12-31"}`'
    )
    assert MEASURES.option_forms("0.5-1.25") == "`0.5-1.25`, `0.5-` or `-1.25`"
    assert SEXES.json_forms("F") == '`"F"`, `"M"`, `"O"`, or several'
    assert SEXES.option_forms("F") == "`F`, `M` or `O`"
    assert CODES.json_forms("CT") == '`"CT"`, or several'
    assert (YES_NO.json_forms("yes"), YES_NO.option_forms("yes")) == ("`true` or `false`", "`yes` or `no`")
