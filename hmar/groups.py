"""Searching with a series or study of the archive: which frames stand for it, and what is like it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar, get_args

import numpy as np

from hmar.errors import NotFoundError, ParameterError, shown
from hmar.ports import Catalogue, CodeHolder, CodeIndex, FrameEncoder
from hmar.stages import stage
from hmar.values.codes import Bits, CodeArray
from hmar.values.deletion import Selector
from hmar.values.entries import EntryInfo
from hmar.values.groups import (
    Aggregation,
    CodeGroup,
    FrameCodes,
    FramePair,
    GroupHit,
    GroupLevel,
    GroupMode,
    GroupQuery,
    GroupResults,
)
from hmar.values.pages import Page
from hmar.values.search_limits import check_choice, check_numbers
from hmar.values.selection import Selection

MAX_QUERY_FRAMES = 16
"""Frames of a series or study that are compared one by one."""
T = TypeVar("T")


def frames_of_group(
    catalogue: Catalogue, model_fingerprint: str, level: GroupLevel, uid: str, as_of: int | None = None
) -> list[EntryInfo]:
    """Return the frames of an indexed series or study, each series in display order.

    Of one that several collections hold, those of the first are taken. With ``as_of``, a row of the log,
    later frames are not there.

    Raises
    ------
    NotFoundError
        If nothing of it is indexed.
    """
    frames = [
        entry
        for series in catalogue.series(model_fingerprint, Selector(level, uid))
        for entry in catalogue.frames(series.collection, series.series_uid, model_fingerprint)
        if as_of is None or entry.entry_id <= as_of
    ]
    if not frames:
        raise NotFoundError(
            f"{level.capitalize()} {shown(uid)} is not indexed.", "See GET /api/v1/series for what is."
        )
    return [entry for entry in frames if entry.collection == frames[0].collection]


def evenly_spread(items: Sequence[T], most: int) -> list[T]:
    """Return all items, or as many as may be: those in the middle of that many equal parts."""
    if len(items) <= most:
        return list(items)
    return [items[(2 * part + 1) * len(items) // (2 * most)] for part in range(most)]


class GroupSearcher:
    """Answers queries by series or study from codes that are in the index: no pixel is read. Thread-safe.

    Parameters
    ----------
    catalogue : Catalogue
        Tells what the entries that are found are.
    index : CodeIndex
        Brought up to date by the caller.
    encoder : FrameEncoder
        Knows which windows stand for a frame.
    held : CodeHolder or None
        Has the codes of the query's frames; None for those that the index holds.
    """

    def __init__(
        self, catalogue: Catalogue, index: CodeIndex, encoder: FrameEncoder, held: CodeHolder | None = None
    ) -> None:
        self._catalogue = catalogue
        self._index = index
        self._held = index if held is None else held
        self._encoder = encoder

    def answer(
        self,
        level: GroupLevel,
        frames: Sequence[EntryInfo],
        k: int,
        mode: GroupMode | None,
        selection: Selection,
        bits: Bits = 128,
        aggregation: Aggregation = "late_interaction",
        page: Page | None = None,
    ) -> GroupResults:
        """Find the series or studies most like one of the archive, whose codes are in the index.

        Parameters
        ----------
        level : str
            "series" or "study"; the query's own is left out.
        frames : sequence of EntryInfo
            The frames of the query, as :func:`frames_of_group` returns them. By
            "late_interaction", ``MAX_QUERY_FRAMES`` of them, evenly spread, are compared one by one.
        k : int
            How many series or studies, from 1 to 1000.
        mode, aggregation : str
            See :class:`hmar.values.groups.GroupQuery`. Without a mode, it is "local" by "late_interaction",
            which finds most, and "global" by "mean".
        selection : Selection
            What may be found. Its groups are those of ``level``.
        bits : int
            64 or 128.
        page : Page, optional
            Which of the k hits are wanted; all of them if not given. Its state is that of ``selection``.

        Raises
        ------
        NotFoundError
            If no frame of the query is in the index any more.
        ParameterError
            If k, mode, bits or aggregation is out of range, or windows are to be compared by a mean code.
        """
        started = time.perf_counter()
        mode = mode or ("global" if aggregation == "mean" else "local")
        _check(k, mode, bits, aggregation)
        own = frames[0].info
        chosen = replace(selection, group_by=level)
        if level == "series":
            chosen = replace(chosen, not_series=chosen.not_series | {own.series_uid})
        else:
            chosen = replace(chosen, not_studies=chosen.not_studies | {own.study_uid})
        wanted = evenly_spread(frames, MAX_QUERY_FRAMES) if aggregation == "late_interaction" else frames
        query, compared = self._group_query(wanted, aggregation, mode)
        with stage("scan"):
            found = self._index.search_groups(query, k, bits, chosen)
        hits = self._group_hits(level, found, compared, bits)
        following = None
        if page is not None:
            here, following = page.turn(k, [hit.uid for hit in hits])
            hits = [replace(hits[at], rank=rank) for rank, at in enumerate(here, len(page.shown) + 1)]
        return GroupResults(
            hits=tuple(hits),
            level=level,
            own=frames[0],
            query=tuple(compared) if aggregation == "mean" else tuple(compared[at] for at in query.frames),
            query_frames=len(frames),
            aggregation=aggregation,
            mode=mode,
            bits=bits,
            model=self._encoder.name,
            searched_frames=self._index.count(chosen),
            took_ms=(time.perf_counter() - started) * 1000,
            following=following,
        )

    def _group_query(
        self, frames: Sequence[EntryInfo], aggregation: Aggregation, mode: GroupMode
    ) -> tuple[GroupQuery, list[EntryInfo]]:
        """Return the codes of frames as a query, and those of them that are in the index."""
        by_id = {entry.entry_id: entry for entry in frames}
        codes = self._held.codes(list(by_id), Selection())
        if not codes:
            raise NotFoundError("No frame of the query is indexed any more.", "It was deleted.")
        query = GroupQuery(
            np.stack([each.global_code for each in codes]),
            [self._windows(each, mode) for each in codes],
            aggregation,
            mode,
        )
        return query, [by_id[each.entry_id] for each in codes]

    def _windows(self, codes: FrameCodes, mode: GroupMode) -> CodeArray:
        """Return the codes of the windows that stand for a frame; none where windows are not compared."""
        if mode == "global":
            return codes.window_codes[:0]
        return codes.window_codes[np.isin(codes.window_ids, self._encoder.spread(codes.window_ids))]

    def _group_hits(
        self, level: GroupLevel, found: Sequence[CodeGroup], query: Sequence[EntryInfo], bits: Bits
    ) -> list[GroupHit]:
        ids = {group.entry_id for group in found} | {pair.entry_id for group in found for pair in group.pairs}
        with stage("catalogue"):
            entries = self._catalogue.entries(ids)
        # A group is left out where one of the frames shown was deleted after the index answered.
        live = [
            group
            for group in found
            if group.entry_id in entries and all(pair.entry_id in entries for pair in group.pairs)
        ]
        return [
            GroupHit(
                rank=rank,
                level=level,
                entry=entries[group.entry_id],
                frames=group.frames,
                distance=group.distance,
                score=1 - group.distance / bits,
                pairs=tuple(
                    FramePair(query[pair.query], entries[pair.entry_id], pair.distance)
                    for pair in group.pairs
                ),
            )
            for rank, group in enumerate(live, start=1)
        ]


def _check(k: int, mode: str, bits: int, aggregation: str) -> None:
    check_numbers(k, bits)
    check_choice("mode", mode, get_args(GroupMode))
    check_choice("aggregation", aggregation, get_args(Aggregation))
    if (mode, aggregation) == ("local", "mean"):
        raise ParameterError(
            "aggregation is 'mean', and mode is 'local'.",
            "Windows have no mean code: give mode 'global', or aggregation 'late_interaction'.",
        )
