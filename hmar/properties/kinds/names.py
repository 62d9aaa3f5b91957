"""Names of things, as their manufacturers write them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hmar.properties.kinds.any_of import AnyOf

_NOT_IN_A_NAME = re.compile(r"[^A-Z0-9.,&/()+-]+")
_LENGTH = 64


class Names(AnyOf):
    """Names in upper case and few signs, see :func:`name_value`.

    Parameters
    ----------
    such_as : str
        One of them, for the message to somebody who gave none.
    joined : bool
        True where all values of an element make one name, False where its first value is the name. They are
        joined as DICOM writes them, with a backslash, of which :func:`name_value` makes a space.
    """

    def __init__(self, such_as: str, joined: bool = False) -> None:
        self.remedy = f"Give a name with a letter or digit in it, such as {such_as}."
        self._joined = joined

    def read(self, values: Sequence[str]) -> str | None:
        """Return the first value as it is kept, or all of them joined."""
        return super().read(["\\".join(values)] if self._joined else values)

    def kept(self, text: str) -> str | None:
        """Return a name in upper case and few signs."""
        return name_value(text)


def name_value(text: str) -> str | None:
    """Return a name as it is kept, None if nothing is left of it.

    Upper case letters, digits and ``.,&/()+-``; a space for each run of anything else; at most 64 characters.
    """
    return _NOT_IN_A_NAME.sub(" ", text.upper()).strip()[:_LENGTH].strip() or None
