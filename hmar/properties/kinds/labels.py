"""Labels: what people call images, kept as they typed it."""

from __future__ import annotations

from hmar.errors import ParameterError, shown
from hmar.properties.kinds.any_of import AnyOf

LENGTH = 64
"""Characters of the longest label."""


class Labels(AnyOf):
    """Texts of 1 to 64 printable characters, in which upper and lower case differ."""

    remedy = f"Give 1 to {LENGTH} printable characters."

    def kept(self, text: str) -> str:
        """Return a label without the spaces around it; raises ParameterError."""
        return label_value(text)


def label_value(text: str) -> str:
    """Return a label without the spaces around it.

    Raises
    ------
    ParameterError
        Unless 1 to 64 printable characters are left.
    """
    value = text.strip()
    if not 1 <= len(value) <= LENGTH or not value.isprintable():
        raise ParameterError(f"The label is {shown(value)}.", Labels.remedy)
    return value
