"""Conditions as people write them: in a request, or as options of a command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hmar.errors import ParameterError
from hmar.properties.kinds.kind import Condition
from hmar.properties.table import TABLE

Typed = str | Sequence[str] | None
"""What was typed for an option, once or several times."""


def conditions_of_json(asked: Mapping[str, object]) -> dict[str, Condition]:
    """Return the conditions of a request's object.

    Parameters
    ----------
    asked : mapping of str to object
        By the names of properties: a text or a list of texts, an object with the ends of a band, true or
        false.

    Raises
    ------
    ParameterError
        If there is no such property, or it cannot be what is asked for.
    """
    for name in asked:
        if name not in TABLE:
            raise ParameterError(f"There is no property {name[:60]!a}.", f"Use {', '.join(TABLE)}.")
    return {name: TABLE[name].kind.from_json(name, value) for name, value in asked.items()}


def conditions_of_options(typed: Mapping[str, Typed]) -> dict[str, Condition]:
    """Return the conditions of a command's options.

    Parameters
    ----------
    typed : mapping of str to str, sequence of str or None
        By the names of properties: what was typed, once or several times; None and empty for nothing.

    Raises
    ------
    ParameterError
        If a property cannot be what is asked for.
    """
    given = {name: [text] if isinstance(text, str) else text for name, text in typed.items()}
    return {name: TABLE[name].kind.from_options(name, texts) for name, texts in given.items() if texts}
