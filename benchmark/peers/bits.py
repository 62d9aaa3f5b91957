"""From logits to packed codes of any length."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmark.types import Peer
from hmar.errors import ParameterError


def pack_bits(logits: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Pack logits (N, bits) into codes (N, bits / 8): a bit is 1 above 0, most significant bit first."""
    check_bits(logits.shape[1])
    return np.packbits(logits > 0, axis=1)


def check_length(peer: Peer, bits: int) -> None:
    """Raise ParameterError for a length that a peer has no code of: most have codes of any."""
    longest = getattr(peer, "longest", bits)
    if check_bits(bits) > longest:
        raise ParameterError(
            f"{peer.name} has no code of {bits} bits.",
            f"Give up to {longest}, or leave the peer out.",
        )


def check_bits(bits: int) -> int:
    """Return the length of a code, which must be a positive multiple of 8.

    Raises
    ------
    ParameterError
        If it is not.
    """
    if bits <= 0 or bits % 8:
        raise ParameterError(f"A code of {bits} bits does not fill whole bytes.", "Use a multiple of 8.")
    return bits
