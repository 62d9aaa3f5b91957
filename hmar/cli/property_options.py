"""The options of ``hmar search`` that filter by a property."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from hmar.properties.declaration import Property
from hmar.properties.table import TABLE

Command = TypeVar("Command", bound=Callable[..., Any])


def property_options(command: Command) -> Command:
    """Add an option for each property of the table; the command takes them by the properties' names."""
    for item in reversed(list(TABLE.values())):
        command = _option(item)(command)
    return command


def _option(item: Property) -> Callable[[Command], Command]:
    several = item.kind.repeatable
    forms = item.kind.option_forms(item.example).replace("`", "")
    return click.option(
        item.option,
        item.name,
        multiple=several,
        metavar=None if several else item.example,
        help=f"Only {item.finds} ({forms}){'; any of several' if several else ''}.",
    )
