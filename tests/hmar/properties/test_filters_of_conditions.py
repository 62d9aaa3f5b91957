"""What was typed for an option asks for the same when it is sent as a filter."""

from __future__ import annotations

import json

import pytest

from hmar.properties.conditions import conditions_of_json, conditions_of_options
from hmar.properties.python_filters import filters_as_json, filters_of_conditions
from hmar.properties.table import TABLE


@pytest.mark.parametrize("name", TABLE)
def test_an_option_and_the_filter_that_is_sent_for_it_are_one_condition(name: str) -> None:
    kind, example = TABLE[name].kind, TABLE[name].example
    typed = [example]
    separator = getattr(kind, "separator", None)
    if separator is not None:
        first, last = example.split(separator)
        typed += [f"{first}{separator}", f"{separator}{last}"]
    for text in typed:
        conditions = conditions_of_options({name: text})
        sent = json.loads(json.dumps(filters_as_json(filters_of_conditions(conditions)), allow_nan=False))
        assert conditions_of_json(sent) == conditions, text
