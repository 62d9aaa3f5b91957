"""Why a frame was found: where it resembles the query, in which bits, and what that means in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from hmar.values.codes import Bits
from hmar.values.geometry import Box
from hmar.values.plain import Json, number, weights


@dataclass(frozen=True, slots=True, eq=False)
class DistanceMap:
    """Distances over a frame.

    Parameters
    ----------
    distances : ndarray of float64, shape (rows, columns)
        In bits, of equal parts of the frame: the least of the windows that cover the part; NaN where none
        does.
    """

    distances: NDArray[np.float64]

    def to_dict(self) -> Json:
        """Return the map as the API answers with it."""
        rows, columns = self.distances.shape
        return {
            "rows": rows,
            "columns": columns,
            "distances": [[number(value) for value in row] for row in self.distances.tolist()],
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return the map that an answer tells."""
        rows = [[math.nan if value is None else float(value) for value in row] for row in told["distances"]]
        return cls(np.array(rows, np.float64).reshape(told["rows"], told["columns"]))


@dataclass(frozen=True, slots=True)
class Compared:
    """Two codes beside one another.

    Parameters
    ----------
    distance : int
        Bits in which they differ.
    differing : tuple of int
        Which those are, from 0, the most significant first.
    said : str
        What that means, in words.
    """

    distance: int
    differing: tuple[int, ...]
    said: str

    def to_dict(self, bits: Bits) -> Json:
        """Return what the API says of the two codes."""
        return {
            "distance": self.distance,
            "score": number(1 - self.distance / bits),
            "differing_bits": list(self.differing),
            "said": self.said,
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return what an answer says of two codes."""
        return cls(int(told["distance"]), tuple(map(int, told["differing_bits"])), told["said"])


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """Why a frame was found.

    Parameters
    ----------
    bits : int
        64 or 128.
    whole : Compared
        The codes of both whole frames.
    local : Compared or None
        The query's window and the one of the found frame that is nearest to it; None without windows.
    box : Box or None
        That window of the found frame, in source pixels.
    nearer_than : float
        Share of the found frame's other windows that are farther from the query; NaN without others.
    found, query : DistanceMap
        How near the places of the found frame are to the query's window, and those of the query's frame to
        the window found.
    gate : tuple of float
        How much the whole frames and the windows count in mode "auto".
    """

    bits: Bits
    whole: Compared
    local: Compared | None
    box: Box | None
    nearer_than: float
    found: DistanceMap
    query: DistanceMap
    gate: tuple[float, float]

    def to_dict(self) -> Json:
        """Return the explanation as the API answers with it."""
        return {
            "bits": self.bits,
            "global": self.whole.to_dict(self.bits),
            "local": None if self.local is None else self.local.to_dict(self.bits),
            "box": None if self.box is None else self.box.to_dict(),
            "nearer_than": None if math.isnan(self.nearer_than) else number(self.nearer_than),
            "hit_map": self.found.to_dict(),
            "query_map": self.query.to_dict(),
            "gate": weights(self.gate),
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return the explanation that an answer tells; numbers are rounded as it has them."""
        local, box, nearer, gate = told["local"], told["box"], told["nearer_than"], told["gate"]
        return cls(
            bits=told["bits"],
            whole=Compared.from_dict(told["global"]),
            local=None if local is None else Compared.from_dict(local),
            box=None if box is None else Box.from_dict(box),
            nearer_than=math.nan if nearer is None else float(nearer),
            found=DistanceMap.from_dict(told["hit_map"]),
            query=DistanceMap.from_dict(told["query_map"]),
            gate=(float(gate["global"]), float(gate["local"])),
        )
