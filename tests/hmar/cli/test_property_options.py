"""Every property is an option of ``hmar search``, and what is typed reaches the command by its name."""

from __future__ import annotations

from typing import Any

import click
import pytest
from click.testing import CliRunner

from hmar.cli.property_options import property_options
from hmar.properties.conditions import conditions_of_options
from hmar.properties.declaration import Property
from hmar.properties.table import TABLE


@click.command()
@property_options
@click.pass_context
def probe(context: click.Context, **typed: Any) -> None:
    context.find_root().obj.update(conditions_of_options(typed))


@pytest.mark.parametrize("item", TABLE.values(), ids=lambda item: item.name)
def test_an_option_becomes_the_condition_of_its_property(item: Property) -> None:
    found: dict[str, Any] = {}
    times = 2 if item.kind.repeatable else 1
    result = CliRunner().invoke(probe, [item.option, item.example] * times, obj=found)
    assert result.exit_code == 0
    assert found == {item.name: item.kind.from_options(item.name, [item.example])}


def test_options_are_helped_in_the_order_of_the_table_and_nothing_typed_is_no_condition() -> None:
    found: dict[str, Any] = {}
    assert CliRunner().invoke(probe, [], obj=found).exit_code == 0
    assert found == {}
    told = " ".join(CliRunner().invoke(probe, ["--help"]).output.split())
    places = [told.index(f" {item.option} ") for item in TABLE.values()]
    assert places == sorted(places)
    assert all(f"Only {item.finds}" in told for item in TABLE.values())
