"""What every adapter says of subscriptions."""

from __future__ import annotations

from hmar.errors import ParameterError, shown


def name_taken(name: str) -> ParameterError:
    """Return the error for a name that another subscription has."""
    return ParameterError(f"There is a webhook named {shown(name)}.", "Take another name, or remove it.")
