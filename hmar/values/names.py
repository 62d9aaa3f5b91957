"""Names that people give to collections and to keys."""

from __future__ import annotations

import re

from hmar.errors import ParameterError, shown

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
"""What a name is made of, as a regular expression."""


def checked_name(what: str, name: object) -> str:
    """Return a name that paths, log lines and tables can show.

    Parameters
    ----------
    what : str
        What it names, for the message.
    name : object
        As it was given.

    Raises
    ------
    ParameterError
        If it is anything but 1 to 64 letters, digits, dots, hyphens or underscores, a letter or digit first.
    """
    if not isinstance(name, str) or not re.fullmatch(NAME, name):
        raise ParameterError(
            f"The {what}'s name is {shown(name)}.",
            "Give 1 to 64 letters, digits, dots, hyphens or underscores, a letter or digit first.",
        )
    return name
