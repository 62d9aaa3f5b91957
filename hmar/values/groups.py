"""Searches with a series or study: what is looked for, and the series and studies that were found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Self, overload

from hmar.values.codes import Bits, CodeArray, WindowIds
from hmar.values.entries import EntryInfo
from hmar.values.pages import Page
from hmar.values.places import named_frame
from hmar.values.plain import Json, number, number_of

GroupLevel = Literal["series", "study"]
"""What is searched with, and found."""
Aggregation = Literal["late_interaction", "mean"]
"""How the distances of many frames become one; see :class:`GroupQuery`."""
GroupMode = Literal["global", "local"]
"""Whether whole frames are compared, or their windows."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameCodes:
    """What an index holds of one frame.

    Parameters
    ----------
    entry_id : int
    global_code : ndarray of uint8, shape (16,)
    window_codes : ndarray of uint8, shape (W, 16)
    window_ids : ndarray of uint32, shape (W,)
    """

    entry_id: int
    global_code: CodeArray
    window_codes: CodeArray
    window_ids: WindowIds


@dataclass(frozen=True, slots=True, eq=False)
class GroupQuery:
    """A group of frames that is compared with groups of the archive.

    By "late_interaction" (Khattab and Zaharia, SIGIR 2020, with distances for similarities) each query frame
    is compared with the frame of a group that is nearest to it; the group's distance is the mean over the
    query frames. By "mean" the mean code of the query is compared with that of a group: a bit of a mean
    code is 1 where it is 1 in more than half of the codes.

    Parameters
    ----------
    global_codes : ndarray of uint8, shape (N, 16)
        Of each query frame, N from 1.
    window_codes : sequence of ndarray of uint8, shape (W, 16) each
        Windows that stand for each query frame. By "local" two frames are as far apart as the mean over these
        of the distance to the other frame's nearest window, and a frame without windows is left out.
    aggregation : str
    mode : str
        "global" or "local". A mean code is one of whole frames: there is none of windows.
    """

    global_codes: CodeArray
    window_codes: Sequence[CodeArray]
    aggregation: Aggregation
    mode: GroupMode

    @property
    def frames(self) -> list[int]:
        """Positions of the query frames that are compared one by one."""
        if self.aggregation == "mean":
            return []
        return [i for i, codes in enumerate(self.window_codes) if self.mode == "global" or len(codes)]


class CodePair(NamedTuple):
    """A query frame, by its position, the frame of a group that is nearest to it, and their distance."""

    query: int
    entry_id: int
    distance: float


@dataclass(frozen=True, slots=True)
class CodeGroup:
    """A group that an index found.

    Parameters
    ----------
    entry_id : int
        Its oldest entry among those that were compared.
    frames : int
        How many of its frames were compared: by "local" those that have windows.
    distance : float
        In bits.
    pairs : tuple of CodePair
        What the distance is the mean of; empty for a mean code.
    """

    entry_id: int
    frames: int
    distance: float
    pairs: tuple[CodePair, ...]


@dataclass(frozen=True, slots=True)
class FramePair:
    """A query frame, the frame of a group that is nearest to it, and their distance in bits."""

    query: EntryInfo
    found: EntryInfo
    distance: float

    def to_dict(self) -> Json:
        """Return the pair as the API answers with it."""
        return {
            "query": _named(self.query),
            "found": _named(self.found),
            "distance": number(self.distance),
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return the pair of an answer, which names its frames and tells no more of them."""
        query, found = map(EntryInfo.from_dict, (told["query"], told["found"]))
        return cls(query, found, number_of(told["distance"]))


@dataclass(frozen=True, slots=True)
class GroupHit:
    """A series or study that was found.

    Parameters
    ----------
    rank : int
        From 1.
    level : str
        "series" or "study".
    entry : EntryInfo
        Its oldest entry among those that were compared, whose properties are shown.
    frames : int
        How many of its frames were compared.
    distance : float
        In bits; see :class:`GroupQuery`.
    score : float
        1 - distance / bits.
    pairs : tuple of FramePair
        The pairs of frames that the distance is the mean of, in the order of the query; none for a mean code.
    """

    rank: int
    level: GroupLevel
    entry: EntryInfo
    frames: int
    distance: float
    score: float
    pairs: tuple[FramePair, ...]

    @property
    def uid(self) -> str:
        """UID of the series or study."""
        return self.entry.info.series_uid if self.level == "series" else self.entry.info.study_uid

    def to_dict(self) -> Json:
        """Return the hit as the API answers with it."""
        info = self.entry.info
        return {
            "rank": self.rank,
            "distance": number(self.distance),
            "score": number(self.score),
            "study_uid": info.study_uid,
            "series_uid": info.series_uid if self.level == "series" else None,
            "collection": self.entry.collection,
            **info.properties(),
            "frames": self.frames,
            "pairs": [pair.to_dict() for pair in self.pairs],
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any], level: GroupLevel) -> Self:
        """Return the series or study of an answer, which does not tell which of its frames is the oldest."""
        return cls(
            rank=told["rank"],
            level=level,
            entry=EntryInfo.from_dict(told),
            frames=told["frames"],
            distance=number_of(told["distance"]),
            score=number_of(told["score"]),
            pairs=tuple(map(FramePair.from_dict, told["pairs"])),
        )


@dataclass(frozen=True, slots=True)
class GroupResults(Sequence[GroupHit]):
    """The series or studies found by one search, nearest first; a sequence of them.

    Parameters
    ----------
    hits : tuple of GroupHit
    level : str
        "series" or "study".
    own : EntryInfo
        The first frame of the query's series or study.
    query : tuple of EntryInfo
        The frames that were compared; by "local" only such as have windows.
    query_frames : int
        How many frames the query's series or study has.
    aggregation, mode, bits : str, str, int
        How it was searched.
    model : str
        Name of the model.
    searched_frames : int
        How many frames could have been found.
    took_ms : float
    following : Page or None
        The page that follows this one, where there is one.
    unindexed_frames : int
        As in :class:`hmar.values.results.Results`.
    """

    hits: tuple[GroupHit, ...]
    level: GroupLevel
    own: EntryInfo
    query: tuple[EntryInfo, ...]
    query_frames: int
    aggregation: Aggregation
    mode: GroupMode
    bits: Bits
    model: str
    searched_frames: int
    took_ms: float
    following: Page | None = None
    unindexed_frames: int = 0

    def __len__(self) -> int:
        return len(self.hits)

    @overload
    def __getitem__(self, index: int) -> GroupHit: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[GroupHit, ...]: ...

    def __getitem__(self, index: int | slice) -> GroupHit | tuple[GroupHit, ...]:
        return self.hits[index]

    def to_dict(self) -> Json:
        """Return the answer as the API gives it."""
        first = self.own
        return {
            "model": self.model,
            "bits": self.bits,
            "mode": self.mode,
            "aggregation": self.aggregation,
            "query": {
                "study_uid": first.info.study_uid,
                "series_uid": first.info.series_uid if self.level == "series" else None,
                "collection": first.collection,
                "modality": first.info.modality,
                "body_part": first.info.body_part,
                "frames": self.query_frames,
                "compared_frames": len(self.query),
            },
            "hits": [hit.to_dict() for hit in self.hits],
            "searched_frames": self.searched_frames,
            "unindexed_frames": self.unindexed_frames,
            "took_ms": round(self.took_ms, 1),
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return the answer that the API gave: the inverse of :meth:`to_dict`.

        Each of the frames in ``query`` has what is told of ``own``; the pairs of hits name them.
        """
        asked = told["query"]
        level: GroupLevel = "study" if asked["series_uid"] is None else "series"
        own = EntryInfo.from_dict(asked)
        return cls(
            hits=tuple(GroupHit.from_dict(hit, level) for hit in told["hits"]),
            level=level,
            own=own,
            query=(own,) * asked["compared_frames"],
            query_frames=asked["frames"],
            aggregation=told["aggregation"],
            mode=told["mode"],
            bits=told["bits"],
            model=told["model"],
            searched_frames=told["searched_frames"],
            took_ms=told["took_ms"],
            unindexed_frames=told.get("unindexed_frames", 0),
        )


def _named(entry: EntryInfo) -> Json:
    """Return which frame it is, and of which series: a group may be a study."""
    return {**named_frame(entry), "series_uid": entry.info.series_uid}
