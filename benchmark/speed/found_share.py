"""The share of what is nearest that a search found, ties known."""

from __future__ import annotations

from collections.abc import Sequence

Ranked = Sequence[tuple[int, float]]
"""Frames, or people, with their distances, nearest first; each once."""


def found_share(found: Ranked, nearest: Ranked, k: int) -> float:
    """Return the share, from 0 to 1, of the k nearest that are among the first k found; recall@k (ANN).

    One that is found with another distance than its own is not found. Of those that are as far as the last of
    the k nearest, any stands for any other; nothing stands for one that is nearer than the last.

    Parameters
    ----------
    found : sequence of (int, float)
        What a search found.
    nearest : sequence of (int, float)
        What an exact search found: k, or fewer where there are no more. Of nothing, everything is found.
    k : int
        From 1.
    """
    distances = dict(nearest[:k])
    if not distances:
        return 1.0
    last = max(distances.values())
    right = [distance for one, distance in found[:k] if distance == distances.get(one, last)]
    nearer = sum(distance < last for distance in right)
    places = sum(distance == last for distance in distances.values())
    return (nearer + min(len(right) - nearer, places)) / len(distances)
