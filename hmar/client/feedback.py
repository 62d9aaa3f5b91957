"""What people say of hits, kept by a server."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hmar.client.api import Api, read
from hmar.client.queries import Fields, Queryable, file_bytes, frame_fields, given
from hmar.values.entries import EntryInfo
from hmar.values.feedback import KeptJudgement, Verdict
from hmar.values.geometry import BoxLike, regions_of
from hmar.values.hits import Hit
from hmar.values.indexed import Indexed, IndexedFrame, collection_of
from hmar.values.judged import Judged

FEEDBACK = "/api/v1/feedback"
PAGE = 1000


class ClientFeedback:
    """Judgements of hits, for a key with the scope feedback. :class:`hmar.Client` has them.

    Parameters
    ----------
    api : Api
        What is asked.
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    def feedback(self, collection: str | None = None, after: int = 0) -> Iterator[KeptJudgement]:
        """Yield the judgements, or those of one collection, in order of ``seq``, those after ``after``."""
        while True:
            query = given(collection=collection, after=after, limit=PAGE)
            page, following = read(self._api.get(FEEDBACK, query), _page)  # type: ignore[arg-type]
            yield from page
            if following == after:
                return
            after = following

    def judge(
        self,
        image: Queryable,
        relevant: Sequence[Indexed] = (),
        not_relevant: Sequence[Indexed] = (),
        box: BoxLike | Sequence[BoxLike] | None = None,
        *,
        frame_number: int = 1,
    ) -> int:
        """Keep which hits of a search are what was looked for, and which are not.

        Parameters
        ----------
        image : path, bytes, IndexedFrame, Hit or EntryInfo
            What was searched with. Nothing of a file is sent but its SHA-256.
        relevant, not_relevant : sequence of IndexedFrame, Hit or EntryInfo
            Up to 100 altogether. Of a hit of a search for regions, its box is kept.
        box : Box or sequence of Box, optional
            What was looked for in the image.
        frame_number : int
            Of a file with several frames, from 1.

        Returns
        -------
        int
            How many were kept: fewer where a frame was deleted meanwhile.

        Raises
        ------
        NotFoundError
            If a frame is not in the archive.
        ParameterError
            If there are none or too many, or a frame comes twice.
        """
        Judged.of(relevant, not_relevant)
        regions = regions_of(box)
        verdicts: tuple[tuple[Verdict, Sequence[Indexed]], ...] = (
            ("relevant", relevant),
            ("not_relevant", not_relevant),
        )
        judgements = [
            {**_frame(frame, with_box=bool(regions)), "verdict": verdict}
            for verdict, frames in verdicts
            for frame in frames
        ]
        query = {**_query(image, frame_number), **given(regions=[list(each) for each in regions] or None)}
        answer = self._api.post(FEEDBACK, {"query": query, "judgements": judgements})
        return read(answer, lambda told: int(told["kept"]))


def _query(image: Queryable, frame_number: int) -> Fields:
    if isinstance(image, IndexedFrame | Hit | EntryInfo):
        return frame_fields(image)
    digest = hashlib.sha256(file_bytes(image)).hexdigest()
    return {"file_sha256": digest, "frame_number": frame_number}


def _frame(frame: Indexed, with_box: bool) -> Fields:
    box = list(frame.box) if with_box and isinstance(frame, Hit) else None
    return {**frame_fields(frame), **given(collection=collection_of(frame), box=box)}


def _page(told: Mapping[str, Any]) -> tuple[list[KeptJudgement], int]:
    return [KeptJudgement.from_dict(one) for one in told["judgements"]], int(told["next_after"])
