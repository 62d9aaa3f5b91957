"""The table of properties as a whole: its entries agree with each other and with their examples."""

from __future__ import annotations

from dataclasses import replace
from typing import get_type_hints

import numpy as np
import pytest
from pydicom.datadict import tag_for_keyword

from hmar.errors import ParameterError
from hmar.properties.conditions import conditions_of_json, conditions_of_options
from hmar.properties.declaration import Property
from hmar.properties.table import TABLE, Properties
from hmar.values.frames import FrameInfo
from service.models.given import Given
from service.models.properties import with_shown_properties
from tests.contract.examples import info
from tests.samples import conditions, fits, samples

every = pytest.mark.parametrize("item", TABLE.values(), ids=lambda item: item.name)


def test_names_plurals_and_options_are_used_once() -> None:
    for told in ("name", "plural", "option"):
        assert len({getattr(item, told) for item in TABLE.values()}) == len(TABLE)


@every
def test_a_property_has_the_type_of_its_kind_and_may_be_unknown_if_nothing_stands_for_it(
    item: Property,
) -> None:
    hint = get_type_hints(Properties)[item.name]
    assert hint == (item.kind.stored if item.unknown is not None else item.kind.stored | None)
    assert getattr(Properties(), item.name) == item.unknown
    assert get_type_hints(FrameInfo)[item.name] == hint


@every
def test_an_example_is_what_a_filter_may_ask_for_and_sources_are_elements_of_the_standard(
    item: Property,
) -> None:
    assert conditions_of_options({item.name: item.example}).keys() == {item.name}
    for source in item.sources:
        assert all(tag_for_keyword(keyword) is not None for keyword in source.split(".")), source


@every
def test_values_and_columns_of_values_fit_the_same_conditions(item: Property) -> None:
    values, positions = [*samples(item), None], {}
    column = np.array(item.kind.encode(values, positions), item.kind.dtype)
    assert bool(positions) == item.kind.texts
    for condition in conditions(item):
        expected = [fits(value, condition) for value in values]
        assert item.kind.fitting(column, condition, positions).tolist() == expected
        assert [item.kind.fits(value, condition) for value in values] == expected


@every
def test_a_value_that_is_too_long_for_its_column_is_never_kept(item: Property) -> None:
    if item.kind.length is not None:
        assert max(len(str(value)) for value in samples(item)) == item.kind.length


def test_a_property_that_may_not_be_shown_is_in_no_answer_and_can_be_filtered_by(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(TABLE, "sex", replace(TABLE["sex"], shown=False))
    assert list(info(sex="F").properties()) == [name for name in TABLE if name != "sex"]
    assert list(with_shown_properties(Given).model_fields) == [name for name in TABLE if name != "sex"]
    assert conditions_of_json({"sex": "F"}) == {"sex": {"F"}}


def test_conditions_are_those_asked_for() -> None:
    asked = {"modality": ["ct", "MR"], "age_years": {"min": 40}}
    expected = {"modality": {"CT", "MR"}, "age_years": (40, 90)}
    assert conditions_of_json(asked) == expected
    typed = {"modality": ("ct", "MR"), "age_years": "40-", "label": (), "study_date": None}
    assert conditions_of_options(typed) == expected
    assert conditions_of_json({}) == {}
    with pytest.raises(ParameterError, match="There is no property 'colour'"):
        conditions_of_json({"colour": "red"})


@every
def test_nothing_at_all_is_no_condition(item: Property) -> None:
    for asked in (None, [], {}, 7):
        with pytest.raises(ParameterError):
            conditions_of_json({item.name: asked})
    with pytest.raises(ParameterError):
        conditions_of_options({item.name: ""})
