"""What a search may be asked for: checked once, where it comes in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from hmar.errors import ParameterError
from hmar.values.codes import Bits

MAX_K = 1000
MAX_PLACES = 100
"""Hits that are grown to places: each reads codes of the slices around it."""
MAX_REGIONS = 16
"""Regions searched for together."""
MAX_QUERIES = 32
"""Queries of a batch."""
MAX_BATCH_REGIONS = 64
"""Regions of all queries of a batch together."""
MAX_BATCH_K = 100
"""Hits of each query of a batch."""


def check_numbers(k: int, bits: int) -> None:
    """Raise ParameterError unless k is from 1 to ``MAX_K``, and bits a code length."""
    if not 1 <= k <= MAX_K:
        raise ParameterError(f"k is {k}.", f"Give a number from 1 to {MAX_K}.")
    if bits not in get_args(Bits):
        raise ParameterError(f"bits is {bits}.", "Give 64 or 128.")


def check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    """Raise ParameterError unless a value is one of several."""
    if value not in choices:
        raise ParameterError(f"{name} is {value!r}.", f"Give one of {', '.join(choices)}.")
