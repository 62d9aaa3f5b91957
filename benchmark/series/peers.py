"""What is compared: an encoder's codes, of what, and how many distances become one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from benchmark.series.aggregations import OF_CODES, OF_DISTANCES
from hmar.errors import ParameterError

Source = Literal["model", "thumbnail"]
Codes = Literal["frames", "windows"]


@dataclass(frozen=True, slots=True)
class SeriesPeer:
    """One way to rank series.

    Parameters
    ----------
    name : str
    what : str
        For the report.
    source : str
        Whose codes: those of the "model", or of 32x32 "thumbnail"s.
    codes : str
        Whether whole frames are compared, or windows.
    aggregation : str
        Of :data:`benchmark.series.aggregations.OF_DISTANCES` or
        :data:`benchmark.series.aggregations.OF_CODES`.
    """

    name: str
    what: str
    source: Source
    codes: Codes
    aggregation: str


_WAYS = {
    "late-interaction": "the mean over the query's frames, or boxes, of the distance to the nearest frame",
    "nearest": "the least distance of any of the query's frames, or boxes, to any frame",
    "voting": "how many of the query's frames, or boxes, find their nearest frame there",
    "mean": "the distance of mean codes",
    "attention": "the distance of the query's mean code to codes weighed by how near they are to it",
}

WHOLE_PEERS = (
    *(SeriesPeer(name, _WAYS[name], "model", "frames", name) for name in (*OF_DISTANCES, *OF_CODES)),
    SeriesPeer("late-interaction-windows", _WAYS["late-interaction"], "model", "windows", "late-interaction"),
    SeriesPeer("thumbnail", _WAYS["late-interaction"], "thumbnail", "frames", "late-interaction"),
)
"""Peers of the question with a whole series."""

STRUCTURE_PEERS = (
    *(SeriesPeer(name, _WAYS[name], "model", "windows", name) for name in (*OF_DISTANCES, *OF_CODES)),
    SeriesPeer("thumbnail", _WAYS["late-interaction"], "thumbnail", "windows", "late-interaction"),
)
"""Peers of the question with the boxes of a structure."""


def select_series_peers(names: list[str]) -> tuple[tuple[SeriesPeer, ...], tuple[SeriesPeer, ...]]:
    """Return the peers of both questions by name; "all" stands for all.

    Raises
    ------
    ParameterError
        If a name is unknown, or there is none.
    """
    known = list(dict.fromkeys(peer.name for peer in (*WHOLE_PEERS, *STRUCTURE_PEERS)))
    wanted = known if names == ["all"] else names
    unknown = [name for name in wanted if name not in known]
    if unknown or not wanted:
        raise ParameterError(
            f"Peers are {', '.join(names) or 'none'}.", f"Give all, or some of {', '.join(known)}."
        )
    whole, structure = (
        tuple(peer for peer in peers if peer.name in wanted) for peers in (WHOLE_PEERS, STRUCTURE_PEERS)
    )
    return whole, structure
