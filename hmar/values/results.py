"""The answer to one search: the hits, and what was searched for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, overload

from hmar.values.codes import Bits
from hmar.values.fast import EXACT, Thoroughness
from hmar.values.frames import FrameInfo
from hmar.values.geometry import Box
from hmar.values.hits import Hit, Mode, out_of_distribution
from hmar.values.judged import Refinement
from hmar.values.pages import Page
from hmar.values.plain import Json, optional, weights


@dataclass(frozen=True, slots=True)
class Results(Sequence[Hit]):
    """The hits of a search, nearest first; a sequence of them.

    Parameters
    ----------
    hits : tuple of Hit
    frame : FrameInfo
        The frame that was searched with.
    regions : tuple of Box
        The regions of it that were searched for together, or the boxes around them, in its pixels; empty for
        all of it.
    mode : str
        What was compared: "global", "local" or "auto".
    bits : int
        Code length compared.
    model : str
        Name of the model.
    searched_frames : int
        How many frames could have been found.
    took_ms : float
        How long it took.
    region_typicality : tuple of float or None
        How typical each region is, see :class:`hmar.values.codes.Query`.
    refined : Refinement or None
        How many judged frames the search was refined by; None where it was not.
    thoroughness : Thoroughness
        Whether the search was exact or fast, and how much of what is nearest is expected to be found. Of a
        page it tells of the hits as far as the page's last.
    following : Page or None
        The page that follows this one, where there is one.
    unindexed_frames : int
        How many frames of the collections that were searched are not indexed under the model, and could not
        be found; counted at most a minute ago.
    """

    hits: tuple[Hit, ...]
    frame: FrameInfo
    regions: tuple[Box, ...]
    mode: Mode
    bits: Bits
    model: str
    searched_frames: int
    took_ms: float
    region_typicality: tuple[float | None, ...] = ()
    following: Page | None = None
    unindexed_frames: int = 0
    refined: Refinement | None = None
    thoroughness: Thoroughness = EXACT

    @property
    def region(self) -> Box | None:
        """The region that was searched for; None for several, and for the whole image."""
        return self.regions[0] if len(self.regions) == 1 else None

    def __len__(self) -> int:
        return len(self.hits)

    @overload
    def __getitem__(self, index: int) -> Hit: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Hit, ...]: ...

    def __getitem__(self, index: int | slice) -> Hit | tuple[Hit, ...]:
        return self.hits[index]

    def query_dict(self) -> Json:
        """Return what was searched for, as the API repeats it.

        Gate and typicality are null without hits; typicality is null, too, where the model cannot tell it.
        """
        info, region = self.frame, self.region
        first = self.hits[0] if self.hits else None
        return {
            "modality": info.modality,
            "body_part": info.body_part,
            "frame_number": info.frame_number,
            "rows": info.rows,
            "columns": info.columns,
            "spacing_mm": None if info.spacing is None else info.spacing.to_list(),
            "region": None if region is None else region.to_dict(),
            "region_mm": None if region is None else self._extent(region),
            "regions": [
                {
                    "region": each.to_dict(),
                    "region_mm": self._extent(each),
                    "typicality": optional(typicality),
                    "out_of_distribution": out_of_distribution(typicality),
                }
                for each, typicality in zip(self.regions, self.region_typicality, strict=True)
            ],
            "gate": None if first is None else weights(first.gate),
            "typicality": None if first is None else optional(first.query_typicality),
            "out_of_distribution": None if first is None else first.query_out_of_distribution,
        }

    def _extent(self, region: Box) -> Json | None:
        spacing = self.frame.spacing
        return None if spacing is None else region.extent_mm(spacing).to_dict()

    def to_dict(self) -> Json:
        """Return the answer as the API gives it."""
        return {
            "model": self.model,
            "bits": self.bits,
            "mode": self.mode,
            "search": self.thoroughness.to_dict(),
            "query": self.query_dict(),
            "refined": None if self.refined is None else self.refined._asdict(),
            "hits": [hit.to_dict() for hit in self.hits],
            "searched_frames": self.searched_frames,
            "unindexed_frames": self.unindexed_frames,
            "took_ms": round(self.took_ms, 1),
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return the answer that the API gave: the inverse of :meth:`to_dict`.

        UIDs of the query's frame are not told, and empty. Numbers are rounded as the answer has them. A
        server that does not tell how it searched knows exact searches alone.
        """
        query = told["query"]
        return cls(
            hits=tuple(Hit.from_dict(hit, query["typicality"]) for hit in told["hits"]),
            frame=FrameInfo.from_dict(query),
            regions=tuple(Box.from_dict(each["region"]) for each in query["regions"]),
            mode=told["mode"],
            bits=told["bits"],
            model=told["model"],
            searched_frames=told["searched_frames"],
            took_ms=told["took_ms"],
            region_typicality=tuple(each["typicality"] for each in query["regions"]),
            unindexed_frames=told.get("unindexed_frames", 0),
            refined=None if (judged := told.get("refined")) is None else Refinement(**judged),
            thoroughness=EXACT if (search := told.get("search")) is None else Thoroughness.from_dict(search),
        )
