"""How many channels Expert0 pools a frame from."""

from __future__ import annotations

_WIDEST = 128
"""Channels at most, where labels of many images are learnt: all of the smallest backbone's."""

_MANY = 1000
"""Labelled images from which more channels pay: with 3,700 they did, with 260 they did not
(docs/experiments/labels-of-images.md)."""


def frame_width(channels: int, labelled: int) -> int:
    """Return the ``frame_width`` of a network.

    Parameters
    ----------
    channels : int
        Of the backbone's feature map.
    labelled : int
        Images whose labels are learnt.

    Returns
    -------
    int
        0 for as many as windows are pooled from.
    """
    return min(channels, _WIDEST) if labelled >= _MANY else 0
