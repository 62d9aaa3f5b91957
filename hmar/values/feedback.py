"""Judgements of hits that are kept: what was looked for, what was found, and what somebody says of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple, Self

from hmar.values.geometry import Box
from hmar.values.plain import Json

Verdict = Literal["relevant", "not_relevant"]
GRADES: dict[Verdict, int] = {"relevant": 1, "not_relevant": 0}
TOPIC_DIGITS = 16


@dataclass(frozen=True, slots=True)
class FeedbackQuery:
    """What was looked for; no pixels of it.

    Parameters
    ----------
    sop_instance_uid : str or None
        An indexed instance, None for a file that was sent.
    file_sha256 : str or None
        Of the file's bytes, in hex; None for an indexed instance.
    frame_number : int
        From 1.
    regions : tuple of Box
        In pixels of the frame; none for the whole image.
    """

    sop_instance_uid: str | None
    file_sha256: str | None
    frame_number: int = 1
    regions: tuple[Box, ...] = ()

    @property
    def topic(self) -> str:
        """The same 16 hexadecimal digits for the same query, in every archive."""
        text = json.dumps([self.sop_instance_uid, self.file_sha256, self.frame_number, self.regions_json()])
        return hashlib.sha256(text.encode()).hexdigest()[:TOPIC_DIGITS]

    def regions_json(self) -> str:
        """Return the regions as a list of lists of numbers."""
        return json.dumps([[float(number) for number in region] for region in self.regions])

    def to_dict(self) -> Json:
        """Return the query as the API does."""
        return {
            "sop_instance_uid": self.sop_instance_uid,
            "file_sha256": self.file_sha256,
            "frame_number": self.frame_number,
            "regions": [region.to_dict() for region in self.regions],
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return the query that an answer tells."""
        regions = tuple(map(Box.from_dict, told["regions"]))
        return cls(told["sop_instance_uid"], told["file_sha256"], int(told["frame_number"]), regions)


def regions_from_json(text: str) -> tuple[Box, ...]:
    """Return the regions that :meth:`FeedbackQuery.regions_json` wrote."""
    return tuple(Box(*numbers) for numbers in json.loads(text))


@dataclass(frozen=True, slots=True)
class Judgement:
    """What somebody says of one frame as an answer to a query.

    Parameters
    ----------
    query : FeedbackQuery
    query_collection : str or None
        Where the query's instance is indexed; None for a file.
    collection, sop_instance_uid, frame_number
        The frame that was judged.
    box : Box or None
        What was judged of it, in its pixels; None for all of it.
    verdict : str
        "relevant" or "not_relevant".
    actor : str
        Name of the key or login.
    at : float
        Seconds since the epoch.
    """

    query: FeedbackQuery
    query_collection: str | None
    collection: str
    sop_instance_uid: str
    frame_number: int
    box: Box | None
    verdict: Verdict
    actor: str
    at: float

    @property
    def key(self) -> tuple[str, str, str, int, str]:
        """What one person has one verdict of."""
        return self.query.topic, self.collection, self.sop_instance_uid, self.frame_number, self.actor


class KeptJudgement(NamedTuple):
    """A judgement with its number, and with what the archive knows of the frames that it names.

    ``touched`` holds the studies and patients of both, as :class:`hmar.values.access.Access` does.
    """

    seq: int
    judgement: Judgement
    study_uid: str
    touched: frozenset[tuple[str, str]]

    def to_dict(self) -> Json:
        """Return the judgement as the API does; patients' keys are not told."""
        judged = self.judgement
        return {
            "seq": self.seq,
            "topic": judged.query.topic,
            "query": judged.query.to_dict(),
            "collection": judged.collection,
            "study_uid": self.study_uid,
            "sop_instance_uid": judged.sop_instance_uid,
            "frame_number": judged.frame_number,
            "box": None if judged.box is None else judged.box.to_dict(),
            "verdict": judged.verdict,
            "actor": judged.actor,
            "at": datetime.fromtimestamp(judged.at, UTC).isoformat(timespec="milliseconds"),
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return the judgement that an answer tells: not where its query is indexed, and no patients."""
        box = told["box"]
        judged = Judgement(
            FeedbackQuery.from_dict(told["query"]),
            None,
            told["collection"],
            told["sop_instance_uid"],
            int(told["frame_number"]),
            None if box is None else Box.from_dict(box),
            told["verdict"],
            told["actor"],
            datetime.fromisoformat(told["at"]).timestamp(),
        )
        return cls(int(told["seq"]), judged, told["study_uid"], frozenset())
