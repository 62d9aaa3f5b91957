"""Judgements as files: for evaluation (TREC topics and qrels), as a table, and as labels."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence

from hmar.ports import FeedbackStore
from hmar.values.feedback import GRADES, KeptJudgement, Verdict

PAGE = 1000
COLUMNS = (
    "seq", "topic", "query_sop_instance_uid", "query_file_sha256", "query_frame_number", "query_regions",
    "collection", "study_uid", "sop_instance_uid", "frame_number", "box", "verdict", "actor", "at",
)  # fmt: skip


def all_judgements(feedback: FeedbackStore, page: int = PAGE) -> Iterator[KeptJudgement]:
    """Yield all judgements, so many read at a time."""
    after = 0
    while some := feedback.listed(after, page):
        yield from some
        after = some[-1].seq


def document_of(kept: KeptJudgement) -> str:
    """Return the name of a judged frame in qrels: its UID, and its number behind a slash."""
    return f"{kept.judgement.sop_instance_uid}/{kept.judgement.frame_number}"


def qrels(judgements: Iterable[KeptJudgement]) -> Iterator[str]:
    """Yield the lines of TREC qrels: topic, 0, document, grade.

    Where people, or boxes, or collections differ about a frame, most verdicts count; relevant wins a tie.
    """
    votes: dict[tuple[str, str], list[int]] = {}
    for kept in judgements:
        key = (kept.judgement.query.topic, document_of(kept))
        votes.setdefault(key, []).append(GRADES[kept.judgement.verdict])
    for (topic, document), grades in sorted(votes.items()):
        yield f"{topic} 0 {document} {int(2 * sum(grades) >= len(grades))}\n"


def topics(judgements: Iterable[KeptJudgement]) -> Iterator[str]:
    """Yield a line of JSON for each topic: what was looked for."""
    queries = {kept.judgement.query.topic: kept.judgement.query for kept in judgements}
    for topic, query in sorted(queries.items()):
        regions = json.loads(query.regions_json())
        yield f"{json.dumps({'topic': topic, **query.to_dict(), 'regions': regions})}\n"


def table(judgements: Iterable[KeptJudgement]) -> Iterator[str]:
    """Yield the lines of a table in CSV; regions and boxes are lists in JSON."""
    yield _line(COLUMNS)
    for kept in judgements:
        judged, told = kept.judgement, kept.to_dict()
        query = judged.query
        cells = told | {
            "query_sop_instance_uid": query.sop_instance_uid,
            "query_file_sha256": query.file_sha256,
            "query_frame_number": query.frame_number,
            "query_regions": query.regions_json(),
            "box": None if judged.box is None else json.dumps(list(judged.box)),
        }
        yield _line(["" if cells[name] is None else str(cells[name]) for name in COLUMNS])


def labels(judgements: Iterable[KeptJudgement], names: dict[Verdict, str]) -> tuple[list[str], int]:
    """Return the lines of a table of labels, and how many instances are left out for two labels.

    Parameters
    ----------
    judgements : iterable of KeptJudgement
        Of one topic, as a rule: what is relevant for one query may not be for another.
    names : dict of str to str
        The label for each verdict; a verdict without one gives none.
    """
    found: dict[str, set[str]] = {}
    for kept in judgements:
        name = names.get(kept.judgement.verdict)
        if name is not None:
            found.setdefault(kept.judgement.sop_instance_uid, set()).add(name)
    sound = {uid: next(iter(each)) for uid, each in sorted(found.items()) if len(each) == 1}
    lines = [_line(("sop_instance_uid", "label")), *(_line(row) for row in sound.items())]
    return lines, len(found) - len(sound)


def _line(cells: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()
