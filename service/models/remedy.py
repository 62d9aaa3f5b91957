"""What a caller can do about a field that cannot be used, where its type alone does not say it."""

from __future__ import annotations

from typing import NamedTuple


class Remedy(NamedTuple):
    """Marks a field; see :mod:`service.operations.refusals`."""

    text: str
